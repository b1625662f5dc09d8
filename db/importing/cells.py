"""Cells of text into values of a column: a whole column at once where nothing is odd, else one by one.

`one` is the rule and gives the reason for a rejection; `all` is the same rule for a column, many times faster,
and leaves every column with anything unusual in it (None) to `one`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from unicodedata import is_normalized, normalize
from zoneinfo import ZoneInfo

from db.clock import to_utc
from language import _

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_TRUE = ("1", "true", "t", "yes", "y", "1.0")
_FALSE = ("0", "false", "f", "no", "n", "0.0")
_SECONDS, _MILLISECONDS = (9, 10), (12, 13)
_SHOWN = 60
_HOUR = timedelta(hours=1)


class Rejected(Exception):
    """A cell that cannot be stored; its text is the reason: a sentence about {what}, which is the cell."""

    def __init__(self, sentence: str, cell: str, **values: object) -> None:
        super().__init__(sentence.format(what=cell, **values))
        self._sentence, self._values = sentence, values

    def about(self, column: str) -> str:
        """The same sentence about every such cell of a column."""
        return self._sentence.format(what=column, **self._values)


@dataclass(frozen=True)
class Surroundings:
    """What the meaning of a cell depends on."""

    zone: ZoneInfo
    now: datetime
    offsets: dict[str, timedelta | None] = field(default_factory=dict, compare=False)

    @property
    def latest(self) -> datetime:
        return self.now + timedelta(days=1)

    def offset(self, hour: str) -> timedelta | None:
        """What UTC is behind the wall clock during a local hour ("2026-11-15 09"); None where that changes."""
        if hour not in self.offsets:
            start = datetime.fromisoformat(hour + ":00")
            ends = (start, start + _HOUR - timedelta(microseconds=1))
            found = {
                end - to_utc(end, self.zone).replace(tzinfo=None) for end in ends if exists(end, self.zone)
            }
            steady = len(found) == 1 and all(exists(end, self.zone) for end in ends)
            self.offsets[hour] = found.pop() if steady else None
        return self.offsets[hour]


class Kind(Protocol):
    """How the cells of a column are read; a cell has no white space around it, '' is no value."""

    def one(self, cell: str, where: Surroundings) -> Any:
        """The value of a cell that is not empty; raises Rejected."""

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        """The values of a column, or None where a cell needs a closer look."""


def shown(cell: str) -> str:
    """A cell as it is quoted in a message: not too long, and without what a terminal would obey."""
    cell = cell if len(cell) <= _SHOWN else cell[: _SHOWN - 1] + "…"
    return cell if cell.isprintable() else repr(cell)[1:-1]


def quoted(cell: str) -> str:
    return _("“{cell}”").format(cell=shown(cell))


def exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of the zone ever show that time."""
    return to_utc(wall, zone).astimezone(zone).replace(tzinfo=None) == wall


@dataclass(frozen=True)
class Text:
    """One line of at most so many characters, all of which can be seen: two names that look equal are equal.

    `never` are words that stand for something else in the tables.

    A letter with an accent is stored as one character (NFC), also where a file has letter and accent apart.
    """

    longest: int
    never: tuple[str, ...] = ()

    def one(self, cell: str, where: Surroundings) -> str:
        cell = normalize("NFC", cell)
        if cell in self.never:
            raise Rejected(_("{what} stands for all of them together"), quoted(cell))
        if len(cell) > self.longest:
            raise Rejected(_("{what} has more than {n} characters"), quoted(cell), n=self.longest)
        if not cell.isprintable():
            raise Rejected(_("{what} holds a character that cannot be seen"), quoted(cell))
        return cell

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        plain = all(map(str.isprintable, cells)) and max(map(len, cells), default=0) <= self.longest
        if not plain or any(word in cells for word in self.never):
            return None
        if not all(map(str.isascii, cells)):
            cells = [cell if is_normalized("NFC", cell) else normalize("NFC", cell) for cell in cells]
        return [cell or None for cell in cells]


@dataclass(frozen=True)
class Prose:
    """Text of any number of lines; what cannot be stored is a NUL."""

    longest: int = 1_000_000

    def one(self, cell: str, where: Surroundings) -> str:
        if len(cell) > self.longest:
            raise Rejected(_("{what} has more than {n} characters"), quoted(cell), n=self.longest)
        if "\0" in cell:
            raise Rejected(_("{what} holds a character that cannot be seen"), quoted(cell))
        return cell

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        plain = max(map(len, cells), default=0) <= self.longest and not any("\0" in cell for cell in cells)
        return [cell or None for cell in cells] if plain else None


