"""How rows of job_runs move, also when two ask, claim or end at the same moment."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest
from sqlalchemy import Engine, func, select, text, update

from db.engine import bookkeeping
from db.errors import Refused
from db.tables.operations import JobRun
from jobs import claims, queue
from jobs.claims import Claimed, Signal
from jobs.job import DayParameters, Job, Outcome
from jobs.lost import reap
from jobs.queue import Requested
from jobs.workers import is_alive, this_worker

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HERE = this_worker()
ELSEWHERE = "another-machine:4711:1795000000.00"


def named(name: str) -> Job:
    return Job(name, name, lambda _engine, _params, _run: Outcome("done"), DayParameters)


JOB, OTHER = named("count_things"), named("weigh_things")


def ask(
    engine: Engine, job: Job = JOB, now: datetime = NOW, join_running: bool = False, **params: Any
) -> Requested:
    return queue.request(
        engine, job, job.read(params), trigger="manual", by="ada", now=now, join_running=join_running
    )


def take(engine: Engine, worker: str = HERE, now: datetime = NOW, **params: Any) -> Claimed:
    """A fresh run, claimed."""
    run_id = ask(engine, now=now, **params).id
    claimed = claims.claim(engine, worker, now, run_id)
    assert claimed is not None
    return claimed


def row(engine: Engine, run_id: int) -> Any:
    return queue.run_row(engine, run_id)


def statuses(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(JobRun.status).order_by(JobRun.id)))


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Calls functions in threads that start together; returns what they returned."""
    barrier, found = threading.Barrier(len(calls)), [None] * len(calls)

    def one(number: int) -> None:
        barrier.wait(10)
        try:
            found[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - it is looked at by the test
            found[number] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return found


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.005)


def somebody_waits_for_a_lock(engine: Engine) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with engine.connect() as connection:
        return bool(connection.scalar(text(waiting)))


@pytest.fixture
def dead_worker() -> str:
    """The name of a process of this machine that has ended."""
    script = "from jobs.workers import this_worker; print(this_worker())"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return ended.stdout.strip()


@pytest.fixture
def living_worker() -> Iterator[str]:
    """The name of another process of this machine that works."""
    script = "from jobs.workers import this_worker; print(this_worker(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate("\n", timeout=10)


# Asking


def test_request_is_recorded(engine: Engine) -> None:
    asked = ask(engine, day="2026-11-16")
    assert asked.fresh
    found = row(engine, asked.id)
    assert (found.job, found.status, found.trigger, found.triggered_by) == (
        "count_things",
        "queued",
        "manual",
        "ada",
    )
    assert found.params == {"day": "2026-11-16"}
    assert (found.queued_at, found.started_at, found.finished_at, found.attempt) == (NOW, None, None, 1)


def test_second_request_finds_the_run_that_waits(engine: Engine) -> None:
    first = ask(engine)
    assert ask(engine) == Requested(first.id, fresh=False)
    assert ask(engine, dry_run=False) == Requested(first.id, fresh=False), "a default that is spelled out"
    assert statuses(engine) == ["queued"]


def test_other_parameters_and_other_jobs_have_runs_of_their_own(engine: Engine) -> None:
    ids = {
        ask(engine).id,
        ask(engine, dry_run=True).id,
        ask(engine, day="2026-11-16").id,
        ask(engine, OTHER).id,
    }
    assert len(ids) == 4


def test_request_while_the_same_runs_waits_behind_it_or_joins_it(engine: Engine) -> None:
    """Rows may have come since it started, so only who asks for it joins the running one."""
    running = take(engine)
    assert ask(engine, join_running=True) == Requested(running.id, fresh=False)
    waiting = ask(engine)
    assert waiting.fresh
    assert waiting.id != running.id


def test_many_requests_at_once_make_one_run(engine: Engine) -> None:
    found = at_once(*[lambda: ask(engine)] * 6)
    assert len({asked.id for asked in found}) == 1
    assert sorted(asked.fresh for asked in found) == [False] * 5 + [True]
    assert statuses(engine) == ["queued"]


def test_request_while_the_schedule_queues_the_same(postgresql_engine: Engine) -> None:
    """The other transaction has inserted its row and not committed yet; the request waits and finds that row."""
    engine = postgresql_engine
    found: list[Any] = []

    def request() -> None:
        try:
            found.append(ask(engine))
        except AssertionError as error:
            found.append(error)

    asking = threading.Thread(target=request)
    with bookkeeping(engine) as connection:
        there = queue.insert_run(
            connection, JOB, JOB.read({}), status="queued", trigger="schedule", by="", now=NOW
        )
        asking.start()
        wait_until(lambda: somebody_waits_for_a_lock(engine))
    asking.join(10)
    assert found == [Requested(there, fresh=False)]


