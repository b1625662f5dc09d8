"""Raw batches into clean rows: names resolved, cells parsed column by column, bad rows told apart."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from db.base import sqlite_text
from db.clock import business_day
from db.importing.cells import Rejected, Surroundings, Timestamp
from db.importing.columns import Column, Rule, Spec
from db.importing.json_cells import Json
from db.importing.names import Names
from db.importing.rows import Batch
from language import _

LAST_OF_HOUR = timedelta(hours=1) - timedelta(microseconds=1)


@dataclass(frozen=True)
class Bad:
    """Why a cell cannot be stored, in the place of its value; `kind` is the same for all such cells of its column."""

    reason: str
    kind: str


@dataclass
class Checked:
    """Clean rows: (line, *values of the spec's columns, day, content hash or None), and what was rejected."""

    present: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    rejects: list[tuple[int, str, Bad, list[str]]] = field(default_factory=list)  # line, column, why, cells


class Checker:
    """Reads batches as rows of a spec."""

    def __init__(self, spec: Spec, where: Surroundings, names: Names, dialect: str) -> None:
        self._spec, self._where, self._names, self._dialect = spec, where, names, dialect
        self._days_of_hours: dict[str | int, date] = {}  # an hour as text or by its number
        self.odd = Counter[str]()  # rows that are stored although they break a rule, by what is said of them

    def check(self, batch: Batch) -> Checked:
        """The clean rows of a batch; the reject list is in the order of the file."""
        cells = self._names.resolve(batch)
        present = tuple(
            column.name
            for column in self._spec.columns
            if column.name in cells or (column.nothing is not None and column.name in self._spec.key)
        )
        checked = Checked(present)
        reasons: dict[int, tuple[str, Bad]] = {}
        values = [self._column(column, cells, len(batch.lines), reasons) for column in self._spec.columns]
        for rule in self._spec.rules:
            self._apply(rule, values, reasons)
        hashes = self._hashes(values, len(batch.lines))  # of the columns only: TIMEZONE may change the day
        values += [self._days(values), hashes]
        rows = zip(batch.lines, *values, strict=True)
        if reasons:
            checked.rows = [row for index, row in enumerate(rows) if index not in reasons]
            for index, (column, bad) in reasons.items():
                raw = [cell[index] for cell in batch.cells]
                checked.rejects.append((batch.lines[index], column, bad, raw))
        else:
            checked.rows = list(rows)
        checked.rejects += [(line, "", Bad(reason, reason), raw) for line, reason, raw in batch.broken]
        checked.rejects.sort(key=lambda reject: reject[0])
        return checked

    def end(self) -> None:
        """Raises Refused where what was asked for was in no row."""
        self._names.refuse_absent()

    def _column(
        self, column: Column, cells: Mapping[str, list[str]], n: int, reasons: dict[int, tuple[str, Bad]]
    ) -> list[Any]:
        own = cells.get(column.name)
        if own is None:
            if column.required:
                reason = self._missing(column, cells)
                reasons |= {index: (column.name, reason) for index in range(n) if index not in reasons}
            return [self._stored(column, column.nothing)] * n
        own = list(map(str.strip, own))
        if not (column.required and "" in own):
            values = column.kind.all(own, self._where)
            if values is not None:
                if column.nothing is not None:
                    return [column.nothing if value is None else value for value in values]
                return self._moments(values) if isinstance(column.kind, Timestamp) else values
        parsed = {cell: self._value(column, cell, cells) for cell in set(own)}
        values = [parsed[cell] for cell in own]
        for index, value in enumerate(values):
            if isinstance(value, Bad):
                reasons.setdefault(index, (column.name, value))
        return values

    def _moments(self, moments: list[datetime | None]) -> list[Any]:
        """UTC moments as the engine takes them."""
        if self._dialect != "sqlite":
            return moments
        return [
            moment and str(moment)[:-6] for moment in moments
        ]  # without "+00:00": sqlite_text, but faster

    def _value(self, column: Column, cell: str, cells: Mapping[str, list[str]]) -> Any:
        if not cell:
            return self._missing(column, cells) if column.required else self._stored(column, column.nothing)
        try:
            value = column.kind.one(cell, self._where)
        except Rejected as rejected:
            return Bad(str(rejected), rejected.about(column.name))
        return self._stored(column, value)

    def _stored(self, column: Column, value: Any) -> Any:
        """A value as the engine takes it."""
        if self._dialect != "sqlite" or value is None:
            return value
        if isinstance(column.kind, Json):
            return json.dumps(value)
        return sqlite_text(value) if isinstance(value, datetime) else value

    def _apply(self, rule: Rule, values: list[list[Any]], reasons: dict[int, tuple[str, Bad]]) -> None:
        """Rejects, or counts, the rows that break a rule."""
        names = [column.name for column in self._spec.columns]
        rows = zip(*(values[names.index(name)] for name in rule.columns), strict=True)
        for index, row in enumerate(rows):
            if index in reasons or None in row or rule.holds(*row):
                continue
            if rule.warns:
                self.odd[rule.told] += 1
            else:
                reasons[index] = (rule.columns[0], Bad(_(rule.told), _(rule.told)))

    def _missing(self, column: Column, cells: Mapping[str, list[str]]) -> Bad:
        if column.absent and column.name in cells:
            return Bad(_(column.absent), _(column.absent))
        similar = [
            other.name
            for other in self._spec.columns
            if other.kind == column.kind and other is not column and any(cells.get(other.name, ()))
        ]
        told = self._names.missing(column, similar, in_file=column.name in cells)
        return Bad(told, told)

    def _days(self, values: list[list[Any]]) -> list[Any]:
        """The business day of each row; hour by hour, since nearly every hour lies in one day."""
        names = [column.name for column in self._spec.columns]
        if self._spec.day_of is None:
            return [None] * len(values[0])
        moments = values[names.index(self._spec.day_of)]
        if self._dialect != "sqlite":
            return [self._day(at) if isinstance(at, datetime) else None for at in moments]
        return [None if at is None or isinstance(at, Bad) else self._day_of_text(at) for at in moments]

    def _day_of_text(self, text: str) -> str:
        day = self._days_of_hours.get(text[:13])
        if day is None:
            at = datetime.fromisoformat(text + "+00:00")
            day = self._day(at)
            if _hour_number(at) in self._days_of_hours:
                self._days_of_hours[text[:13]] = day
        return day.isoformat()

    def _day(self, at: datetime) -> date:
        known = self._days_of_hours.get(_hour_number(at))
        if known is not None:
            return known
        hour = at.replace(minute=0, second=0, microsecond=0)
        first, last = (business_day(end, self._where.zone) for end in (hour, hour + LAST_OF_HOUR))
        if first == last:
            self._days_of_hours[_hour_number(at)] = first
        return business_day(at, self._where.zone)

    def _hashes(self, values: list[list[Any]], n: int) -> list[Any]:
        """Where the derived key is missing, a hash of the row's content to make it from."""
        if self._spec.derived is None:
            return [None] * n
        names = [column.name for column in self._spec.columns]
        given = values[names.index(self._spec.derived)]
        if all(given):
            return [None] * n
        rows = zip(*map(self._alike, self._spec.columns, values), strict=True)
        return [
            None if own else sha256("\x1f".join(map(str, row)).encode("utf-8", "replace")).hexdigest()[:32]
            for own, row in zip(given, rows, strict=True)
        ]

    def _alike(self, column: Column, values: list[Any]) -> list[Any]:
        """Values that mean the same as equal ones: objects of JSON have their names in no order."""
        if not isinstance(column.kind, Json):
            return values
        loads = json.loads if self._dialect == "sqlite" else (lambda value: value)
        return [
            value if value is None or isinstance(value, Bad) else json.dumps(loads(value), sort_keys=True)
            for value in values
        ]


def _hour_number(at: datetime) -> int:
    return at.toordinal() * 24 + at.hour
