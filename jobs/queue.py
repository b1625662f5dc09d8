"""Runs that are asked for: queued once however often one asks, looked up, cancelled."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from db.engine import bookkeeping, reading
from db.errors import Refused
from db.tables.operations import JobRun
from jobs.job import Job, Parameters
from language import _

FINISHED = ("succeeded", "failed", "cancelled", "lost", "covered")


@dataclass(frozen=True)
class Requested:
    """A run that was asked for; `fresh` is False where one that does the same was under way already."""

    id: int
    fresh: bool


def request(
    engine: Engine,
    job: Job,
    params: Parameters,
    *,
    trigger: str,
    by: str,
    now: datetime,
    join_running: bool = False,
) -> Requested:
    """Queues a run, or finds the one that waits with the same parameters (`join_running`: or runs).

    Raises Refused where the parameters name something that is not there, or not yet.
    """
    with bookkeeping(engine) as connection:
        if job.check:
            job.check(connection, params, now)
        one_at_a_time(connection, job.name)
        states = ("queued", "running") if join_running else ("queued",)
        same = select(JobRun.id).where(
            JobRun.job == job.name, JobRun.params_hash == params.hashed(), JobRun.status.in_(states)
        )
        while True:  # where the schedule, or a run that is put back, comes in between: look again
            there = connection.scalar(same)
            if there is not None:
                return Requested(there, fresh=False)
            run_id = insert_run(connection, job, params, status="queued", trigger=trigger, by=by, now=now)
            if run_id is not None:
                return Requested(run_id, fresh=True)


def insert_run(
    connection: Connection,
    job: Job,
    params: Parameters,
    *,
    status: str,
    trigger: str,
    by: str,
    now: datetime,
    scheduled_for: datetime | None = None,
    result: dict[str, Any] | None = None,
) -> int | None:
    """A new row of job_runs; None where a unique rule says that it is there already."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {
        "job": job.name,
        "params": params.stored(),
        "params_hash": params.hashed(),
        "status": status,
        "trigger": trigger,
        "triggered_by": by,
        "scheduled_for": scheduled_for,
        "queued_at": now,
        "finished_at": now if status in FINISHED else None,
        "result": result,
    }
    inserted = dialect.insert(JobRun).values(row).on_conflict_do_nothing().returning(JobRun.id)
    found: int | None = connection.scalar(inserted)
    return found


def one_at_a_time(connection: Connection, name: str) -> None:
    """Transactions that ask for the same name wait for each other; SQLite's write lock does that by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"tidemark {name}"}
        )


def cancel(engine: Engine, run_id: int, now: datetime) -> str:
    """Cancels a waiting run, asks a running one to stop; returns what was done. Raises Refused."""
    with bookkeeping(engine) as connection:
        waiting = update(JobRun).where(JobRun.id == run_id, JobRun.status == "queued")
        ended = {"status": "cancelled", "finished_at": now, "message": _("Cancelled.")}
        if connection.execute(waiting.values(ended)).rowcount:
            return _("Run {id} was waiting and is cancelled.").format(id=run_id)
        running = update(JobRun).where(JobRun.id == run_id, JobRun.status == "running")
        if connection.execute(running.values(cancel_requested=True)).rowcount:
            return _("Run {id} stops at its next step; what it finished stays.").format(id=run_id)
        status = connection.scalar(select(JobRun.status).where(JobRun.id == run_id))
    if status is None:
        raise Refused(_("There is no run {id}").format(id=run_id), status=2)
    raise Refused(_("Run {id} has ended already ({status})").format(id=run_id, status=status), status=1)


def waiting_run(connection: Connection, job: str, params: Parameters) -> int | None:
    """The run of a job that waits with these parameters."""
    waiting = select(JobRun.id).where(JobRun.job == job, JobRun.params_hash == params.hashed())
    return connection.scalar(waiting.where(JobRun.status == "queued"))


def run_row(engine: Engine, run_id: int) -> Any:
    """The row of a run; raises Refused where there is none."""
    with reading(engine) as connection:
        row = connection.execute(select(JobRun).where(JobRun.id == run_id)).one_or_none()
    if row is None:
        raise Refused(_("There is no run {id}").format(id=run_id), status=2)
    return row
