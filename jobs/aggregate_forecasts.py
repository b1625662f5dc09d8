"""prediction_outcomes → daily_forecasts (docs/metrics.md): hits, directions and errors of a day, model and horizon.

Days whose outcomes changed are computed again, a month in a transaction.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Engine,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    select,
)

from db.base import Timestamp
from db.engine import reading, scratch, writing
from db.statistics import true_count
from db.tables.forecasts import DailyForecast, PredictionOutcome
from db.tables.operations import StaleMark
from db.upsert import UpsertFrom
from jobs.changes import Changes
from jobs.day_outcome import outcome_of_days
from jobs.job import DayParameters, Job, Outcome, Run
from jobs.stale import keep_marks, mark_weeks, take_kept_marks_off
from language import N_

SOURCE = PredictionOutcome.__tablename__
KEY = ("date", "model", "horizon")
CHUNK_DAYS = 31

daily: Table = DailyForecast.__table__  # type: ignore[assignment]
o = PredictionOutcome
_days: BindParameter[Any] = bindparam("days", expanding=True)


def _figures() -> Select[Any]:
    columns: dict[str, Any] = {
        "date": o.day,
        "model": o.model,
        "horizon": o.horizon,
        "sample_count": func.count(),
        "hit_count": true_count(o.direction_hit),
        "direction_count": func.count(o.direction_hit),
        "closer_count": true_count(o.abs_error < func.abs(o.actual_value - o.base_value)),
        "based_count": func.count(o.base_value),
        "updated_at": bindparam("now", type_=Timestamp),
    }
    rows = select(*(column.label(name) for name, column in columns.items()))
    return rows.where(o.day.in_(_days)).group_by(o.day, o.model, o.horizon)


FIGURES = _figures()
WRITE = UpsertFrom(daily, KEY, FIGURES, touch=("updated_at",))
behind = exists().where(o.day == daily.c.date, o.model == daily.c.model, o.horizon == daily.c.horizon)
TAKE_OUT = delete(daily).where(daily.c.date.in_(_days), ~behind)


def aggregate_forecasts(engine: Engine, params: DayParameters, run: Run) -> Outcome:
    """Computes the asked days, or all that is stale and yesterday; one transaction a month of days."""
    with reading(engine) as connection:
        days = _wanted(connection, params, run.today)
    read = written = 0
    changes = Changes() if params.dry_run else None
    for start in range(0, len(days), CHUNK_DAYS):
        some = days[start : start + CHUNK_DAYS]
        run.progress(start / len(days), f"{some[0]} – {some[-1]}")
        with scratch(engine) if changes else writing(engine) as connection:
            if changes:
                _compare(connection, changes, some, run)
            else:
                written += _refresh(connection, some, run)
            read += connection.scalar(select(func.count()).where(o.day.in_(some))) or 0
    return outcome_of_days(days, read, written, changes)


JOB = Job("aggregate_forecasts", N_("Aggregate forecasts"), aggregate_forecasts, DayParameters)


def _wanted(connection: Connection, params: DayParameters, today: date) -> list[date]:
    """The days to compute, in order."""
    asked = params.days(today)
    if asked is None:
        marks = select(StaleMark.day).where(StaleMark.table_name == SOURCE).distinct()
        return sorted({*connection.scalars(marks), today - timedelta(days=1)})
    found = set[date]()
    for day in (o.day, daily.c.date):
        found.update(connection.scalars(select(day).where(day.between(*asked)).distinct()))
    return sorted(found)


def _refresh(connection: Connection, days: list[date], run: Run) -> int:
    """Brings the days up to date and takes their marks off: those that stood before they were read."""
    keep_marks(connection, (SOURCE,), days)
    written = WRITE.run(connection, {"days": days, "now": run.now})
    written += connection.execute(TAKE_OUT, {"days": days}).rowcount
    if written:
        mark_weeks(connection, daily.name, days)
    take_kept_marks_off(connection, (SOURCE,), days)
    return written


def _compare(connection: Connection, changes: Changes, days: list[date], run: Run) -> None:
    there = connection.execute(select(daily).where(daily.c.date.in_(days))).mappings().all()
    fresh = connection.execute(FIGURES, {"days": days, "now": run.now}).mappings().all()
    changes.compare(daily, KEY, there, fresh)
