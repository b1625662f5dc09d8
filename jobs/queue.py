"""The rows of job_runs and how they move: requested, claimed, alive, finished, cancelled, lost.

Each move is a conditional update with the old state in its WHERE; only the process whose update touched the
row goes on. So restarts, second workers and double clicks are harmless.
"""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import psutil
from sqlalchemy import Connection, Engine, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from db.engine import bookkeeping, reading
from db.errors import Refused
from db.tables.operations import JobRun
from jobs.job import Job, Parameters
from language import _

MAX_ATTEMPTS = 3
LOST_AFTER = timedelta(seconds=90)
# A process of this machine that still lives beats again in a second; only one that hangs is lost.
HANGS_AFTER = timedelta(minutes=5)
FINISHED = ("succeeded", "failed", "cancelled", "lost", "covered")


class Signal(Enum):
    """What a beat learns of its run."""

    GO_ON = "go on"
    CANCEL = "cancel"
    GONE = "gone"


@dataclass(frozen=True)
class Requested:
    """A run that was asked for; `fresh` is False where one that does the same was under way already."""

    id: int
    fresh: bool


@dataclass(frozen=True)
class Claimed:
    id: int
    job: str
    params: dict[str, Any]
    attempt: int
    log: str
    worker: str


def this_worker() -> str:
    """The name of this process, of which there is never a second one: host, process id, start."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid()):.2f}"


def _started(process: int) -> float:
    """When a process of this machine began, counted from the machine's own start: setting the clock moves both."""
    return float(psutil.Process(process).create_time() - psutil.boot_time())


