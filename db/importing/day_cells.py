"""Cells that hold a day, or a number of days."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from db.importing.cells import Rejected, Surroundings, quoted, shown
from language import _

_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?(Z|\+00:00)?$")
_HORIZON = re.compile(r"(\d{1,6})\s*([dw]?)", re.IGNORECASE)
_LONGEST = 36_525  # days: a hundred years


@dataclass(frozen=True)
class Date:
    """A day, YYYY-MM-DD; a time of 00:00 behind it, as programs write one, says nothing."""

    first: date = date.min

    def one(self, cell: str, where: Surroundings) -> date:
        try:
            day = date.fromisoformat(_MIDNIGHT.sub("", cell))
        except ValueError:
            raise Rejected(_("{what} is not a day; write it as 2026-11-15"), quoted(cell)) from None
        if day < self.first:
            raise Rejected(_("{what} is before {first}"), shown(cell), first=self.first)
        return day

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        try:
            found = {cell: datetime.strptime(cell, "%Y-%m-%d").date() for cell in set(cells) if cell}  # noqa: DTZ007
        except ValueError:
            return None
        fine = all(day >= self.first for day in found.values()) and all(
            len(cell) == 10 for cell in found
        )  # 2026-1-5 needs a closer look
        return [found.get(cell) for cell in cells] if fine else None


@dataclass(frozen=True)
class Horizon:
    """A number of days: 5, 5d, or 2w for weeks."""

    def one(self, cell: str, where: Surroundings) -> int:
        found = _HORIZON.fullmatch(cell)
        days = int(found[1]) * (7 if found[2] in ("w", "W") else 1) if found and cell.isascii() else -1
        if not 0 <= days <= _LONGEST:
            raise Rejected(_("{what} is not a horizon; write it as 5, 5d or 2w"), quoted(cell))
        return days

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        try:
            found = {cell: self.one(cell, where) for cell in set(cells) if cell}
        except Rejected:
            return None
        return [found.get(cell) for cell in cells]
