"""Rows that point at rows which are gone: plain SQL on SQLite leaves them where foreign keys are off."""

from collections.abc import Iterator

from sqlalchemy import Connection, ForeignKey, Table, func, inspect, select

from db.tables import metadata
from language import _, ngettext

_TOLD = 5  # ids that are named


def orphans(connection: Connection) -> Iterator[str]:
    """A line for each table with such rows: how many, which rows they miss, and what to do. None on PostgreSQL."""
    if connection.dialect.name != "sqlite":
        return
    there = set(inspect(connection).get_table_names())
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            if {table.name, key.column.table.name} <= there:
                yield from _told(connection, table, key)


def _told(connection: Connection, table: Table, key: ForeignKey) -> Iterator[str]:
    missing = (
        select(key.parent, func.count())
        .where(key.parent.is_not(None), ~select(key.column).where(key.column == key.parent).exists())
        .group_by(key.parent)
        .order_by(key.parent)
    )
    found = [(value, n) for value, n in connection.execute(missing)]
    if not found:
        return
    ids = ", ".join(str(value) for value, _rows in found[:_TOLD])
    if more := len(found[_TOLD:]):
        ids += " " + ngettext("… and {n} more", "… and {n} more", more)
    parent = key.column.table.name
    yield _(
        "{rows} of {table} without their row of {parent} (id {ids}). Put it back (INSERT INTO {parent} (id, name) "
        "VALUES (…)), or take them out: DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM {parent}); "
        "then run: python -m jobs run aggregate_models"
    ).format(
        rows=ngettext("{n} row", "{n} rows", sum(n for _value, n in found)),
        table=table.name,
        parent=parent,
        ids=ids,
        column=key.parent.name,
    )
