"""The schedule loop and the workers: queues what is due, runs what is queued, finds what was lost."""

import logging
import os
import signal
import threading
import time
from types import FrameType

import schedule
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.clock import Now, utc_now
from db.engine import bookkeeping, explain
from db.facts import LOOP_SEEN, state_fact
from jobs import claims, queue
from jobs.alerting import Alerting
from jobs.due import queue_due
from jobs.heartbeat import Heartbeat
from jobs.history import trim_daily
from jobs.lost import reap
from jobs.runner import execute
from jobs.timetable import timetable
from jobs.workers import this_worker
from settings import Settings

log = logging.getLogger("tidemark.loop")

TICK_SECONDS = 10
POLL_SECONDS = 0.5
GRACE_SECONDS = 8  # less than the ten seconds that containers give


class Loop:
    """Ticks and works until it is stopped; as many as one likes may run beside each other."""

    def __init__(self, engine: Engine, settings: Settings, now: Now = utc_now) -> None:
        self._engine, self._settings, self._now = engine, settings, now
        self.stop = threading.Event()
        self._worker = this_worker()
        self._heartbeat = Heartbeat(settings.heartbeat_url)
        self.alerting = Alerting(engine, settings, now)

    def tick(self) -> None:
        """One look at the clock: lost runs go back into the queue, due slots come into it."""
        now = self._now()
        reap(self._engine, now)
        for entry in (entry for entry in timetable(self._settings) if entry.at):
            with bookkeeping(self._engine) as connection:
                queue.one_at_a_time(connection, entry.job.name)
                queue_due(connection, entry, self._now(), self._settings.zone)
        with bookkeeping(self._engine) as connection:
            queue.one_at_a_time(connection, LOOP_SEEN)
            state_fact(connection, LOOP_SEEN, now.isoformat())
            trim_daily(connection, now, self._settings.zone)
        self.alerting.look()

    def work_once(self) -> bool:
        """Runs one waiting run to its end; False where none waits."""
        claimed = claims.claim(self._engine, self._worker, self._now())
        if claimed is None:
            return False
        log.info("run %s: %s", claimed.id, claimed.job)
        status = execute(self._engine, claimed, self._settings.zone, self._now, self.stop)
        log.info("run %s: %s", claimed.id, status)
        return True

    def run(self) -> None:
        """Ticks and works until `stop` is set; then runs under way end at their next step, or are put back."""
        workers = [
            threading.Thread(target=self._work, name=f"worker-{n}", daemon=True)
            for n in range(self._settings.workers)
        ]
        ticker = schedule.Scheduler()
        ticker.every(TICK_SECONDS).seconds.do(self._tick_safely)
        self._tick_safely()
        for worker in workers:
            worker.start()
        while not self.stop.is_set():
            time.sleep(POLL_SECONDS)  # not stop.wait(): stop is set by a signal handler in this very thread
            if (ticker.idle_seconds or 0) > TICK_SECONDS:  # the clock was set back, if only for the winter
                ticker.run_all()
            ticker.run_pending()
            if not self.stop.is_set() and not all(worker.is_alive() for worker in workers):
                log.error("a worker thread ended; the process ends too, to be started again")
                self.stop.set()
        deadline = time.monotonic() + GRACE_SECONDS
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
        if any(worker.is_alive() for worker in workers):
            self._leave()

    def _tick_safely(self) -> None:
        try:
            self.tick()
            self._heartbeat.beat()  # only after a good look: a loop that cannot reach its database is not well
        except SQLAlchemyError as error:
            log.warning("tick: %s", explain(error))

    def _work(self) -> None:
        while not self.stop.is_set():
            try:
                if not self.work_once():
                    self.stop.wait(POLL_SECONDS)
            except SQLAlchemyError as error:
                log.warning("worker: %s", explain(error))
                self.stop.wait(TICK_SECONDS)

    def _leave(self) -> None:
        """A step takes too long: its transaction dies with this process, and its run goes back right away."""
        claims.put_back_all(self._engine, self._worker, self._now())
        logging.shutdown()
        os._exit(0)


def run_until_stopped(loop: Loop) -> None:
    """Runs the loop in this process until SIGINT or SIGTERM."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        loop.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    loop.run()
