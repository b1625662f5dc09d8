"""How a run ends, and what job_runs says of it: while it works and afterwards."""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from db.errors import Refused
from jobs import claims, queue, runner
from jobs.claims import Claimed
from jobs.job import DayParameters, Job, Outcome, Run
from jobs.lost import reap
from jobs.runner import execute
from jobs.timetable import JOBS
from jobs.workers import this_worker

SEOUL = ZoneInfo("Asia/Seoul")
ELSEWHERE = "another-machine:4711:1795000000.00"
Work = Callable[[Engine, DayParameters, Run], Outcome]


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: datetime = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Bench:
    """A database with one job in the timetable, the work of which the test brings along."""

    engine: Engine
    monkeypatch: pytest.MonkeyPatch
    clock: Clock = field(default_factory=Clock)
    stop: threading.Event = field(default_factory=threading.Event)
    run_id: int = 0

    def claim(self, work: Work, worker: str = "", **params: Any) -> Claimed:
        job = Job("count_things", "Count things", work, DayParameters)
        self.monkeypatch.setitem(JOBS, job.name, job)
        asked = queue.request(
            self.engine, job, job.read(params), trigger="manual", by="ada", now=self.clock.now
        )
        self.run_id = asked.id
        claimed = claims.claim(self.engine, worker or this_worker(), self.clock.now, asked.id)
        assert claimed is not None
        return claimed

    def execute(self, claimed: Claimed) -> str:
        return execute(self.engine, claimed, SEOUL, self.clock, self.stop)

    def again(self) -> str:
        claimed = claims.claim(self.engine, this_worker(), self.clock.now, self.run_id)
        assert claimed is not None
        return self.execute(claimed)

    @property
    def row(self) -> Any:
        return queue.run_row(self.engine, self.run_id)