# Taking


def test_claim_takes_the_oldest_and_marks_it(engine: Engine) -> None:
    later = ask(engine, now=NOW + MINUTE)
    first = ask(engine, OTHER, now=NOW)
    claimed = claims.claim(engine, HERE, NOW + HOUR)
    assert claimed == Claimed(first.id, "weigh_things", {}, 1, "", HERE, "manual", "ada")
    found = row(engine, first.id)
    assert (found.status, found.worker) == ("running", HERE)
    assert found.started_at == found.heartbeat_at == NOW + HOUR
    assert row(engine, later.id).status == "queued"


def test_claim_of_an_empty_queue(engine: Engine) -> None:
    assert claims.claim(engine, HERE, NOW) is None
    take(engine)
    assert claims.claim(engine, HERE, NOW) is None


def test_one_run_of_a_job_at_a_time(engine: Engine) -> None:
    running = take(engine)
    waiting = ask(engine, day="2026-11-16")
    assert claims.claim(engine, ELSEWHERE, NOW) is None
    assert claims.claim(engine, ELSEWHERE, NOW, waiting.id) is None
    other = ask(engine, OTHER)
    claimed = claims.claim(engine, ELSEWHERE, NOW)
    assert claimed is not None
    assert claimed.id == other.id, "another job need not wait"
    assert claims.finish(engine, running, "succeeded", NOW)
    claimed = claims.claim(engine, ELSEWHERE, NOW)
    assert claimed is not None
    assert claimed.id == waiting.id


def test_claims_at_once_of_one_run(engine: Engine) -> None:
    ask(engine)
    found = at_once(*(lambda n=n: claims.claim(engine, f"worker:{n}:0", NOW) for n in range(6)))
    [claimed] = [claim for claim in found if claim]
    assert row(engine, claimed.id).worker == claimed.worker


def test_claims_at_once_of_two_runs_of_one_job(engine: Engine) -> None:
    runs = [ask(engine, day=f"2026-11-{day}").id for day in (16, 17, 18)]
    found = at_once(*(lambda n=n: claims.claim(engine, f"worker:{n}:0", NOW, runs[n]) for n in range(3)))
    assert [bool(claim) for claim in found].count(True) == 1
    assert sorted(statuses(engine)) == ["queued", "queued", "running"]


def scheduled(engine: Engine, name: str, at: datetime | None, status: str = "queued") -> int:
    job = named(name)
    with bookkeeping(engine) as connection:
        found = queue.insert_run(
            connection,
            job,
            job.read({"day": at.date()} if at else {}),
            status=status,
            trigger="schedule",
            by="",
            now=NOW,
            scheduled_for=at,
        )
    assert found
    return found


@pytest.mark.parametrize("end", ["succeeded", "failed", "lost", "cancelled"])
def test_a_run_on_schedule_waits_for_the_job_before_it_however_that_ends(engine: Engine, end: str) -> None:
    adjust = scheduled(engine, "adjust_weights", NOW)
    before = scheduled(engine, "retrain", NOW)
    assert claims.claim(engine, HERE, NOW, adjust) is None
    other = claims.claim(engine, HERE, NOW)
    assert other and other.id == before
    assert claims.claim(engine, HERE, NOW) is None, "it waits for one that runs, too"
    assert claims.finish(engine, other, end, NOW)
    taken = claims.claim(engine, HERE, NOW)
    assert taken and taken.id == adjust


def test_a_run_that_is_asked_for_or_has_another_slot_waits_for_nobody(engine: Engine) -> None:
    scheduled(engine, "retrain", NOW)
    claims.claim(engine, HERE, NOW)
    scheduled(engine, "retrain", None)
    for at in (None, NOW + HOUR):
        asked = scheduled(engine, "adjust_weights", at)
        taken = claims.claim(engine, HERE, NOW, asked)
        assert taken and claims.finish(engine, taken, "succeeded", NOW)


def test_run_that_waits_for_its_next_attempt_is_not_taken_before(engine: Engine) -> None:
    run = take(engine)
    claims.put_back(engine, run, NOW, "The database was locked.", "log", after=10 * SECOND)
    assert claims.claim(engine, HERE, NOW + 9.9 * SECOND) is None
    assert claims.claim(engine, HERE, NOW + 9.9 * SECOND, run.id) is None
    again = claims.claim(engine, HERE, NOW + 10 * SECOND)
    assert again is not None
    assert (again.id, again.attempt, again.log) == (run.id, 2, "log")
    assert row(engine, run.id).not_before is None


# Being alive, and ending


