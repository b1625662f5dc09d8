"""Claim, run, record: executes one run of job_runs and writes down how it ended."""

import logging
import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from types import TracebackType
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from db.clock import Now, business_day
from db.engine import explain, is_passing
from db.errors import Refused
from jobs import claims
from jobs.claims import Claimed, Signal
from jobs.job import Outcome, Passing
from jobs.paused import paused_since
from jobs.queue import insert_run, one_at_a_time
from jobs.timetable import followers, job_named
from language import _

log = logging.getLogger("tidemark.runner")

BEAT_SECONDS = 1.0
BACK_OFF = (timedelta(seconds=10), timedelta(seconds=60))
RECORD_TRIES = 5


class Cancelled(BaseException):
    """A person asked the run to stop."""


class Stopped(BaseException):
    """The worker is shutting down; the run goes back into the queue."""


class TakenAway(BaseException):
    """The run belongs to somebody else now: this worker was thought dead."""


class ActiveRun(AbstractContextManager["ActiveRun"]):
    """What a job sees of its run, and the thread that tells job_runs that it is alive."""

    def __init__(
        self, engine: Engine, claimed: Claimed, zone: ZoneInfo, now: Now, stop: threading.Event
    ) -> None:
        self._engine, self._claimed, self._clock, self._stop = engine, claimed, now, stop
        self.now, self.zone = now(), zone
        self.text = claimed.log
        self.done, self._message = 0.0, ""
        self._signal = Signal.GO_ON
        self._telling = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"beat-{claimed.id}", daemon=True)

    @property
    def id(self) -> int:
        return self._claimed.id

    @property
    def today(self) -> date:
        return business_day(self.now, self.zone)

    def log(self, line: str) -> None:
        self.text += f"{self._clock():%Y-%m-%d %H:%M:%S}Z {line}\n"

    def progress(self, done: float, message: str) -> None:
        self.done, self._message = min(1.0, max(0.0, done)), message
        # Between two steps the job holds no lock: here a beat that waits for SQLite's one writer gets its turn.
        with self._telling:
            pass
        if self._signal is Signal.GONE:
            raise TakenAway
        if self._signal is Signal.CANCEL:
            raise Cancelled
        if self._stop.is_set():
            raise Stopped

    def __enter__(self) -> "ActiveRun":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                with self._telling:
                    self._signal = claims.beat(
                        self._engine, self._claimed, self._clock(), self.done, self._message, self.text
                    )
            except SQLAlchemyError as error:
                log.warning("no heartbeat for run %s: %s", self._claimed.id, explain(error))


def execute(
    engine: Engine, claimed: Claimed, zone: ZoneInfo, now: Now, stop: threading.Event | None = None
) -> str:
    """Runs a claimed run to its end and records it; returns the status that it has then."""
    stop = stop or threading.Event()
    run = ActiveRun(engine, claimed, zone, now, stop)
    try:
        with run:
            job = job_named(claimed.job)
            run.log(_("started, attempt {n}").format(n=claimed.attempt))
            outcome = job.work(engine, job.read(claimed.params), run)
        return _record(run, lambda: _succeed(engine, claimed, run, outcome), stop)
    except TakenAway:
        return "lost"
    except (Stopped, SystemExit):
        why = _("Put back: its worker was stopped.")
        run.log(why)
        return _record(run, lambda: _put_back(engine, claimed, now(), why, run.text, None), stop)
    except (Cancelled, KeyboardInterrupt):
        run.log(_("cancelled"))
        return _record(
            run, lambda: _end(engine, claimed, run, "cancelled", now(), message=_("Cancelled.")), stop
        )
    except Refused as error:
        told = str(error)
        run.log(told)
        return _record(run, lambda: _end(engine, claimed, run, "failed", now(), error=told), stop)
    except Exception as error:  # noqa: BLE001 - the one place where whatever a job raises is written down
        return _fail(engine, claimed, run, error, now, stop)


def _fail(
    engine: Engine, claimed: Claimed, run: ActiveRun, error: Exception, now: Now, stop: threading.Event
) -> str:
    told = explain(error) if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: {error}"
    if isinstance(error, Passing):
        told = str(error)
    run.log(told if isinstance(error, Passing) else "".join(traceback.format_exception(error)))
    if (is_passing(error) or isinstance(error, Passing)) and claimed.attempt < claims.MAX_ATTEMPTS:
        wait = BACK_OFF[min(claimed.attempt, len(BACK_OFF)) - 1]
        why = _("{error} Tried again in {seconds:.0f} s.").format(error=told, seconds=wait.total_seconds())
        return _record(run, lambda: _put_back(engine, claimed, now(), why, run.text, wait), stop)
    return _record(run, lambda: _end(engine, claimed, run, "failed", now(), error=told), stop)


def _record(run: ActiveRun, write: Callable[[], str], stop: threading.Event) -> str:
    """Writes the end of a run down, also when the database comes back only after a while."""
    for attempt in range(1, RECORD_TRIES + 1):
        try:
            return write()
        except SQLAlchemyError as error:
            log.warning("the end of a run was not recorded (try %s): %s", attempt, explain(error))
            if attempt == RECORD_TRIES or not is_passing(error):
                break
            stop.wait(2**attempt)
    return "running"  # its heartbeat has ended: it counts as lost after a while, and is put back


def _succeed(engine: Engine, claimed: Claimed, run: ActiveRun, outcome: Outcome) -> str:
    run.log(outcome.summary)
    return _end(
        engine,
        claimed,
        run,
        "succeeded",
        run._clock(),
        progress=1.0,
        message=outcome.summary,
        rows_read=outcome.rows_read,
        rows_written=outcome.rows_written,
        result=outcome.result,
        error=None,
        then=None
        if claimed.params.get("dry_run")
        else lambda connection: _follow(connection, claimed, run, outcome),
    )


def _follow(connection: Connection, claimed: Claimed, run: ActiveRun, outcome: Outcome) -> None:
    """Queues the jobs that run after each of this one, for the same reason; one that waits already will do."""
    for job in followers(claimed.job, changed=outcome.rows_written > 0):
        one_at_a_time(connection, job.name)
        if paused_since(connection, job.name) and claimed.trigger in ("schedule", "catch-up"):
            continue
        insert_run(
            connection,
            job,
            job.read({}),
            status="queued",
            trigger=claimed.trigger,
            by=claimed.by,
            now=run._clock(),
        )


def _end(
    engine: Engine,
    claimed: Claimed,
    run: ActiveRun,
    status: str,
    now: datetime,
    then: Callable[[Connection], None] | None = None,
    **values: object,
) -> str:
    known = {"progress": run.done, "log": run.text}  # the last beat may be older than the last step
    return status if claims.finish(engine, claimed, status, now, then=then, **(known | values)) else "lost"


def _put_back(
    engine: Engine, claimed: Claimed, now: datetime, why: str, text: str, after: timedelta | None
) -> str:
    claims.put_back(engine, claimed, now, why, text, after)
    return "queued"
