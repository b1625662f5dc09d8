"""Pausing a job and resuming it, as people ask for it."""

from datetime import datetime

from sqlalchemy import Engine

from db.engine import bookkeeping
from jobs import queue
from jobs.due import queue_due
from jobs.paused import paused_since, set_paused
from jobs.timetable import job_named, timetable
from language import _
from settings import Settings


def pause(engine: Engine, settings: Settings, name: str, now: datetime) -> str:
    """From now on the schedule queues nothing for the job; returns what was done. Raises Refused.

    What is due until now is still queued, and what waits already still runs.
    """
    job = job_named(name)
    with bookkeeping(engine) as connection:
        queue.one_at_a_time(connection, job.name)
        if paused_since(connection, job.name):
            return _("{job} was paused already.").format(job=name)
        for entry in (entry for entry in timetable(settings) if entry.job.name == job.name):
            queue_due(connection, entry, now, settings.zone)
        set_paused(connection, job.name, now)
    return _("{job} is paused: the schedule leaves it alone, what you ask for still runs.").format(job=name)


def resume(engine: Engine, settings: Settings, name: str, now: datetime) -> str:
    """Gives the job back to the schedule; its slots in the pause are recorded as skipped. Raises Refused."""
    job = job_named(name)
    with bookkeeping(engine) as connection:
        queue.one_at_a_time(connection, job.name)
        if not paused_since(connection, job.name):
            return _("{job} was not paused.").format(job=name)
        for entry in (entry for entry in timetable(settings) if entry.job.name == job.name):
            queue_due(connection, entry, now, settings.zone)
        set_paused(connection, job.name, None)
    return _("{job} runs on schedule again.").format(job=name)