def test_beat_tells_how_far_it_is_and_learns_of_a_cancel(engine: Engine) -> None:
    run = take(engine)
    assert claims.beat(engine, run, NOW + SECOND, 0.5, "half", "line\n") is Signal.GO_ON
    found = row(engine, run.id)
    assert (found.heartbeat_at, found.progress, found.message, found.log) == (
        NOW + SECOND,
        0.5,
        "half",
        "line\n",
    )
    queue.cancel(engine, run.id, NOW)
    assert claims.beat(engine, run, NOW + SECOND, 0.5, "half", "") is Signal.CANCEL


def test_what_a_worker_says_after_its_run_was_taken_away_changes_nothing(engine: Engine) -> None:
    run = take(engine, ELSEWHERE)
    assert reap(engine, NOW + HOUR) == 1
    for _taken_by_another in (False, True):
        before = row(engine, run.id)
        assert claims.beat(engine, run, NOW + HOUR, 0.9, "nearly", "") is Signal.GONE
        assert not claims.finish(engine, run, "succeeded", NOW + HOUR, message="done")
        claims.put_back(engine, run, NOW + HOUR, "stopped", "", after=None)
        assert row(engine, run.id) == before
        claims.claim(engine, HERE, NOW + HOUR, run.id)
    assert row(engine, run.id).worker == HERE


def test_finish_ends_it_once(engine: Engine) -> None:
    run = take(engine)
    assert claims.finish(engine, run, "succeeded", NOW + MINUTE, rows_written=3, result={"days": 1})
    assert not claims.finish(engine, run, "failed", NOW + HOUR)
    found = row(engine, run.id)
    assert (found.status, found.finished_at, found.rows_written, found.result) == (
        "succeeded",
        NOW + MINUTE,
        3,
        {"days": 1},
    )


def test_put_back_without_a_fault_counts_no_attempt(engine: Engine) -> None:
    run = take(engine)
    claims.put_back(engine, run, NOW, "Its worker was stopped.", "log", after=None)
    found = row(engine, run.id)
    assert (found.status, found.attempt, found.not_before, found.worker) == ("queued", 1, None, None)
    assert found.message == "Its worker was stopped."


@pytest.mark.parametrize("how", ["put back", "put back all", "reaped"])
def test_put_back_while_the_same_waits_ends_as_covered(engine: Engine, how: str) -> None:
    run = take(engine, ELSEWHERE)
    later = ask(engine)
    if how == "put back":
        claims.put_back(engine, run, NOW, "Stopped.", "log", after=None)
    elif how == "put back all":
        claims.put_back_all(engine, ELSEWHERE, NOW)
    else:
        reap(engine, NOW + HOUR)
    found = row(engine, run.id)
    assert found.status == "covered"
    assert found.finished_at is not None
    assert found.message.endswith("A later run does the same.")
    assert row(engine, later.id).status == "queued"


def test_put_back_all_takes_the_runs_of_one_worker(engine: Engine) -> None:
    mine, other = take(engine, ELSEWHERE), ask(engine, OTHER).id
    theirs = claims.claim(engine, HERE, NOW, other)
    assert theirs is not None
    claims.put_back_all(engine, ELSEWHERE, NOW)
    assert row(engine, mine.id).status == "queued"
    assert row(engine, other).status == "running"


# Cancelling


def test_cancel_of_a_waiting_run(engine: Engine) -> None:
    run_id = ask(engine).id
    assert queue.cancel(engine, run_id, NOW) == f"Run {run_id} was waiting and is cancelled."
    found = row(engine, run_id)
    assert (found.status, found.finished_at) == ("cancelled", NOW)
    assert claims.claim(engine, HERE, NOW) is None


def test_cancel_of_a_running_run_asks_it_to_stop(engine: Engine) -> None:
    run = take(engine)
    assert "stops at its next step" in queue.cancel(engine, run.id, NOW)
    found = row(engine, run.id)
    assert (found.status, found.cancel_requested) == ("running", True)


def test_cancel_of_an_ended_run(engine: Engine) -> None:
    run = take(engine)
    claims.finish(engine, run, "succeeded", NOW)
    with pytest.raises(Refused, match=r"has ended already \(succeeded\)") as refused:
        queue.cancel(engine, run.id, NOW)
    assert refused.value.status == 1
    assert row(engine, run.id).status == "succeeded"


def test_cancel_of_an_unknown_run(engine: Engine) -> None:
    with pytest.raises(Refused, match="There is no run 99") as refused:
        queue.cancel(engine, 99, NOW)
    assert refused.value.status == 2


@pytest.mark.parametrize("after", [None, 10 * SECOND], ids=["stopped", "fault"])
def test_run_that_should_stop_is_not_put_back(engine: Engine, after: timedelta | None) -> None:
    """Its worker stops, or meets a fault, before it sees the request: a person said that it should end."""
    run = take(engine)
    queue.cancel(engine, run.id, NOW)
    claims.put_back(engine, run, NOW + SECOND, "Stopped.", "log", after)
    found = row(engine, run.id)
    assert (found.status, found.finished_at, found.log) == ("cancelled", NOW + SECOND, "log")


