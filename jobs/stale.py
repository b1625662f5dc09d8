"""Which (day, key) pairs of a source table are stale, and the chunk of them that a transaction works on.

Triggers leave a mark for each pair whose rows came, went or moved. A chunk's marks are read before its rows and
taken off with its result: a mark that comes in between stays, and so does what it stands for.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Table,
    and_,
    bindparam,
    cast,
    delete,
    insert,
    select,
    tuple_,
)
from sqlalchemy.schema import CreateTable

from db.base import Day, Id
from db.clock import week_start
from db.tables.operations import StaleMark

CHUNK_PAIRS, CHUNK_DAYS = 500, 31


class Pair(NamedTuple):
    """A day and the id of a model: what is stale, and what is computed, one by one."""

    day: date
    key: int


_scratch = MetaData()
chunk = Table(
    "chunk_pairs",
    _scratch,
    Column("day", Day, primary_key=True),
    Column("key", Integer, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
    postgresql_on_commit="DELETE ROWS",
)
marks_read = Table(
    "chunk_marks",
    _scratch,
    Column("id", Id, primary_key=True),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_same = and_(StaleMark.day == chunk.c.day, StaleMark.key == cast(chunk.c.key, StaleMark.key.type))
# A range of days beside the pairs: the index answers it, also where statistics are missing.
_among = and_(
    StaleMark.table_name == bindparam("source"), StaleMark.day.between(bindparam("first"), bindparam("last"))
)
_READ_MARKS = insert(marks_read).from_select(["id"], select(StaleMark.id).join(chunk, _same).where(_among))
_TAKE_OFF = delete(StaleMark).where(StaleMark.id.in_(select(marks_read.c.id)), _among)
_of_days = and_(
    StaleMark.table_name.in_(bindparam("sources", expanding=True)),
    StaleMark.day.in_(bindparam("days", expanding=True)),
)
_KEEP_DAYS = insert(marks_read).from_select(["id"], select(StaleMark.id).where(_of_days))
_TAKE_DAYS_OFF = delete(StaleMark).where(StaleMark.id.in_(select(marks_read.c.id)), _of_days)


def of_chunk(key: ColumnElement[Any], day: ColumnElement[Any]) -> ColumnElement[bool]:
    """Rows of the chunk's pairs: said in this way SQLite seeks each, a join it would begin at the larger table."""
    return tuple_(key, day).in_(select(chunk.c.key, chunk.c.day))


def stale_pairs(connection: Connection, source: str) -> Iterator[Pair]:
    """The pairs of a source table whose rows changed since they were computed."""
    marks = select(StaleMark.day, cast(StaleMark.key, Integer)).where(StaleMark.table_name == source)
    yield from (Pair(day, key) for day, key in connection.execute(marks.distinct()))


def chunks(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Neighbouring days with at most so many pairs, so that no transaction keeps others waiting for long."""
    some: list[Pair] = []
    for pair in pairs:
        if some and (len(some) >= CHUNK_PAIRS or (pair.day - some[0].day).days >= CHUNK_DAYS):
            yield some
            some = []
        some.append(pair)
    if some:
        yield some


def load_chunk(connection: Connection, source: str, pairs: list[Pair]) -> None:
    """Puts the pairs, and the ids of their marks as they stand now, into temporary tables."""
    for table in (chunk, marks_read):
        connection.execute(CreateTable(table, if_not_exists=True))
        connection.execute(delete(table))
    connection.execute(insert(chunk), [pair._asdict() for pair in pairs])
    if connection.dialect.name == "postgresql":  # nobody else tells its planner how few the pairs are
        connection.exec_driver_sql(f"ANALYZE {chunk.name}")
    connection.execute(_READ_MARKS, _span(source, pairs))


def take_marks_off(connection: Connection, source: str, pairs: list[Pair]) -> None:
    """Removes the marks that stood when the chunk was loaded."""
    connection.execute(_TAKE_OFF, _span(source, pairs))


def keep_marks(connection: Connection, sources: Iterable[str], days: Iterable[date]) -> int:
    """Puts the ids of the marks of whole days, as they stand now, into the temporary table: a large import leaves
    one for each of its rows. Returns how many there are."""
    connection.execute(CreateTable(marks_read, if_not_exists=True))
    connection.execute(delete(marks_read))
    return connection.execute(_KEEP_DAYS, {"sources": list(sources), "days": list(days)}).rowcount


def take_kept_marks_off(connection: Connection, sources: Iterable[str], days: Iterable[date]) -> None:
    """Removes the marks that stood when they were kept."""
    connection.execute(_TAKE_DAYS_OFF, {"sources": list(sources), "days": list(days)})


def mark_weeks(connection: Connection, table: str, days: Iterable[date]) -> None:
    """Says that figures of these weeks changed, to whatever is computed from them by week.

    Always a new mark: one that stands may just have been read, and be taken off.
    """
    mondays = sorted({week_start(day) for day in days})
    connection.execute(
        insert(StaleMark), [{"table_name": table, "day": monday, "key": ""} for monday in mondays]
    )


def week_marks(connection: Connection, table: str, until: date) -> dict[int, date]:
    """The marks of weeks up to a Monday: id → Monday."""
    found = select(StaleMark.id, StaleMark.day).where(StaleMark.table_name == table, StaleMark.day <= until)
    return {row.id: row.day for row in connection.execute(found)}


def take_marks_off_by_id(connection: Connection, marks: Iterable[int]) -> None:
    """Removes the very marks that were read."""
    rows = [{"mark": mark} for mark in marks]
    if rows:
        connection.execute(delete(StaleMark).where(StaleMark.id == bindparam("mark")), rows)


def _span(source: str, pairs: list[Pair]) -> dict[str, Any]:
    return {"source": source, "first": pairs[0].day, "last": pairs[-1].day}
