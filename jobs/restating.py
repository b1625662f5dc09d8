"""Figures that change long after they were complete: each is kept, old beside new, in `restatements`.

A row of daily figures is settled when its day is over, all of its predictions are evaluated, and no figure of it
has moved for `SETTLED_AFTER`. What a chunk held of settled rows is laid aside before the chunk is refreshed, and
compared with what it holds afterwards: by the database, in the same transaction.
"""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Connection,
    Double,
    String,
    Table,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.schema import CreateTable

from db.base import Day, Timestamp
from db.statistics import day_text
from db.tables.models import DailyModelPerformance
from db.tables.operations import Restatement
from jobs.changes import RELATIVE
from jobs.stale import chunk, of_chunk

SETTLED_AFTER = timedelta(days=7)

daily: Table = DailyModelPerformance.__table__  # type: ignore[assignment]
before = Table(
    "chunk_before",
    chunk.metadata,
    *(Column(column.name, column.type, primary_key=column.primary_key) for column in daily.columns),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_FIGURES = [c.name for c in daily.columns if not c.primary_key and c.name != "updated_at"]
_settled = select(daily).where(
    of_chunk(daily.c.model_id, daily.c.date),
    daily.c.evaluated_count == daily.c.total_predictions,
    daily.c.date < bindparam("today", type_=Day),
    daily.c.updated_at < bindparam("since", type_=Timestamp),
)
_ANY = _settled.with_only_columns(literal(1)).limit(1)
_LAY_ASIDE = insert(before).from_select([column.name for column in daily.columns], _settled)


def lay_settled_aside(connection: Connection, now: datetime, today: date) -> bool:
    """Keeps what the chunk's settled rows hold; False where there are none, as on most days."""
    then = {"today": today, "since": now - SETTLED_AFTER}
    if connection.scalar(_ANY, then) is None:
        return False
    connection.execute(CreateTable(before, if_not_exists=True))
    connection.execute(delete(before))
    connection.execute(_LAY_ASIDE, then)
    if (
        connection.dialect.name == "postgresql"
    ):  # as for the chunk: its planner would scan all rows for these few
        connection.exec_driver_sql(f"ANALYZE {before.name}")
    return True


def record_restated(connection: Connection, now: datetime, run_id: int | None) -> int:
    """Notes each figure of the rows laid aside that is another now, or gone; returns how many."""
    values = {"now": now, "run": run_id}
    return connection.execute(_RECORD, values, execution_options={"preserve_rowcount": True}).rowcount


def _moved() -> CTE:
    """The rows laid aside that are written anew or gone: old figures by name, new ones as new_…."""
    columns = [*before.columns, *(daily.c[name].label(f"new_{name}") for name in _FIGURES)]
    same_key = and_(before.c.model_id == daily.c.model_id, before.c.date == daily.c.date)
    touched = or_(daily.c.date.is_(None), daily.c.updated_at != before.c.updated_at)
    return select(*columns).outerjoin_from(before, daily, same_key).where(touched).cte("moved")


def _record() -> Any:
    moved = _moved()
    key = cast(moved.c.model_id, String).concat("/").concat(day_text(moved.c.date))
    told = [
        select(
            literal_column(f"'{daily.name}'"),
            key,
            literal_column(f"'{name}'"),
            cast(moved.c[name], Double),
            cast(moved.c[f"new_{name}"], Double),
            bindparam("run", type_=Restatement.run.type),
            bindparam("now", type_=Timestamp),
        ).where(_differs(moved.c[name], moved.c[f"new_{name}"]))
        for name in _FIGURES
    ]
    return insert(Restatement).from_select(
        ["table_name", "key", "column", "old", "new", "run", "at"], union_all(*told)
    )


def _differs(old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[bool]:
    came_or_went = old.is_(None).is_distinct_from(new.is_(None))
    return or_(came_or_went, func.abs(old - new) > RELATIVE * func.abs(old))


# Built once: to build it takes as long as a small day's rows.
_RECORD = _record()
