"""One upsert for SQLite and PostgreSQL."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Insert, Select, Table, or_
from sqlalchemy.dialects import postgresql, sqlite


def upsert_select(
    connection: Connection,
    table: Table,
    key: Iterable[str],
    rows: Select[Any],
    touch: Iterable[str] = (),
) -> int:
    """Inserts the rows of a select, updating rows with the same key; returns how many were written.

    The select's columns carry the table's names. A row that is there already with equal values is left alone;
    columns of `touch` (updated_at) are written but do not make a row different.
    """
    key, touch = tuple(key), tuple(touch)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    names = [column.name for column in rows.selected_columns]
    if connection.dialect.name == "sqlite" and not rows._where_criteria:
        rows = rows.where(True)  # type: ignore[arg-type]  # SQLite reads ON as a join's without a WHERE
    insert: Any = dialect.insert(table).from_select(names, rows)
    changed = [name for name in names if name not in key]
    compared = [name for name in changed if name not in touch]
    statement: Insert = insert.on_conflict_do_update(
        index_elements=list(key),
        set_={name: insert.excluded[name] for name in changed},
        where=or_(*(table.c[name].is_distinct_from(insert.excluded[name]) for name in compared)),
    )
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
