"""What pages ask of job_runs, and how fresh each table is."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from db.queries.frames import frame
from db.tables.models import DailyModelPerformance, ModelEvaluation
from db.tables.operations import JobRun, Restatement, StaleMark

_LISTED = (
    JobRun.id,
    JobRun.job,
    JobRun.status,
    JobRun.trigger,
    JobRun.triggered_by,
    JobRun.queued_at,
    JobRun.started_at,
    JobRun.finished_at,
    JobRun.progress,
    JobRun.message,
    JobRun.rows_read,
    JobRun.rows_written,
    JobRun.error,
    JobRun.cancel_requested,
)


def runs(
    connection: Connection, limit: int = 50, job: str | None = None, rehearsals: bool = True
) -> pd.DataFrame:
    """The newest runs, newest first; slots that another run covers are left out, and where told so dry runs."""
    newest = select(*_LISTED).where(JobRun.status != "covered").order_by(JobRun.id.desc()).limit(limit)
    if not rehearsals:
        newest = newest.where(~JobRun.params["dry_run"].as_boolean().is_(True))
    return frame(connection, newest.where(JobRun.job == job) if job else newest)


def automatic(connection: Connection, now: datetime, limit: int = 6) -> pd.DataFrame:
    """What the schedule ran in the last seven days and changed something by, newest first."""
    changed = select(*_LISTED).where(
        JobRun.trigger.in_(("schedule", "catch-up")),
        JobRun.status == "succeeded",
        JobRun.rows_written > 0,
        JobRun.finished_at > now - timedelta(days=7),
    )
    return frame(connection, changed.order_by(JobRun.id.desc()).limit(limit))


def run(connection: Connection, run_id: int) -> dict[str, Any] | None:
    """Everything about one run."""
    row = connection.execute(select(JobRun).where(JobRun.id == run_id)).mappings().one_or_none()
    return dict(row) if row else None


def active_runs(connection: Connection) -> list[dict[str, Any]]:
    """Runs that wait or run, oldest first."""
    active = select(*_LISTED).where(JobRun.status.in_(("queued", "running"))).order_by(JobRun.id)
    return [dict(row) for row in connection.execute(active).mappings()]


def is_active(connection: Connection, run_id: int) -> bool:
    """Whether a run still waits or works."""
    active = select(JobRun.id).where(JobRun.id == run_id, JobRun.status.in_(("queued", "running")))
    return connection.scalar(active) is not None


def newest_mark(connection: Connection) -> int:
    """A number that moves when rows of a source come, also by plain SQL; changes of rows that are stale already,
    which SQLite does not mark again, leave it."""
    mark, row = select(func.max(StaleMark.id)), select(func.max(ModelEvaluation.id))
    return (connection.scalar(mark) or 0) + (connection.scalar(row) or 0)


def newest_run(connection: Connection) -> tuple[int, int]:
    """A value that differs when any run came or ended: the newest id, and how many have ended."""
    ended = func.count(JobRun.finished_at)
    row = connection.execute(select(func.coalesce(func.max(JobRun.id), 0), ended)).one()
    return row[0], row[1]


def freshness(connection: Connection, newest_mark: int) -> pd.DataFrame:
    """Per table: rows, oldest and newest day, when it changed last, days that wait for aggregation.

    `newest_mark` is there for the cache: plain SQL changes a source without raising the data version.
    """
    e, d = ModelEvaluation, DailyModelPerformance
    stale = select(func.count(StaleMark.day.distinct())).where(StaleMark.table_name == e.__tablename__)
    known = select(func.count()).select_from(e)
    changed = func.max(d.updated_at, type_=d.updated_at.type)
    oldest, newest = connection.scalar(select(func.min(e.day))), connection.scalar(select(func.max(e.day)))
    count, first, last, at = connection.execute(
        select(func.count(), func.min(d.date), func.max(d.date), changed)
    ).one()
    rows = [
        (e.__tablename__, connection.scalar(known), oldest, newest, None, connection.scalar(stale)),
        (d.__tablename__, count, first, last, at, None),
    ]
    return pd.DataFrame(rows, columns=["table", "rows", "oldest", "newest", "changed_at", "stale_days"])


def storage(connection: Connection) -> dict[str, Any]:
    """What the database takes on the disk (engine, bytes, log_bytes) and the rows of the tables that grow by work."""
    counted = (JobRun, StaleMark, Restatement)
    rows = {one.__tablename__: connection.scalar(select(func.count()).select_from(one)) for one in counted}
    if connection.dialect.name == "postgresql":
        size = connection.scalar(select(func.pg_database_size(func.current_database())))
        return {"engine": "PostgreSQL", "bytes": size, "log_bytes": 0, "rows": rows}
    file = Path(connection.engine.url.database or "")
    size, log = (path.stat().st_size if path.exists() else 0 for path in (file, Path(f"{file}-wal")))
    return {"engine": "SQLite", "bytes": size, "log_bytes": log, "rows": rows}
