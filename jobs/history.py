"""job_runs is kept bounded: runs that ended long ago go, once a day."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, String, cast, delete, func, literal, select

from db.clock import business_day
from db.facts import HISTORY_TRIMMED, MARKED, fact, state_fact
from db.tables.operations import AppFact, JobRun
from jobs.queue import FINISHED

KEPT_FOR, KEPT_RUNS = timedelta(days=90), 10_000


def trim_daily(connection: Connection, now: datetime, zone: ZoneInfo) -> int:
    """Removes runs that ended over 90 days ago and are not among the newest 10,000; returns how many.

    The newest slot of each job stays: the schedule counts from it.
    """
    today = business_day(now, zone).isoformat()
    if fact(connection, HISTORY_TRIMMED) == today:
        return 0
    state_fact(connection, HISTORY_TRIMMED, today)
    _forget_marked(connection)
    newest = connection.scalar(select(func.max(JobRun.id))) or 0
    slots = select(JobRun.job, func.max(JobRun.scheduled_for).label("at")).group_by(JobRun.job).subquery()
    counted_from = select(JobRun.id).join(
        slots, (slots.c.job == JobRun.job) & (slots.c.at == JobRun.scheduled_for)
    )
    old = delete(JobRun).where(
        JobRun.status.in_(FINISHED),
        JobRun.finished_at < now - KEPT_FOR,
        JobRun.id <= newest - KEPT_RUNS,
        JobRun.id.not_in(counted_from),
    )
    return connection.execute(old).rowcount


def _forget_marked(connection: Connection) -> None:
    """Takes away the notes by which runs that have ended knew what they had marked."""
    under_way = select(literal(f"{MARKED}:").concat(cast(JobRun.id, String))).where(
        JobRun.status.not_in(FINISHED)
    )
    notes = AppFact.name.startswith(f"{MARKED}:")
    connection.execute(delete(AppFact).where(notes, AppFact.name.not_in(under_way)))