@pytest.fixture
def bench(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(runner, "BEAT_SECONDS", 0.01)
    return Bench(engine, monkeypatch)


def keep_going(run: Run) -> Outcome:
    """Works in small steps until it is told to stop."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        run.progress(0.5, "half of it")
        time.sleep(0.005)
    raise AssertionError("nobody stopped it")


def test_success(bench: Bench) -> None:
    def work(_engine: Engine, params: DayParameters, run: Run) -> Outcome:
        run.log(f"it is {run.today}, asked for {params.day}")
        bench.clock.move(90)
        return Outcome("3 things counted", rows_read=5, rows_written=3, result={"things": 3})

    started = bench.clock.now
    assert bench.execute(bench.claim(work, day="2026-11-16")) == "succeeded"
    row = bench.row
    assert (row.status, row.message, row.error) == ("succeeded", "3 things counted", None)
    assert (row.rows_read, row.rows_written, row.result) == (5, 3, {"things": 3})
    assert (row.progress, row.attempt) == (1.0, 1)
    assert (row.started_at, row.finished_at) == (started, started + timedelta(seconds=90))
    assert row.log.splitlines() == [
        "2026-11-20 02:30:00Z started, attempt 1",
        "2026-11-20 02:30:00Z it is 2026-11-20, asked for 2026-11-16",
        "2026-11-20 02:31:30Z 3 things counted",
    ]


def test_day_of_the_run_is_that_of_the_time_zone(bench: Bench) -> None:
    bench.clock.now = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    assert bench.execute(bench.claim(lambda _e, _p, run: Outcome(str(run.today)))) == "succeeded"
    assert bench.row.message == "2026-11-21"


def test_refused_is_told_in_its_own_words(bench: Bench) -> None:
    def work(_engine: Engine, _params: DayParameters, _run: Run) -> Outcome:
        raise Refused("There are no things; bring some first.")

    assert bench.execute(bench.claim(work)) == "failed"
    row = bench.row
    assert (row.status, row.error) == ("failed", "There are no things; bring some first.")
    assert row.finished_at == bench.clock.now
    assert "Traceback" not in row.log


def test_unexpected_fault_is_one_line_and_the_traceback_is_in_the_log(bench: Bench) -> None:
    def work(_engine: Engine, _params: DayParameters, run: Run) -> Outcome:
        run.log("about to divide")
        return Outcome(str(1 / 0))

    assert bench.execute(bench.claim(work)) == "failed"
    row = bench.row
    assert (row.status, row.error) == ("failed", "ZeroDivisionError: division by zero")
    assert "about to divide" in row.log
    assert "Traceback (most recent call last)" in row.log
    assert bench.row.attempt == 1, "the same would happen again"


def test_fault_of_the_database_that_stays_is_not_tried_again(bench: Bench) -> None:
    def work(engine: Engine, _params: DayParameters, _run: Run) -> Outcome:
        with engine.begin() as connection:
            connection.execute(text("SELECT secret_of_a_user FROM no_such_table"))
        raise AssertionError

    assert bench.execute(bench.claim(work)) == "failed"
    assert bench.row.error.startswith("The database refused: ")
    assert "no_such_table" in bench.row.error
    assert "secret_of_a_user" not in bench.row.error, "the statement is for the log only"
    assert "\n" not in bench.row.error


def test_parameters_that_the_job_no_longer_takes(bench: Bench) -> None:
    claimed = bench.claim(lambda _e, _p, _run: Outcome("never"))
    claimed.params["colour"] = "blue"
    assert bench.execute(claimed) == "failed"
    assert "--colour: Extra inputs are not permitted" in bench.row.error


def test_job_that_is_not_there_any_more(bench: Bench) -> None:
    claimed = bench.claim(lambda _e, _p, _run: Outcome("never"))
    del JOBS["count_things"]
    assert bench.execute(claimed) == "failed"
    assert "There is no job “count_things”" in bench.row.error
    bench.monkeypatch.undo()


def meet_a_lock(engine: Engine) -> None:
    """Writes while a second connection really holds the lock; waits 50 ms only, and fails."""
    if engine.dialect.name == "sqlite":
        other = sqlite3.connect(str(engine.url.database), isolation_level=None)
        impatient = create_engine(engine.url, connect_args={"timeout": 0.05})
        other.execute("BEGIN IMMEDIATE")
        try:
            with impatient.begin() as connection:
                connection.execute(text("UPDATE app_facts SET value = value"))
        finally:
            other.close()
            impatient.dispose()
        return
    with engine.begin() as other_one, engine.begin() as connection:
        other_one.execute(text("UPDATE app_facts SET value = value"))
        connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
        connection.execute(text("UPDATE app_facts SET value = value"))


def test_passing_fault_is_tried_again_later_and_later_and_then_fails(bench: Bench) -> None:
    def work(engine: Engine, _params: DayParameters, _run: Run) -> Outcome:
        meet_a_lock(engine)
        raise AssertionError("there was no fault")

    assert bench.execute(bench.claim(work)) == "queued"
    for attempt, wait in ((2, 10), (3, 60)):
        row = bench.row
        assert (row.status, row.attempt) == ("queued", attempt)
        assert row.not_before == bench.clock.now + timedelta(seconds=wait)
        assert row.message.endswith(f"Tried again in {wait} s.")
        assert "lock" in row.message
        bench.clock.move(wait)
        assert bench.again() == ("queued" if attempt == 2 else "failed")
    row = bench.row
    assert (row.status, row.attempt, row.finished_at) == ("failed", 3, bench.clock.now)
    assert "lock" in row.error
    assert "\n" not in row.error
    assert row.log.count("[SQL: ") == 3
    assert [line[-9:] for line in row.log.splitlines() if "started" in line] == [
        f"attempt {n}" for n in (1, 2, 3)
    ]


def test_passing_fault_that_has_passed(bench: Bench) -> None:
    faults = [True, False]

    def work(engine: Engine, _params: DayParameters, _run: Run) -> Outcome:
        if faults.pop(0):
            meet_a_lock(engine)
        return Outcome("done")

    assert bench.execute(bench.claim(work)) == "queued"
    bench.clock.move(10)
    assert bench.again() == "succeeded"
    assert (bench.row.status, bench.row.message, bench.row.error) == ("succeeded", "done", None)


def test_cancel_ends_it_at_its_next_step(bench: Bench) -> None:
    def work(engine: Engine, _params: DayParameters, run: Run) -> Outcome:
        queue.cancel(engine, bench.run_id, bench.clock.now)
        return keep_going(run)

    assert bench.execute(bench.claim(work)) == "cancelled"
    row = bench.row
    assert (row.status, row.message, row.error) == ("cancelled", "Cancelled.", None)
    assert row.finished_at == bench.clock.now
    assert row.progress == 0.5, "how far it came is kept"


def test_cancel_reaches_a_job_that_holds_the_database_nearly_all_the_time(bench: Bench) -> None:
    """SQLite has one writer: a heartbeat that waits for it gets its turn between two of the job's steps."""

    def work(engine: Engine, _params: DayParameters, run: Run) -> Outcome:
        queue.cancel(engine, bench.run_id, bench.clock.now)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with engine.begin() as connection:
                connection.execute(text("UPDATE app_facts SET value = value"))
                time.sleep(0.05)  # the work of a chunk
            run.progress(0.5, "half of it")
        raise AssertionError("nobody stopped it")

    begun = time.monotonic()
    assert bench.execute(bench.claim(work)) == "cancelled"
    assert time.monotonic() - begun < 10


def test_interrupt_from_the_keyboard_cancels_it(bench: Bench) -> None:
    def work(_engine: Engine, _params: DayParameters, _run: Run) -> Outcome:
        raise KeyboardInterrupt

    assert bench.execute(bench.claim(work)) == "cancelled"
    assert bench.row.status == "cancelled"


def test_stop_of_the_worker_puts_it_back(bench: Bench) -> None:
    def work(_engine: Engine, _params: DayParameters, run: Run) -> Outcome:
        bench.stop.set()
        return keep_going(run)

    assert bench.execute(bench.claim(work)) == "queued"
    row = bench.row
    assert (row.status, row.attempt, row.worker, row.not_before) == ("queued", 1, None, None)
    assert row.log.endswith("Put back: its worker was stopped.\n")
    bench.stop.clear()
    bench.monkeypatch.setitem(
        JOBS, "count_things", Job("count_things", "", lambda _e, _p, _r: Outcome("done"))
    )
    assert bench.again() == "succeeded"


def test_run_that_was_taken_away_stops_and_says_nothing_more(bench: Bench) -> None:
    """Its machine slept for an hour; another loop has put the run back, and another worker has taken it."""

    def work(engine: Engine, _params: DayParameters, run: Run) -> Outcome:
        hour_later = bench.clock.now + timedelta(hours=1)
        assert reap(engine, hour_later) == 1
        assert claims.claim(engine, "third-machine:1:2.00", hour_later, bench.run_id)
        return keep_going(run)

    claimed = bench.claim(work, worker=ELSEWHERE)
    assert bench.execute(claimed) == "lost"
    row = bench.row
    assert (row.status, row.worker, row.attempt) == ("running", "third-machine:1:2.00", 2)


def test_end_of_a_run_that_was_taken_away_is_not_recorded(bench: Bench) -> None:
    def work(engine: Engine, _params: DayParameters, _run: Run) -> Outcome:
        reap(engine, bench.clock.now + timedelta(hours=1))
        return Outcome("done, too late")

    assert bench.execute(bench.claim(work, worker=ELSEWHERE)) == "lost"
    assert (bench.row.status, bench.row.attempt) == ("queued", 2)


def test_progress_log_and_heartbeat_are_seen_while_it_works(bench: Bench) -> None:
    def work(_engine: Engine, _params: DayParameters, run: Run) -> Outcome:
        run.log("the first quarter")
        run.progress(0.25, "a quarter of it")
        bench.clock.move(45)
        alive_at, deadline = bench.clock.now, time.monotonic() + 20
        while (row := bench.row).heartbeat_at < alive_at:
            assert time.monotonic() < deadline, "no heartbeat"
            time.sleep(0.005)
        assert (row.status, row.progress, row.message) == ("running", 0.25, "a quarter of it")
        assert "the first quarter" in row.log
        return Outcome("seen")

    assert bench.execute(bench.claim(work)) == "succeeded"


@pytest.mark.parametrize(("said", "kept"), [(-1.0, 0.0), (0.4, 0.4), (7.0, 1.0)])
def test_progress_stays_between_0_and_1(bench: Bench, said: float, kept: float) -> None:
    def work(_engine: Engine, _params: DayParameters, run: Run) -> Outcome:
        deadline = time.monotonic() + 20
        while bench.row.message != "said":
            assert time.monotonic() < deadline
            run.progress(said, "said")
            time.sleep(0.005)
        assert bench.row.progress == kept
        return Outcome("seen")

    assert bench.execute(bench.claim(work)) == "succeeded"


def test_end_is_recorded_when_the_database_comes_back(bench: Bench) -> None:
    finish, faults = claims.finish, [True, True]

    def slow_to_come_back(engine: Engine, *args: Any, **values: Any) -> bool:
        if faults:
            faults.pop()
            meet_a_lock(engine)
        return finish(engine, *args, **values)

    claimed = bench.claim(lambda _e, _p, _run: Outcome("done"))
    bench.monkeypatch.setattr(claims, "finish", slow_to_come_back)
    bench.stop.set()  # no waiting between the tries
    assert bench.execute(claimed) == "succeeded"
    assert faults == []
    assert bench.row.status == "succeeded"


def test_heartbeat_goes_on_after_a_fault(bench: Bench) -> None:
    beat, beats = claims.beat, []

    def beat_with_faults(engine: Engine, *args: Any) -> claims.Signal:
        beats.append(len(beats))
        if len(beats) < 3:
            meet_a_lock(engine)
        return beat(engine, *args)

    bench.monkeypatch.setattr(claims, "beat", beat_with_faults)

    def work(_engine: Engine, _params: DayParameters, run: Run) -> Outcome:
        deadline = time.monotonic() + 20
        while bench.row.message != "alive":
            assert time.monotonic() < deadline
            run.progress(0.1, "alive")
            time.sleep(0.005)
        return Outcome("done")

    assert bench.execute(bench.claim(work)) == "succeeded"
    assert len(beats) > 2


def test_lock_that_the_tests_meet_is_a_real_one(engine: Engine) -> None:
    with pytest.raises(OperationalError, match="lock"):
        meet_a_lock(engine)
