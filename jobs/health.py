"""How the jobs are: last run, next slot, what is overdue or failed, whether a worker is there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, select

from db.engine import reading
from db.facts import LOOP_SEEN, PAUSED, SCHEDULE_SINCE, facts
from db.tables.operations import JobRun
from jobs.claims import held_up
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


@dataclass(frozen=True)
class _Records:
    """What the database says of all jobs, by name: facts, newest ended run, newest slot, longest waiting slot."""

    facts: dict[str, str]
    ended: dict[str, Any]
    slots: dict[str, datetime]
    waiting: dict[str, datetime]

    def moment(self, name: str) -> datetime | None:
        found = self.facts.get(name)
        return datetime.fromisoformat(found) if found else None


def health(engine: Engine, settings: Settings, now: datetime) -> Health:
    """How every job of the timetable is now."""
    with reading(engine) as connection:
        records = _records(connection, now)
    jobs = tuple(_job_health(records, entry, settings, now) for entry in timetable(settings))
    return Health(jobs, records.moment(LOOP_SEEN), now)


def _records(connection: Connection, now: datetime) -> _Records:
    worked = JobRun.status.in_(_WORKED) & ~JobRun.params["dry_run"].as_boolean().is_(True)
    newest = select(func.max(JobRun.id)).where(worked).group_by(JobRun.job)
    ended = select(JobRun.job, JobRun.id, JobRun.status, JobRun.finished_at, JobRun.message, JobRun.error)
    slot = JobRun.scheduled_for
    slots = select(JobRun.job, func.max(slot, type_=slot.type)).where(slot <= now)
    waiting = select(JobRun.job, func.min(slot, type_=slot.type)).where(
        JobRun.status == "queued", slot <= now - GRACE, ~held_up()
    )
    return _Records(
        facts(connection),
        {row.job: row for row in connection.execute(ended.where(JobRun.id.in_(newest)))},
        _by_job(connection, slots),
        _by_job(connection, waiting),
    )


def _by_job(connection: Connection, moments: Select[*tuple[Any, ...]]) -> dict[str, datetime]:
    return {job: at for job, at in connection.execute(moments.group_by(JobRun.job)) if at is not None}


def _job_health(records: _Records, entry: Entry, settings: Settings, now: datetime) -> JobHealth:
    name = entry.job.name
    paused = records.moment(f"{PAUSED}:{name}")
    return JobHealth(
        name,
        entry.job.title,
        entry.told(),
        records.ended.get(name),
        None if paused else entry.next_slot(now, settings.zone),
        None if paused else _overdue_since(records, entry, settings, now),
        paused,
    )


def _overdue_since(records: _Records, entry: Entry, settings: Settings, now: datetime) -> datetime | None:
    """The first slot that nobody queued in time, or the queued one that waits for a worker in vain."""
    name = entry.job.name
    since = records.slots.get(name) or records.moment(f"{SCHEDULE_SINCE}:{name}") or now
    missed = next(entry.slots(since, now - GRACE, settings.zone), None)
    return missed or records.waiting.get(name)
