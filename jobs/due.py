"""Which slots of a job are due, and what becomes of them: queued, covered by another run, skipped in a pause."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from db.facts import SCHEDULE_SINCE, fact, state_fact
from jobs import queue
from jobs.paused import paused_since
from jobs.recorded_slots import forget_slots, latest_slot
from jobs.slots import Entry

LATE = timedelta(minutes=5)  # a slot that is queued later than this is a catch-up
CLOCK_MAY_BE_WRONG = timedelta(days=1)  # a clock set back by less than that runs no slot twice


def queue_due(connection: Connection, entry: Entry, now: datetime, zone: ZoneInfo) -> None:
    """Queues one run for all slots since the last one on record, and records the others as covered by it.

    The slots of a job count from the first tick that ever saw it: nothing is caught up on first install. While
    a job is paused its slots are recorded as skipped, so that nothing is caught up after the pause either.
    The caller holds the job's name (queue.one_at_a_time).
    """
    slots = _slots(connection, entry, now, zone)
    if not slots:
        return
    if paused_since(connection, entry.job.name):
        _record(connection, entry, slots, now, {"skipped": "paused"})
        return
    newest, params = slots.pop(), entry.job.read({})
    late = bool(slots) or now - newest > LATE
    run_id = queue.insert_run(
        connection,
        entry.job,
        params,
        status="queued",
        trigger="catch-up" if late else "schedule",
        by="",
        now=now,
        scheduled_for=newest,
    )
    if run_id is None:  # the same run waits already, or another loop was faster: it covers this slot too
        run_id = queue.waiting_run(connection, entry.job.name, params)
        slots.append(newest)
    _record(connection, entry, slots, now, {"covered_by": run_id})


def _slots(connection: Connection, entry: Entry, now: datetime, zone: ZoneInfo) -> list[datetime]:
    """The slots since the last one on record, oldest first."""
    job, name = entry.job.name, f"{SCHEDULE_SINCE}:{entry.job.name}"
    forget_slots(connection, job, later_than=now + CLOCK_MAY_BE_WRONG)
    since = latest_slot(connection, job, now)
    if since is None:
        known = fact(connection, name)
        since = now.fromisoformat(known) if known else None
        if since is None or since > now:
            state_fact(connection, name, now.isoformat())
            return []
    slots = list(entry.slots(since, now, zone))
    # Of hours that nobody was there for only the newest is told: a year of them would be 8,760 rows.
    return slots[-1:] if entry.hourly else slots


def _record(
    connection: Connection, entry: Entry, slots: list[datetime], now: datetime, why: dict[str, object]
) -> None:
    """Slots without a run of their own."""
    for slot in slots:
        queue.insert_run(
            connection,
            entry.job,
            entry.job.read({}),
            status="covered",
            trigger="schedule",
            by="",
            now=now,
            scheduled_for=slot,
            result=why,
        )
