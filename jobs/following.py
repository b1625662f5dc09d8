"""A run that somebody waits for at a terminal: run here unless a worker was faster, with what follows from it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.clock import utc_now
from db.engine import reading
from db.exits import TERMINATED
from jobs import claims, queue
from jobs.lost import reap
from jobs.runner import execute
from jobs.timetable import followers
from jobs.workers import this_worker
from language import _

LOOK_SECONDS = 0.3

Tell = Callable[[str], None]


class Leaving:
    """SIGINT and SIGTERM: the run ends at its next step, where nothing is half-done; a second one ends all at once."""

    def __init__(self) -> None:
        self.event, self._number = threading.Event(), 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.event.is_set():
            raise KeyboardInterrupt
        self._number = number
        self.event.set()

    def end_unless(self, finished: bool) -> None:
        """Ends the program as the signal wants it, the run being back in the queue."""
        if self.event.is_set() and not finished:
            raise KeyboardInterrupt if self._number == signal.SIGINT else SystemExit(TERMINATED)


def follow(engine: Engine, zone: ZoneInfo, run_id: int, leaving: Leaving, tell: Tell) -> Any:
    """Runs it here unless a worker was faster; then waits for that one, and tells how far it is. Returns its row."""
    told = ""
    while True:
        row = queue.run_row(engine, run_id)
        if row.status in queue.FINISHED or leaving.event.is_set():
            leaving.end_unless(row.status in queue.FINISHED)
            return row
        claimed = claims.claim(engine, this_worker(), utc_now(), run_id)
        if claimed:
            execute(engine, claimed, zone, utc_now, leaving.event)
            continue
        if row.status == "queued":
            reap(engine, utc_now())
            waits = _("run {id} waits for another run of {job}").format(id=run_id, job=row.job)
            line = row.message if row.not_before else waits
        else:
            line = f"{row.progress:.0%} {row.message}"
        if line != told:
            tell(line)
            told = line
        time.sleep(LOOK_SECONDS)


def follow_on(engine: Engine, zone: ZoneInfo, row: Any, leaving: Leaving, tell: Tell) -> Iterator[Any]:
    """The rows of the runs that a successful one brought about, when they have ended; those a worker took are its."""
    for job in followers(row.job, changed=row.rows_written > 0) if row.status == "succeeded" else ():
        with reading(engine) as connection:
            waiting = queue.waiting_run(connection, job.name, job.read({}))
        if waiting is not None:
            yield follow(engine, zone, waiting, leaving, tell)
