"""Processes that are killed, stopped or started twice in the middle of an aggregation; real ones, on both engines."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update
from test_aggregate_models import aggregated, assert_same, expected, figures, noon, source

import settings
from db.engine import engine_for
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import JobRun
from jobs import queue
from jobs.__main__ import main
from jobs.health import health
from jobs.loop import Loop
from jobs.timetable import JOBS
from tests.conftest import Built
from tests.database.conftest import fresh
from tests.filled import upgraded

ROWS, DAYS, MODELS = 6_000, 200, 4  # seven transactions of 31 days
LAST = date(2024, 11, 18)
JOB = JOBS["aggregate_models"]
PATIENCE = 30  # seconds, for what takes well under one


def wait_for(found: Callable[[], Any]) -> Any:
    """What the function finds as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE
    while not (result := found()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)
    return result


@contextmanager
def started(engine: Engine, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m jobs …` as a process of its own, on the test's database."""
    environment = os.environ | {"DATABASE_URL": engine.url.render_as_string(hide_password=False)}
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", *arguments],
        cwd=settings.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def running(engine: Engine, process: subprocess.Popen[str] | None = None) -> Any:
    """The run of the aggregation that is under way, or that of the process."""
    mine = select(JobRun).where(JobRun.job == JOB.name, JobRun.status == "running")
    with engine.connect().execution_options(readonly=True) as connection:
        row = connection.execute(mine).one_or_none()
    return row if row and (process is None or f":{process.pid}:" in row.worker) else None


def runs(engine: Engine) -> list[Any]:
    with engine.connect().execution_options(readonly=True) as connection:
        return list(connection.execute(select(JobRun).where(JobRun.job == JOB.name).order_by(JobRun.id)))


def ask(engine: Engine) -> None:
    queue.request(engine, JOB, JOB.read({}), trigger="manual", by="", now=datetime.now(UTC))


def seen(engine: Engine) -> bool:
    """Whether a loop has looked at the clock."""
    return health(engine, settings.load(), datetime.now(UTC)).worker_is_there


def fill(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.execute(insert(Model), [{"id": n + 1, "name": f"model-{n + 1}"} for n in range(MODELS)])
        connection.execute(
            insert(ModelEvaluation),
            [
                {
                    "prediction_id": f"p{n}",
                    "model_id": 1 + n % MODELS,
                    "predicted_at": noon(LAST - timedelta(days=n // MODELS % DAYS), n % 60),
                    "evaluated_at": noon(LAST),
                    "final_score": n * 7919 % 1000 / 10,
                    "human_rating_overall": None if n % 3 else 1 + n % 5,
                    "target_achieved": bool(n % 2),
                }
                for n in range(ROWS)
            ],
        )
    return engine


@pytest.fixture(scope="session")
def sqlite_filled(built: Built) -> Path:
    return built("faults", lambda path: fill(upgraded(path)))


@pytest.fixture(scope="session")
def postgresql_filled(postgresql_server: Engine, postgresql_template: str) -> Iterator[str]:
    """The database's name; nobody is connected to it, so it can be copied."""
    for engine in fresh(postgresql_server, f"TEMPLATE {postgresql_template}"):
        fill(engine).dispose()
        yield str(engine.url.database)


@pytest.fixture
def filled(
    engine_name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """6,000 rows of four models over 200 days; every day is stale."""
    if engine_name == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_filled"), tmp_path / "tidemark.db")
        made = iter((engine_for(f"sqlite:///{tmp_path / 'tidemark.db'}"),))
    else:
        server, template = map(request.getfixturevalue, ("postgresql_server", "postgresql_filled"))
        made = fresh(server, f"TEMPLATE {template}")
    for engine in made:
        monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
        yield engine
        engine.dispose()


def change_everything(engine: Engine, turn: int) -> None:
    """Makes every day stale again, and every figure different from before."""
    score = func.abs(100 - ModelEvaluation.final_score - turn / 100)
    with engine.begin() as connection:
        connection.execute(update(ModelEvaluation).values(final_score=score))


def assert_whole_days(found: dict[Any, Any], before: dict[Any, Any], wanted: dict[Any, Any]) -> int:
    """Every row is what it was or what it should be, nothing in between; returns how many are new."""
    fresh = {key: row for key, row in found.items() if row != before.get(key)}
    assert_same(fresh, {key: wanted[key] for key in fresh})
    assert before.keys() <= found.keys()
    return len(fresh)


def test_kill_at_any_moment_leaves_whole_days_and_the_next_run_mends_it(filled: Engine) -> None:
    chance, loop = random.Random(20261120), Loop(filled, settings.load())
    assert main(["run", JOB.name]) == 0
    [first] = runs(filled)
    takes = (first.finished_at - first.started_at).total_seconds()
    in_the_middle = 0
    for turn in range(14):
        if turn >= 2 and in_the_middle:
            break  # a run in the shell and one of a loop were killed; make soak goes on
        change_everything(filled, turn)
        before, wanted = figures(aggregated(filled)), expected(source(filled))
        if turn % 2:
            ask(filled)
        with started(filled, *(["loop"] if turn % 2 else ["run", JOB.name])) as process:
            run = wait_for(lambda: running(filled, process))
            time.sleep(chance.uniform(0, takes))
            process.send_signal(signal.SIGKILL)
            assert process.wait(PATIENCE) == -signal.SIGKILL or not turn % 2
        fresh = assert_whole_days(figures(aggregated(filled)), before, wanted)
        in_the_middle += 0 < fresh < len(wanted)
        loop.tick()
        assert running(filled) is None
        assert queue.run_row(filled, run.id).status in ("queued", "lost", "succeeded")
    assert in_the_middle > 0, "no kill came in the middle of the work"
    assert main(["run", JOB.name]) == 0
    assert_same(aggregated(filled), expected(source(filled)))
    assert runs(filled)[-1].status == "succeeded"
    assert {run.status for run in runs(filled)} <= {"succeeded", "lost"}


def test_stop_of_the_loop_ends_it_in_seconds_and_its_run_goes_back(filled: Engine) -> None:
    ask(filled)
    wanted = expected(source(filled))
    with started(filled, "loop") as process:
        run = wait_for(lambda: running(filled, process))
        process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        _out, log = process.communicate(timeout=PATIENCE)
        assert time.monotonic() - told < 10
    assert process.returncode == 0
    assert "Traceback" not in log
    row = queue.run_row(filled, run.id)
    assert row.status in ("queued", "succeeded")
    assert row.attempt == 1
    assert_whole_days(figures(aggregated(filled)), {}, wanted)
    assert main(["run", JOB.name]) == 0
    assert_same(aggregated(filled), wanted)


@pytest.mark.parametrize(
    ("engine_name", "number"), [("sqlite", signal.SIGINT), ("postgresql", signal.SIGTERM)]
)
def test_stop_of_a_run_in_the_shell_ends_it_at_its_next_step(filled: Engine, number: int) -> None:
    """Not inside a transaction, whose lock would stay; SIGTERM leaves the run to the next worker, Ctrl-C cancels it.

    What a signal does knows no engine; the end of a run that it leads to is written on both.
    """
    chance = random.Random(number)
    ends = {signal.SIGTERM: (143, "queued"), signal.SIGINT: (130, "cancelled")}
    for turn in range(4):
        change_everything(filled, turn)
        with started(filled, "run", JOB.name) as process:
            run = wait_for(lambda process=process: running(filled, process))
            time.sleep(chance.uniform(0, 0.1))
            process.send_signal(number)
            told = time.monotonic()
            _out, log = process.communicate(timeout=PATIENCE)
            assert time.monotonic() - told < 10
        assert "Traceback" not in log
        ended = queue.run_row(filled, run.id)
        came_late = ended.status == "succeeded" and process.returncode in (0, -number, 128 + number)
        assert came_late or (process.returncode, ended.status) == ends[signal.Signals(number)], log
        if not came_late:
            became = {"queued": "is back in the queue", "cancelled": "is cancelled; what it finished stays"}
            assert f"Run {run.id} {became[ended.status]}" in log.splitlines()[-1]
            assert (ended.message == "Cancelled.") == (ended.status == "cancelled")
            break
    else:
        pytest.fail("each run was faster than its signal")
    assert main(["run", JOB.name]) == 0
    assert_same(aggregated(filled), expected(source(filled)))


def test_reader_that_has_seen_enough_is_no_fault(filled: Engine) -> None:
    with started(filled, "run", JOB.name, "--dry-run") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
        assert process.wait(PATIENCE) == 141


def test_idle_loop_stops_at_once(engine: Engine) -> None:
    with started(engine, "loop") as process:
        wait_for(lambda: seen(engine))
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_two_aggregations_at_once_go_one_after_the_other(filled: Engine) -> None:
    with (
        started(filled, "run", JOB.name) as one,
        started(filled, "run", JOB.name, "--since", "2024-01-01", "--until", "2024-12-31") as other,
    ):
        assert [process.wait(PATIENCE) for process in (one, other)] == [0, 0]
    first, second = sorted(runs(filled), key=lambda run: run.started_at)
    assert {run.params.get("since") for run in (first, second)} == {None, "2024-01-01"}
    assert first.finished_at <= second.started_at
    assert first.worker != second.worker
    assert_same(aggregated(filled), expected(source(filled)))


def test_the_same_asked_for_twice_at_once_is_answered_twice(filled: Engine) -> None:
    with started(filled, "run", JOB.name) as one, started(filled, "run", JOB.name) as other:
        assert [process.wait(PATIENCE) for process in (one, other)] == [0, 0]
    assert {run.status for run in runs(filled)} == {"succeeded"}
    assert_same(aggregated(filled), expected(source(filled)))


def test_run_in_the_shell_follows_the_worker_that_was_faster(filled: Engine) -> None:
    """A loop works already; the command waits for its run, tells the end and gives its exit status."""
    with started(filled, "loop") as loop:
        wait_for(lambda: seen(filled))
        with started(filled, "run", JOB.name, "--json") as process:
            out, _log = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
        loop.send_signal(signal.SIGTERM)
        assert loop.wait(10) == 0
    assert '"status": "succeeded"' in out
    assert_same(aggregated(filled), expected(source(filled)))
