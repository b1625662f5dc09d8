"""A run in the hands of a worker: claimed, alive, finished, put back into the queue.

Each move is a conditional update with the old state in its WHERE; only the process whose update touched the
row goes on. So restarts, second workers and double clicks are harmless.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, or_, select, update
from sqlalchemy.exc import IntegrityError

from db.engine import bookkeeping, reading
from db.tables.operations import JobRun
from language import _

MAX_ATTEMPTS = 3
# A run on schedule waits until those of these jobs that are scheduled for the same moment have ended, however they do.
WAITS_FOR = {"adjust_weights": ("retrain",)}


class Signal(Enum):
    """What a beat learns of its run."""

    GO_ON = "go on"
    CANCEL = "cancel"
    GONE = "gone"


@dataclass(frozen=True)
class Claimed:
    id: int
    job: str
    params: dict[str, Any]
    attempt: int
    log: str
    worker: str
    trigger: str
    by: str


def claim(engine: Engine, worker: str, now: datetime, run_id: int | None = None) -> Claimed | None:
    """Takes the oldest waiting run whose job is not running, or the one named; None where there is none."""
    waiting = _waiting(now, run_id)
    with reading(engine) as connection:
        # Asked often, and nearly always in vain: without the write lock.
        if connection.scalar(waiting) is None:
            return None
    begun = {"started_at": now, "heartbeat_at": now, "not_before": None, "progress": 0, "message": ""}
    taken = (
        update(JobRun)
        .where(JobRun.id == waiting.scalar_subquery(), JobRun.status == "queued")
        .values(status="running", worker=worker, **begun)
        .returning(
            JobRun.id,
            JobRun.job,
            JobRun.params,
            JobRun.attempt,
            JobRun.log,
            JobRun.trigger,
            JobRun.triggered_by,
        )
    )
    try:
        with bookkeeping(engine) as connection:
            row = connection.execute(taken).one_or_none()
    except IntegrityError:  # another worker took another run of the same job at the same moment
        return None
    if row is None:
        return None
    return Claimed(row.id, row.job, row.params, row.attempt, row.log, worker, row.trigger, row.triggered_by)


def _waiting(now: datetime, run_id: int | None) -> Select[int]:
    other = JobRun.__table__.alias("other")
    job_runs_already = (
        select(other.c.id).where(other.c.job == JobRun.job, other.c.status == "running").exists()
    )
    may_start = or_(JobRun.not_before.is_(None), JobRun.not_before <= now)
    named = [JobRun.id == run_id] if run_id else []
    return (
        select(JobRun.id)
        .where(JobRun.status == "queued", may_start, ~job_runs_already, ~held_up(), *named)
        .order_by(JobRun.queued_at, JobRun.id)
        .limit(1)
    )


def held_up() -> ColumnElement[bool]:
    """The condition that a run waits for one of another job."""
    other = JobRun.__table__.alias("before")
    under_way = select(other.c.id).where(
        other.c.scheduled_for == JobRun.scheduled_for, other.c.status.in_(("queued", "running"))
    )
    return or_(
        *(
            and_(JobRun.job == name, under_way.where(other.c.job.in_(others)).exists())
            for name, others in WAITS_FOR.items()
        )
    )


def _mine(run: Claimed) -> Any:
    return still_running(run.id, run.worker)


def still_running(run_id: int, worker: str | None) -> Any:
    """The condition that the run is under way and that worker's."""
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


def finish(
    engine: Engine,
    run: Claimed,
    status: str,
    now: datetime,
    *,
    then: Callable[[Connection], None] | None = None,
    **values: Any,
) -> bool:
    """Ends the run, and does what follows from it in the same transaction; False where it was taken away before."""
    with bookkeeping(engine) as connection:
        done = update(JobRun).where(_mine(run)).values(status=status, finished_at=now, **values)
        mine = connection.execute(done).rowcount == 1
        if mine and then:
            then(connection)
        return mine


def put_back(
    engine: Engine, run: Claimed, now: datetime, why: str, log: str, after: timedelta | None
) -> None:
    """Queues the run again. With `after` it was a failed attempt, and waits so long before the next."""
    with bookkeeping(engine) as connection:
        values = {"attempt": run.attempt + 1, "not_before": now + after} if after is not None else {}
        queue_again(connection, _mine(run), now, why, log, values)


def queue_again(
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


def put_back_all(engine: Engine, worker: str, now: datetime) -> None:
    """Queues every run of a worker again that is about to end."""
    with bookkeeping(engine) as connection:
        rows = connection.execute(
            select(JobRun).where(JobRun.status == "running", JobRun.worker == worker)
        ).all()
        for row in rows:
            why = _("Put back: its worker was stopped.")
            queue_again(connection, still_running(row.id, worker), now, why, row.log + why + "\n", {})