def is_alive(worker: str) -> bool | None:
    """Whether that process still runs; None where it is on another machine."""
    host, _sep, rest = worker.rpartition(":")[0].rpartition(":")
    started = worker.rpartition(":")[2]
    if host != socket.gethostname():
        return None
    try:
        return abs(_started(int(rest)) - float(started)) < 0.1
    except (psutil.Error, ValueError):
        return False


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

    Raises Refused where the parameters name something that is not there.
    """
    with bookkeeping(engine) as connection:
        if job.check:
            job.check(connection, params)
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


def claim(engine: Engine, worker: str, now: datetime, run_id: int | None = None) -> Claimed | None:
    """Takes the oldest waiting run whose job is not running, or the one named; None where there is none."""
    other = JobRun.__table__.alias("other")
    job_runs_already = (
        select(other.c.id).where(other.c.job == JobRun.job, other.c.status == "running").exists()
    )
    waiting = (
        select(JobRun.id)
        .where(
            JobRun.status == "queued",
            or_(JobRun.not_before.is_(None), JobRun.not_before <= now),
            ~job_runs_already,
            *([JobRun.id == run_id] if run_id else []),
        )
        .order_by(JobRun.queued_at, JobRun.id)
        .limit(1)
    )
    taken = (
        update(JobRun)
        .where(JobRun.id == waiting.scalar_subquery(), JobRun.status == "queued")
        .values(
            status="running",
            worker=worker,
            started_at=now,
            heartbeat_at=now,
            not_before=None,
            progress=0,
            message="",
        )
        .returning(JobRun.id, JobRun.job, JobRun.params, JobRun.attempt, JobRun.log)
    )
    with reading(engine) as connection:
        if (
            connection.scalar(waiting) is None
        ):  # asked often, and nearly always in vain: without the write lock
            return None
    try:
        with bookkeeping(engine) as connection:
            row = connection.execute(taken).one_or_none()
    except IntegrityError:  # another worker took another run of the same job at the same moment
        return None
    return Claimed(row.id, row.job, row.params, row.attempt, row.log, worker) if row else None


def _mine(run: Claimed) -> Any:
    return _still_running(run.id, run.worker)


def _still_running(run_id: int, worker: str | None) -> Any:
    return (JobRun.id == run_id) & (JobRun.status == "running") & (JobRun.worker == worker)


def beat(engine: Engine, run: Claimed, now: datetime, progress: float, message: str, log: str) -> Signal:
    """Says that the run is alive and how far it is; learns whether it should go on."""
    with bookkeeping(engine) as connection:
        cancel = connection.scalar(
            update(JobRun)
            .where(_mine(run))
            .values(heartbeat_at=now, progress=progress, message=message, log=log)
            .returning(JobRun.cancel_requested)
        )
    if cancel is None:
        return Signal.GONE
    return Signal.CANCEL if cancel else Signal.GO_ON


def finish(engine: Engine, run: Claimed, status: str, now: datetime, **values: Any) -> bool:
    """Ends the run; False where it was taken away before."""
    with bookkeeping(engine) as connection:
        done = update(JobRun).where(_mine(run)).values(status=status, finished_at=now, **values)
        return connection.execute(done).rowcount == 1


def put_back(
    engine: Engine, run: Claimed, now: datetime, why: str, log: str, after: timedelta | None
) -> None:
    """Queues the run again. With `after` it was a failed attempt, and waits so long before the next."""
    with bookkeeping(engine) as connection:
        values = {"attempt": run.attempt + 1, "not_before": now + after} if after is not None else {}
        _queue_again(connection, _mine(run), now, why, log, values)


def _queue_again(
    connection: Connection, still: Any, now: datetime, why: str, log: str, values: dict[str, Any]
) -> None:
    """Puts the run back where `still` holds; where a person asked it to stop, it ends here."""
    ended = {"status": "cancelled", "finished_at": now, "message": why, "log": log}
    connection.execute(update(JobRun).where(still, JobRun.cancel_requested).values(**ended))
    try:
        with connection.begin_nested():
            connection.execute(
                update(JobRun)
                .where(still)
                .values(
                    status="queued",
                    worker=None,
                    heartbeat_at=None,
                    progress=0,
                    message=why,
                    log=log,
                    **values,
                )
            )
    except IntegrityError:  # a run with the same parameters waits already, and does this one's work
        told = _("{why} A later run does the same.").format(why=why)
        covered = {"status": "covered", "finished_at": now, "message": told, "log": log}
        connection.execute(update(JobRun).where(still).values(**covered))


def cancel(engine: Engine, run_id: int, now: datetime) -> str:
    """Cancels a waiting run, asks a running one to stop; returns what was done. Raises Refused."""
    with bookkeeping(engine) as connection:
        waiting = update(JobRun).where(JobRun.id == run_id, JobRun.status == "queued")
        if connection.execute(waiting.values(status="cancelled", finished_at=now)).rowcount:
            return _("Run {id} was waiting and is cancelled.").format(id=run_id)
        running = update(JobRun).where(JobRun.id == run_id, JobRun.status == "running")
        if connection.execute(running.values(cancel_requested=True)).rowcount:
            return _("Run {id} stops at its next step; what it finished stays.").format(id=run_id)
        status = connection.scalar(select(JobRun.status).where(JobRun.id == run_id))
    if status is None:
        raise Refused(_("There is no run {id}").format(id=run_id), status=2)
    raise Refused(_("Run {id} has ended already ({status})").format(id=run_id, status=status), status=1)


def reap(engine: Engine, now: datetime) -> int:
    """Puts back runs whose worker is gone, or gives them up after the last attempt; returns how many."""
    with reading(engine) as connection:
        running = connection.execute(select(JobRun).where(JobRun.status == "running")).all()
    lost = [row for row in running if _is_lost(row, now)]
    for row in lost:
        with bookkeeping(engine) as connection:
            still = _still_running(row.id, row.worker)
            why = _("Its worker stopped without a word.")
            log = f"{row.log}{now:%Y-%m-%d %H:%M:%S}Z {why}\n"
            if row.cancel_requested or row.attempt < MAX_ATTEMPTS:
                _queue_again(connection, still, now, why, log, {"attempt": row.attempt + 1})
            else:
                error = _("Its worker stopped without a word, {n} times; it is not tried again.").format(
                    n=row.attempt
                )
                values = {"status": "lost", "finished_at": now, "error": error, "log": log}
                connection.execute(update(JobRun).where(still).values(**values))
    return len(lost)


def _is_lost(row: Any, now: datetime) -> bool:
    alive = is_alive(row.worker or "")
    silent = now - (row.heartbeat_at or row.started_at)
    if alive is False:
        return True
    return bool(silent > (HANGS_AFTER if alive else LOST_AFTER))


def put_back_all(engine: Engine, worker: str, now: datetime) -> None:
    """Queues every run of a worker again that is about to end."""
    with bookkeeping(engine) as connection:
        rows = connection.execute(
            select(JobRun).where(JobRun.status == "running", JobRun.worker == worker)
        ).all()
        for row in rows:
            why = _("Put back: its worker was stopped.")
            _queue_again(connection, _still_running(row.id, worker), now, why, row.log + why + "\n", {})


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


def latest_slot(connection: Connection, job: str, now: datetime) -> datetime | None:
    """The newest slot of a job that is on record; slots later than now (a clock that was wrong) do not count."""
    slot = func.max(JobRun.scheduled_for, type_=JobRun.scheduled_for.type)
    return connection.scalar(select(slot).where(JobRun.job == job, JobRun.scheduled_for <= now))


def forget_slots(connection: Connection, job: str, later_than: datetime) -> None:
    """Takes slots off the record that a wrong clock put there, so that they have their run when their time comes."""
    wrong = update(JobRun).where(JobRun.job == job, JobRun.scheduled_for > later_than)
    connection.execute(wrong.values(scheduled_for=None))
