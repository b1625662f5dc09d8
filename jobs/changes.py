"""What a rehearsed job would change: rows added, removed, and changed with old and new value."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping, Table

from language import _, ngettext

TOLD = 1_000  # changes that are listed; all are counted
RELATIVE = 1e-9

Row = RowMapping | dict[str, Any]


@dataclass
class Changes:
    """`named`: for a column of the key, what it is called for people, and the names that its values stand for."""

    named: dict[str, tuple[str, dict[Any, str]]] = field(default_factory=dict)
    added: int = 0
    removed: int = 0
    changed: int = 0
    unchanged: int = 0
    listed: list[dict[str, Any]] = field(default_factory=list)

    def compare(self, table: Table, key: tuple[str, ...], held: Iterable[Row], fresh: Iterable[Row]) -> None:
        """Adds the differences between the rows that there are and the rows that there should be."""
        old = {tuple(row[name] for name in key): row for row in held}
        new = {tuple(row[name] for name in key): row for row in fresh}
        columns = [column.name for column in table.columns if column.name not in (*key, "updated_at")]
        for at in sorted(old.keys() | new.keys()):
            told = dict(self._tell(name, value) for name, value in zip(key, at, strict=True))
            if at not in old:
                self.added += 1
                self._list(told | {"change": "added", "columns": _values(new[at], columns)})
            elif at not in new:
                self.removed += 1
                self._list(told | {"change": "removed", "columns": _values(old[at], columns)})
            else:
                moved = {
                    name: [_plain(old[at][name]), _plain(new[at][name])]
                    for name in columns
                    if not same(old[at][name], new[at][name])
                }
                self.changed += bool(moved)
                self.unchanged += not moved
                if moved:
                    self._list(told | {"change": "changed", "columns": moved})

    def _list(self, change: dict[str, Any]) -> None:
        if len(self.listed) < TOLD:
            self.listed.append(change)

    def _tell(self, column: str, value: Any) -> tuple[str, Any]:
        name, values = self.named.get(column, (column, {}))
        return name, values.get(value, _plain(value))

    def summary(self) -> str:
        told = ngettext("{n} row would be added", "{n} rows would be added", self.added)
        return _("{told}, {changed} changed, {removed} removed").format(
            told=told, changed=f"{self.changed:,}", removed=f"{self.removed:,}"
        )

    def as_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("added", "removed", "changed", "unchanged")}
        more = self.added + self.removed + self.changed - len(self.listed)
        return counts | {"changes": self.listed, "more": more}


def same(old: Any, new: Any) -> bool:
    """Whether two stored values count as equal: numbers to 1e-9 of the old one, as where they are written."""
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) <= RELATIVE * abs(old)
    return bool(old == new)


def _values(row: Any, columns: list[str]) -> dict[str, Any]:
    return {name: _plain(row[name]) for name in columns if row[name] is not None}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | None) else str(value)
