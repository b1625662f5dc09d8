"""One cell of text into one value of a column, or the reason why not."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db.clock import to_utc
from language import _

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_TRUE = frozenset({"1", "true", "t", "yes", "y", "1.0"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "0.0"})
_SECONDS, _MILLISECONDS = (9, 10), (12, 13)
_SHOWN = 60


class Rejected(Exception):
    """A cell that cannot be stored; the text is the reason."""


@dataclass(frozen=True)
class Surroundings:
    """What the meaning of a cell depends on."""

    zone: ZoneInfo
    now: datetime


Parse = Callable[[str, Surroundings], Any]


def shown(cell: str) -> str:
    """A cell as it is quoted in a message."""
    return cell if len(cell) <= _SHOWN else cell[: _SHOWN - 1] + "…"


def text(longest: int) -> Parse:
    """Text of at most so many characters, without NUL, which PostgreSQL cannot hold."""

    def parse(cell: str, _where: Surroundings) -> str:
        if len(cell) > longest:
            raise Rejected(
                _("“{cell}” has {n} characters, {longest} fit").format(
                    cell=shown(cell), n=f"{len(cell):,}", longest=longest
                )
            )
        if not cell.isprintable() and any(ord(char) < 32 and char not in "\t\n\r" for char in cell):
            raise Rejected(_("“{cell}” holds a control character").format(cell=shown(repr(cell)[1:-1])))
        try:
            cell.encode()
        except UnicodeEncodeError:
            raise Rejected(_("“{cell}” is not valid Unicode").format(cell=shown(repr(cell)[1:-1]))) from None
        return cell

    return parse


def number(low: float, high: float) -> Parse:
    """A number from low to high."""

    def parse(cell: str, _where: Surroundings) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if value != value or "_" in cell:
            raise Rejected(_("“{cell}” is not a number").format(cell=shown(cell)))
        if not low <= value <= high:
            raise Rejected(
                _("{cell} is outside {low:g} to {high:g}").format(cell=shown(cell), low=low, high=high)
            )
        return value

    return parse


def flag(cell: str, _where: Surroundings) -> bool:
    """1, true, yes or their opposites, in any case."""
    lowered = cell.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise Rejected(_("“{cell}” is neither true nor false").format(cell=shown(cell)))


def timestamp(cell: str, where: Surroundings) -> datetime:
    """ISO 8601 or Unix seconds or milliseconds; without an offset it is a wall time of `TIMEZONE`."""
    try:
        moment = _unix(cell) if cell.lstrip("-").isdigit() else datetime.fromisoformat(cell)
        moment = _local(moment, cell, where.zone) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Rejected(
            _("“{cell}” is not a time; write it as 2026-11-15T09:30:00Z").format(cell=shown(cell))
        ) from None
    if not EARLIEST <= moment <= where.now + timedelta(days=1):
        raise Rejected(_("{cell} is not between 1970 and tomorrow").format(cell=shown(cell)))
    return moment


def _unix(cell: str) -> datetime:
    if len(cell) in _SECONDS:
        return EARLIEST + timedelta(seconds=int(cell))
    if len(cell) in _MILLISECONDS:
        return EARLIEST + timedelta(milliseconds=int(cell))
    return datetime.fromisoformat(cell)


def _local(moment: datetime, cell: str, zone: ZoneInfo) -> datetime:
    utc = to_utc(moment, zone)
    if utc.astimezone(zone).replace(tzinfo=None) != moment:
        raise Rejected(
            _("{cell} does not exist in {zone}: the clocks skip it").format(cell=shown(cell), zone=zone.key)
        )
    return utc
