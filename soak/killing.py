"""What is killed, and how: a command between its start and its end, a run of a job when it is under way."""

import random
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, select

from db.clock import utc_now
from db.engine import reading
from db.tables.operations import JobRun
from jobs import queue
from jobs.timetable import JOBS
from soak import sound
from soak.processes import NOTHING, started, takes, wait_for
from soak.source import ROWS, Source


class Kind(Protocol):
    """What is killed: `at_work` of the last process tells whether the kill came before its end."""

    name: str

    def prepare(self, turn: int) -> None: ...
    def kill(self, turn: int, chance: random.Random) -> bool: ...
    def left(self) -> list[str]: ...
    def mend(self) -> None: ...
    def mended(self) -> list[str]: ...


def end(process: subprocess.Popen[bytes]) -> bool:
    """kill -9; whether it was still at work."""
    at_work = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    return at_work


class Command:
    """A command that is killed between the end of its start and its own end."""

    def __init__(self, engine: Engine, *arguments: str, also: Mapping[str, str] = NOTHING) -> None:
        self._engine, self._arguments, self._also = engine, arguments, also
        self._start, self._whole = 0.0, 0.0

    def measure(self) -> None:
        self._start = takes(self._engine, *self._arguments[:3], "--help")
        self._whole = takes(self._engine, *self._arguments, also=self._also)

    def kill(self, chance: random.Random) -> bool:
        with started(self._engine, *self._arguments, also=self._also) as process:
            time.sleep(chance.uniform(0.9 * self._start, self._whole))
            at_work = end(process)
        if not at_work:  # it was faster than when it was measured
            self._start, self._whole = 0.9 * self._start, 0.9 * self._whole
        return at_work


class Runs:
    """A run of a job, in the shell or in a worker's loop, killed when it is under way."""

    name = ""

    def __init__(self, engine: Engine, folder: Path, rows: int = ROWS) -> None:
        self.engine, self._source, self._takes = engine, Source.of(rows), 1.0
        self._source.store(engine)
        sound.aggregate(engine)
        self.measure()

    def measure(self) -> None:
        self.prepare(0)
        with started(self.engine, "-m", "jobs", "run", self.name) as process:
            process.wait(60)
        with reading(self.engine) as connection:
            mine = select(JobRun).where(JobRun.job == self.name).order_by(JobRun.id.desc()).limit(1)
            run = connection.execute(mine).one()
        self._takes = (run.finished_at - run.started_at).total_seconds()

    def prepare(self, turn: int) -> None:
        raise NotImplementedError

    def kill(self, turn: int, chance: random.Random) -> bool:
        arguments = ("loop",) if turn % 2 else ("run", self.name)
        with started(self.engine, "-m", "jobs", *arguments, also={"WORKERS": "1"}) as process:
            under_way = self.under_way(process, chance)
            return end(process) and under_way

    def under_way(self, process: subprocess.Popen[bytes], chance: random.Random) -> bool:
        """Waits for a random moment of the process's next run; whether that is still under way then."""
        self.ask()
        wait_for(lambda: self._run_of(process) or process.poll() is not None)
        time.sleep(chance.uniform(0, self._takes))
        return self._run_of(process)

    def ask(self) -> None:
        job = JOBS[self.name]
        queue.request(self.engine, job, job.read({}), trigger="manual", by="", now=utc_now())

    def _run_of(self, process: subprocess.Popen[bytes]) -> bool:
        with reading(self.engine) as connection:
            mine = select(JobRun.worker).where(JobRun.job == self.name, JobRun.status == "running")
            worker = connection.scalar(mine)
        return f":{process.pid}:" in (worker or "")

    def left(self) -> list[str]:
        return sound.running_after_a_tick(self.engine) + self._source.faults(self.engine)

    def mend(self) -> None:
        self.ask()
        sound.run_all(self.engine)

    def mended(self) -> list[str]:
        counts = sound.statuses(self.engine)
        strange = {name: n for name, n in counts.items() if name in ("queued", "running", "failed", "lost")}
        return self._source.daily_faults(self.engine) + ([f"runs left: {strange}"] if strange else [])
