"""Brings the rows of a table to what they should be, touching only those that differ."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, bindparam, delete, select

from db.upsert import upsert_rows
from jobs.changes import same

Row = Mapping[str, Any]


def bring_up_to_date(
    connection: Connection, table: Table, key: tuple[str, ...], held: Select[Any], fresh: Iterable[Row]
) -> int:
    """Writes the fresh rows over those of the select `held`, and removes what is in no fresh row; returns how many
    rows changed. All fresh rows name the same columns; a new `updated_at` alone is no change."""
    old = {tuple(row[name] for name in key): row for row in connection.execute(held).mappings()}
    differing = []
    for row in fresh:
        there = old.pop(tuple(row[name] for name in key), None)
        if there is None or not all(same(there[name], row[name]) for name in row if name != "updated_at"):
            differing.append(row)
    upsert_rows(connection, table, key, differing)
    if old:
        gone = and_(*(table.c[name] == bindparam(f"gone_{name}") for name in key))
        rows = [dict(zip((f"gone_{name}" for name in key), at, strict=True)) for at in old]
        connection.execute(delete(table).where(gone), rows)
    return len(differing) + len(old)


def between(table: Table, column: str, days: Iterable[Any]) -> Select[Any]:
    """The rows of a table whose column is one of these days."""
    return select(table).where(table.c[column].in_(list(days)))
