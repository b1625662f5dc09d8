"""What pages ask of job_runs, and how fresh each table is."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from db.queries.frames import frame
from db.tables.agents import ModelEvolution, SystemMetric, TradeRecord
from db.tables.forecasts import DailyForecast, Prediction, PredictionOutcome, PriceBar
from db.tables.models import DailyModelPerformance, ModelEvaluation
from db.tables.operations import JobRun, Restatement, StaleMark
from db.tables.quality import ConversationEvaluation, DailyAiQuality, FeedbackLog
from db.tables.usage import DailyLlmUsage, LlmUsage

SOURCES: tuple[Any, ...] = (
    *(ModelEvaluation, ConversationEvaluation, FeedbackLog),
    *(PriceBar, Prediction, PredictionOutcome),
    *(TradeRecord, LlmUsage, ModelEvolution),
)
AGGREGATED: tuple[Any, ...] = (
    *(DailyModelPerformance, DailyAiQuality, DailyForecast),
    *(SystemMetric, DailyLlmUsage),
)

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


def scheduled_work(connection: Connection, since: datetime, until: datetime) -> tuple[int, int]:
    """How many runs of the schedule changed something in this time, and how many rows."""
    rows = select(func.count(), func.coalesce(func.sum(JobRun.rows_written), 0)).where(
        JobRun.trigger.in_(("schedule", "catch-up")),
        JobRun.status == "succeeded",
        JobRun.rows_written > 0,
        JobRun.finished_at.between(since, until),
    )
    runs, written = connection.execute(rows).one()
    return runs, int(written or 0)


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
    marks = (StaleMark, *SOURCES)
    return sum(connection.scalar(select(func.max(table.id))) or 0 for table in marks)


def newest_run(connection: Connection) -> tuple[int, int]:
    """A value that differs when any run came or ended: the newest id, and how many have ended."""
    ended = func.count(JobRun.finished_at)
    row = connection.execute(select(func.coalesce(func.max(JobRun.id), 0), ended)).one()
    return row[0], row[1]


def freshness(connection: Connection, newest_mark: int) -> pd.DataFrame:
    """Per table: rows, oldest and newest day, when it changed last, days that wait for aggregation.

    `newest_mark` is there for the cache: plain SQL changes a source without raising the data version.
    """
    rows = [_of_source(connection, table) for table in SOURCES]
    rows += [_of_aggregated(connection, table) for table in AGGREGATED]
    return pd.DataFrame(rows, columns=["table", "rows", "oldest", "newest", "changed_at", "stale_days"])


def _of_source(connection: Connection, table: Any) -> tuple[Any, ...]:
    name = table.__tablename__
    stale = select(func.count(StaleMark.day.distinct())).where(StaleMark.table_name == name)
    rows = connection.scalar(select(func.count()).select_from(table))
    # Each end by itself comes from the index; both in one statement read all of it.
    oldest, newest = (connection.scalar(select(end(_day(table)))) for end in (func.min, func.max))
    return name, rows, oldest, newest, None, connection.scalar(stale)


def _day(table: Any) -> Any:
    return table.date if table is PriceBar else table.day


def _of_aggregated(connection: Connection, table: Any) -> tuple[Any, ...]:
    changed = func.max(table.updated_at, type_=table.__table__.c.updated_at.type)
    row = select(func.count(), func.min(table.date), func.max(table.date), changed)
    return table.__tablename__, *connection.execute(row).one(), None


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
