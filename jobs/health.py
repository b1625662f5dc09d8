"""How the jobs are: last run, next slot, what is overdue or failed, whether a worker is there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select

from db.engine import reading
from db.facts import LOOP_SEEN, SCHEDULE_SINCE, fact
from db.tables.operations import JobRun
from jobs.paused import paused_since
from jobs.recorded_slots import latest_slot
from jobs.slots import Entry
from jobs.timetable import timetable
from settings import Settings

GRACE = timedelta(minutes=15)
LOOP_GONE = timedelta(seconds=60)
_WORKED = ("succeeded", "failed", "lost", "cancelled")


@dataclass(frozen=True)
class JobHealth:
    """One job: its newest ended run, the next slot, since when it is overdue, and since when it is paused.

    A paused job has no next slot and is never overdue.
    """

    name: str
    title: str
    rhythm: str
    last: Any | None
    next_slot: datetime | None
    overdue_since: datetime | None
    paused_since: datetime | None = None

    @property
    def failed(self) -> bool:
        return self.last is not None and self.last.status in ("failed", "lost")


@dataclass(frozen=True)
class Health:
    jobs: tuple[JobHealth, ...]
    worker_seen: datetime | None
    now: datetime

    @property
    def worker_is_there(self) -> bool:
        return self.worker_seen is not None and abs(self.now - self.worker_seen) < LOOP_GONE


def health(engine: Engine, settings: Settings, now: datetime) -> Health:
    """How every job of the timetable is now."""
    with reading(engine) as connection:
        jobs = tuple(_job_health(connection, entry, settings, now) for entry in timetable(settings))
        seen = fact(connection, LOOP_SEEN)
    return Health(jobs, datetime.fromisoformat(seen) if seen else None, now)


def _job_health(connection: Connection, entry: Entry, settings: Settings, now: datetime) -> JobHealth:
    name = entry.job.name
    ended = (
        select(JobRun.id, JobRun.status, JobRun.finished_at, JobRun.message, JobRun.error)
        .where(JobRun.job == name, JobRun.status.in_(_WORKED), ~_rehearsal())
        .order_by(JobRun.id.desc())
        .limit(1)
    )
    paused = paused_since(connection, name)
    return JobHealth(
        name,
        entry.job.title,
        entry.told(),
        connection.execute(ended).one_or_none(),
        None if paused else entry.next_slot(now, settings.zone),
        None if paused else _overdue_since(connection, entry, settings, now),
        paused,
    )


def _overdue_since(
    connection: Connection, entry: Entry, settings: Settings, now: datetime
) -> datetime | None:
    """The first slot that nobody queued in time, or the queued one that waits for a worker in vain."""
    name = entry.job.name
    since = latest_slot(connection, name, now)
    if since is None:
        first_seen = fact(connection, f"{SCHEDULE_SINCE}:{name}")
        since = datetime.fromisoformat(first_seen) if first_seen else now
    missed = next(entry.slots(since, now - GRACE, settings.zone), None)
    return missed or _waits_since(connection, name, now)


def _rehearsal() -> Any:
    return JobRun.params["dry_run"].as_boolean().is_(True)


def _waits_since(connection: Connection, name: str, now: datetime) -> datetime | None:
    """Since when a scheduled run has waited in vain for a worker."""
    waiting = select(JobRun.scheduled_for).where(
        JobRun.job == name, JobRun.status == "queued", JobRun.scheduled_for <= now - GRACE
    )
    return connection.scalar(waiting.order_by(JobRun.scheduled_for).limit(1))
