"""Which slots of a job are on record in job_runs."""

from datetime import datetime

from sqlalchemy import Connection, func, select, update

from db.tables.operations import JobRun


def latest_slot(connection: Connection, job: str, now: datetime) -> datetime | None:
    """The newest slot of a job that is on record; slots later than now (a clock that was wrong) do not count."""
    slot = func.max(JobRun.scheduled_for, type_=JobRun.scheduled_for.type)
    return connection.scalar(select(slot).where(JobRun.job == job, JobRun.scheduled_for <= now))


def forget_slots(connection: Connection, job: str, later_than: datetime) -> None:
    """Takes slots off the record that a wrong clock put there, so that they have their run when their time comes."""
    wrong = update(JobRun).where(JobRun.job == job, JobRun.scheduled_for > later_than)
    connection.execute(wrong.values(scheduled_for=None))
