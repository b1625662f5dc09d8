"""Cells that hold a whole number, which programs often write as 638.0."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.importing.cells import Number, Rejected, Surroundings, quoted
from language import _


@dataclass(frozen=True)
class Whole:
    """A whole number from low to high."""

    low: int
    high: int

    def one(self, cell: str, where: Surroundings) -> int:
        value = Number(self.low, self.high).one(cell, where)
        if not value.is_integer():
            raise Rejected(_("{what} is not a whole number"), quoted(cell))
        return int(value)

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        values = Number(self.low, self.high).all(cells, where)
        if values is None or not all(value is None or value.is_integer() for value in values):
            return None
        return [None if value is None else int(value) for value in values]