@dataclass(frozen=True)
class Choice:
    """One of a few words, in any case, or another name of it: what is written → what is stored."""

    words: Mapping[str, str] = field(compare=False)

    def one(self, cell: str, where: Surroundings) -> str:
        found = self.words.get(cell.lower())
        if found is None:
            known = ", ".join(dict.fromkeys(self.words.values()))
            raise Rejected(_("{what} is none of {words}"), quoted(cell), words=known)
        return found

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        found = {cell: self.words.get(cell.lower()) for cell in set(cells)}
        plain = all(value is not None for cell, value in found.items() if cell)
        return [found[cell] for cell in cells] if plain else None


@dataclass(frozen=True)
class Number:
    """A number from low to high."""

    low: float
    high: float

    def one(self, cell: str, where: Surroundings) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if value != value or "_" in cell:
            raise Rejected(_("{what} is not a number"), quoted(cell))
        if not self.low <= value <= self.high:
            raise Rejected(
                _("{what} is outside {low:g} to {high:g}"), shown(cell), low=self.low, high=self.high
            )
        return value

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        try:
            values = [float(cell) if cell else None for cell in cells]
        except ValueError:
            return None
        known = [value for value in values if value is not None]
        # A sum tells NaN, which compares as nothing, from everything else.
        fine = not known or (math.isfinite(sum(known)) and self.low <= min(known) and max(known) <= self.high)
        return values if fine and "_" not in "".join(cells) else None


@dataclass(frozen=True)
class Flag:
    """1, true, yes or their opposites, in any case."""

    known: Mapping[str, bool | None] = field(
        default_factory=lambda: dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False), compare=False
    )

    def one(self, cell: str, where: Surroundings) -> bool:
        value = self.known.get(cell.lower())
        if value is None:
            raise Rejected(_("{what} is neither true nor false"), quoted(cell))
        return value

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        found = {cell: self.known.get(cell.lower()) for cell in set(cells)}
        plain = all(value is not None for cell, value in found.items() if cell)
        return [found[cell] for cell in cells] if plain else None


@dataclass(frozen=True)
class Timestamp:
    """ISO 8601 or Unix seconds or milliseconds; without an offset it is a wall time of `TIMEZONE`."""

    def one(self, cell: str, where: Surroundings) -> datetime:
        moment: datetime | None
        try:
            moment = _moment(cell, where.zone)
        except ValueError:
            raise Rejected(
                _("{what} is not a time; write it as 2026-11-15T09:30:00Z"), quoted(cell)
            ) from None
        except OverflowError:  # in UTC it would be in the year 0 or 10000
            moment = None
        if moment is None or not EARLIEST <= moment <= where.latest:
            raise Rejected(_("{what} is not between 1970 and tomorrow"), shown(cell))
        return moment

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        if any(map(str.isdigit, cells)):
            return None
        try:
            moments = [_steady(cell, where) if cell else None for cell in cells]
        except (ValueError, OverflowError):
            return None
        known = [moment for moment in moments if moment is not None]
        fine = not known or EARLIEST <= min(known) <= max(known) <= where.latest
        return moments if fine else None


def _steady(cell: str, where: Surroundings) -> datetime:
    """A time whose hour has one offset, in UTC; raises ValueError where it needs a closer look."""
    moment = datetime.fromisoformat(cell)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    offset = where.offset(cell[:13]) if cell[13:14] == ":" else None
    if offset is None:
        raise ValueError
    return (moment - offset if offset else moment).replace(tzinfo=UTC)


def _moment(cell: str, zone: ZoneInfo) -> datetime:
    moment = _unix(cell) if cell.lstrip("-").isdigit() else datetime.fromisoformat(cell)
    return _local(moment, cell, zone) if moment.tzinfo is None else moment.astimezone(UTC)


def _unix(cell: str) -> datetime:
    if len(cell) in _SECONDS:
        return EARLIEST + timedelta(seconds=int(cell))
    if len(cell) in _MILLISECONDS:
        return EARLIEST + timedelta(milliseconds=int(cell))
    return datetime.fromisoformat(cell)


def _local(moment: datetime, cell: str, zone: ZoneInfo) -> datetime:
    if not exists(moment, zone):
        raise Rejected(_("{what} does not exist in {zone}: the clocks skip it"), shown(cell), zone=zone.key)
    return to_utc(moment, zone)