# Runs whose worker is gone


def test_run_of_a_dead_worker_of_this_machine_is_put_back_at_once(engine: Engine, dead_worker: str) -> None:
    run = take(engine, dead_worker)
    assert reap(engine, NOW + SECOND) == 1
    found = row(engine, run.id)
    assert (found.status, found.attempt, found.worker) == ("queued", 2, None)
    assert "Its worker stopped without a word." in found.log
    assert reap(engine, NOW + SECOND) == 0


def test_run_of_a_dead_worker_that_should_stop_is_cancelled(engine: Engine, dead_worker: str) -> None:
    run = take(engine, dead_worker)
    queue.cancel(engine, run.id, NOW)
    reap(engine, NOW + SECOND)
    found = row(engine, run.id)
    assert (found.status, found.finished_at) == ("cancelled", NOW + SECOND)


def test_silent_worker_of_another_machine_is_given_90_seconds(engine: Engine) -> None:
    run = take(engine, ELSEWHERE)
    claims.beat(engine, run, NOW + MINUTE, 0.1, "", "")
    assert reap(engine, NOW + MINUTE + 90 * SECOND) == 0
    assert row(engine, run.id).status == "running"
    assert reap(engine, NOW + MINUTE + 91 * SECOND) == 1
    assert row(engine, run.id).status == "queued"


def test_living_worker_of_this_machine_is_left_alone(engine: Engine, living_worker: str) -> None:
    """Also when it is silent: another program may hold the write lock for minutes."""
    run = take(engine, living_worker)
    assert reap(engine, NOW + 4 * MINUTE) == 0
    assert row(engine, run.id).status == "running"
    assert reap(engine, NOW + 6 * MINUTE) == 1, "it hangs"


def test_worker_with_the_number_of_an_ended_one_is_another_one(engine: Engine) -> None:
    host, number, start = HERE.rsplit(":", 2)
    run = take(engine, f"{host}:{number}:{float(start) - 60:.2f}")
    assert reap(engine, NOW + 91 * SECOND) == 1
    assert row(engine, run.id).status == "queued"


def test_after_three_attempts_it_is_lost(engine: Engine, dead_worker: str) -> None:
    run_id = ask(engine).id
    for attempt in (1, 2, 3):
        claimed = claims.claim(engine, dead_worker, NOW)
        assert claimed is not None
        assert claimed.attempt == attempt
        assert reap(engine, NOW + attempt * MINUTE) == 1
    found = row(engine, run_id)
    assert (found.status, found.finished_at) == ("lost", NOW + 3 * MINUTE)
    assert found.error == "Its worker stopped without a word, 3 times; it is not tried again."
    assert found.log.count("without a word") == 3
    assert claims.claim(engine, HERE, NOW + HOUR) is None


def test_two_that_reap_at_once_put_back_once(engine: Engine, dead_worker: str) -> None:
    run = take(engine, dead_worker)
    at_once(*[lambda: reap(engine, NOW + SECOND)] * 4)
    assert row(engine, run.id).attempt == 2


@pytest.mark.parametrize("worker", [HERE, ELSEWHERE], ids=["here", "elsewhere"])
def test_clock_set_back_makes_no_run_lost(engine: Engine, worker: str) -> None:
    run = take(engine, worker)
    assert reap(engine, NOW - HOUR) == 0
    assert claims.beat(engine, run, NOW - HOUR, 0.5, "", "") is Signal.GO_ON
    assert reap(engine, NOW - HOUR + SECOND) == 0
    assert row(engine, run.id).status == "running"


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's start of the machine")
@pytest.mark.parametrize("step", [-3600, -1, 1, 3600])
def test_worker_is_still_itself_after_the_machines_clock_was_set(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setting the clock moves what the system says of its start, and so the start of every process."""
    boot_time = psutil._pslinux.boot_time
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: boot_time() + step)
    assert is_alive(HERE)


def test_worker_names(dead_worker: str, living_worker: str) -> None:
    assert is_alive(HERE)
    assert is_alive(living_worker)
    assert is_alive(dead_worker) is False
    assert is_alive(ELSEWHERE) is None
    assert len({HERE, dead_worker, living_worker}) == 3
    assert f":{os.getpid()}:" in HERE


def test_ids_of_runs_are_never_used_again(engine: Engine) -> None:
    """A page that watches run 1 must not see another run there."""
    first = ask(engine).id
    with engine.begin() as connection:
        connection.execute(update(JobRun).values(status="cancelled"))
        assert connection.scalar(select(func.count()).select_from(JobRun)) == 1
    assert ask(engine).id > first
