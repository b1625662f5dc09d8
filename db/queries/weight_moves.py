"""Which weights were moved in some days, by how much."""

from datetime import date, datetime

import pandas as pd
from sqlalchemy import Connection, func, select

from db.queries.frames import frame
from db.tables.forecasts import EnsembleWeightHistory
from db.tables.operations import BusinessDay, JobRun

h = EnsembleWeightHistory


def between(connection: Connection, since: date, until: date) -> pd.DataFrame:
    """Every changed weight, the largest change first: code, horizon, model, before, after, action, run_id, size."""
    size = func.abs(func.coalesce(h.after, 0) - func.coalesce(h.before, 0)).label("size")
    inside = (h.decided_at >= BusinessDay.starts_at) & (h.decided_at < BusinessDay.ends_at)
    rows = (
        select(h.code, h.horizon, h.model, h.before, h.after, h.action, h.run_id, size)
        .join(BusinessDay, inside)
        .where(BusinessDay.day.between(since, until), h.before.is_distinct_from(h.after))
    )
    found = frame(connection, rows.order_by(size.desc(), h.code, h.horizon, h.model))
    return found.astype({"before": float, "after": float})  # all missing, as in the first week, they are None


def by_schedule(connection: Connection, since: datetime, until: datetime) -> int:
    """How many weights the schedule changed in this time."""
    rows = (
        select(func.count())
        .select_from(h)
        .join(JobRun, JobRun.id == h.run_id)
        .where(h.decided_at.between(since, until), h.before.is_distinct_from(h.after))
        .where(JobRun.trigger.in_(("schedule", "catch-up")))
    )
    return connection.scalar(rows) or 0
