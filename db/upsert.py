"""One upsert for SQLite and PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Double, Insert, Select, Table, func, or_
from sqlalchemy.dialects import postgresql, sqlite


def upsert_rows(
    connection: Connection, table: Table, key: Iterable[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Inserts rows, or updates those with the same key; all rows name the same columns."""
    if not rows:
        return
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table)
    values = {name: insert.excluded[name] for name in rows[0] if name not in key}
    connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values), rows)


class UpsertFrom:
    """Inserts the rows of a select, updating rows with the same key.

    The select's columns carry the table's names. A row that is there already with equal values is left alone;
    columns of `touch` (updated_at) are written but do not make a row different, nor do numbers within `rounding`
    of each other, relative: a sum depends on the order in which the database happens to read its rows. Columns
    of `once` are written with a new row only.
    """

    def __init__(
        self,
        table: Table,
        key: Iterable[str],
        rows: Select[Any],
        touch: Iterable[str] = (),
        rounding: float = 0,
        once: Iterable[str] = (),
    ) -> None:
        self._table, self._key, self._touch = table, tuple(key), tuple(touch)
        self._rounding, self._once = rounding, tuple(once)
        # SQLite reads ON as a join's without a WHERE.
        where = rows if rows._where_criteria else rows.where(True)  # type: ignore[arg-type]
        self._statements = {
            "sqlite": self._statement(sqlite, where),
            "postgresql": self._statement(postgresql, rows),
        }

    def run(self, connection: Connection, params: Mapping[str, Any] | None = None) -> int:
        """Writes the rows; returns how many were new or different."""
        statement = self._statements[connection.dialect.name]
        options = {"preserve_rowcount": True}
        return connection.execute(statement, params, execution_options=options).rowcount

    def _statement(self, dialect: ModuleType, rows: Select[Any]) -> Insert:
        names = [column.name for column in rows.selected_columns]
        insert = dialect.insert(self._table).from_select(names, rows)
        changed = [name for name in names if name not in (*self._key, *self._once)]
        compared = [self._table.c[name] for name in changed if name not in self._touch]
        statement: Insert = insert.on_conflict_do_update(
            index_elements=list(self._key),
            set_={name: insert.excluded[name] for name in changed},
            where=or_(*(self._differs(column, insert.excluded[column.name]) for column in compared)),
        )
        return statement

    def _differs(self, old: Column[Any], new: ColumnElement[Any]) -> ColumnElement[bool]:
        if not self._rounding or not isinstance(old.type, Double):
            return old.is_distinct_from(new)
        came_or_went = old.is_(None).is_distinct_from(new.is_(None))
        return or_(came_or_went, func.abs(old - new) > self._rounding * func.abs(old))
