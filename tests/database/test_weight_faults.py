"""An adjustment of weights that is killed at its worst moments, or comes twice at once; real processes."""

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from test_faults import PATIENCE, started

import settings
from db.clock import utc_now
from db.engine import writing
from db.tables.forecasts import PredictionOutcome
from db.tables.operations import JobRun
from jobs import queue
from jobs.__main__ import main
from jobs.loop import Loop
from jobs.timetable import JOBS
from soak import adjustments
from soak.adjustments import Held
from soak.processes import environment, wait_until_settled
from tests.database.conftest import in_turn

NAME, ROWS = "adjust_weights", 400
# A run in the shell that is killed right after a step of its own.
KILLED = """
import os, signal, sys
import {module} as module
from jobs.__main__ import main
step = module.{step}
def then_die(*arguments, **named):
    step(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
module.{step} = then_die
main({arguments})
"""


def run_and_die(engine: Engine, step: str, *arguments: str) -> None:
    module, _dot, name = step.rpartition(".")
    code = KILLED.format(module=module, step=name, arguments=list(arguments))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.ROOT, env=environment(engine, {}), timeout=PATIENCE
    )
    assert done.returncode == -9
    wait_until_settled(engine)


def runs(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(JobRun).order_by(JobRun.id)))


def mend(engine: Engine) -> None:
    """What the next loop does."""
    loop = Loop(engine, settings.load())
    loop.tick()
    while loop.work_once():
        pass


@pytest.fixture
def before(engine: Engine) -> Held:
    """Weights of twenty codes, whose outcomes have changed since."""
    adjustments.store_outcomes(engine, ROWS)
    assert main(["run", NAME]) == 0
    adjustments.change_outcomes(engine, 1)
    found = adjustments.in_force(engine)
    assert len(found) == 40 and not adjustments.same(found, adjustments.wanted(engine))
    return found


# Before the transaction, three times in it, and between its end and that of the run.
STEPS = (
    "jobs.adjusting.hold",
    "jobs.adjusting.write_performance",
    "jobs.ledger_rows.upsert_rows",
    "jobs.adjusting.write_decisions",
    "jobs.adjusting.adjust",
)


@pytest.mark.parametrize(("step", "engine_name"), in_turn(*STEPS))
def test_killed_after_a_step_it_leaves_all_old_or_all_new(engine: Engine, before: Held, step: str) -> None:
    run_and_die(engine, step, "run", NAME)
    inside, wanted = step != "jobs.adjusting.adjust", adjustments.wanted(engine)
    found = adjustments.in_force(engine)
    assert adjustments.same(found, before if inside else wanted)
    assert adjustments.same(found, adjustments.of_performance(engine))
    assert adjustments.ledger_faults(engine) == []
    mend(engine)
    assert adjustments.same(adjustments.in_force(engine), wanted)
    assert adjustments.ledger_faults(engine) == []
    first, killed = runs(engine)
    assert (killed.status, killed.attempt, killed.message) == ("succeeded", 2, first.message)


@pytest.mark.parametrize(("step", "engine_name"), in_turn("upsert_rows", "undo"))
def test_an_undo_that_is_killed_is_whole_or_not_there(engine: Engine, before: Held, step: str) -> None:
    assert main(["run", NAME]) == 0
    moved = adjustments.in_force(engine)
    run_and_die(engine, f"jobs.undoing_weights.{step}", "undo", NAME)
    assert adjustments.same(adjustments.in_force(engine), before if step == "undo" else moved)
    mend(engine)
    assert adjustments.same(adjustments.in_force(engine), before)
    assert adjustments.ledger_faults(engine) == []
    assert [run.status for run in runs(engine)] == ["succeeded"] * 3


def test_two_at_once_go_one_after_the_other(engine: Engine, before: Held) -> None:
    yesterday = str(utc_now().astimezone(settings.load().zone).date() - timedelta(days=1))
    with started(engine, "run", NAME) as one, started(engine, "run", NAME, "--day", yesterday) as other:
        assert [process.wait(PATIENCE) for process in (one, other)] == [0, 0]
    assert adjustments.same(adjustments.in_force(engine), adjustments.wanted(engine))
    assert adjustments.ledger_faults(engine) == []
    _first, *both = runs(engine)
    one_run, other_run = sorted(both, key=lambda run: run.started_at)
    assert one_run.finished_at <= other_run.started_at


def test_nobody_waits_while_the_window_is_read(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer comes in after the figures were computed, in the same file."""
    from jobs import adjusting

    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    adjustments.store_outcomes(sqlite_engine, ROWS)
    weighed = adjusting._weighed

    def slowly(*arguments: Any) -> Any:
        with writing(sqlite_engine) as connection:
            connection.execute(insert(PredictionOutcome), [adjustments._outcome(ROWS, utc_now())])
        return weighed(*arguments)

    monkeypatch.setattr(adjusting, "_weighed", slowly)
    job = JOBS[NAME]
    queue.request(sqlite_engine, job, job.read({}), trigger="manual", by="", now=utc_now())
    mend(sqlite_engine)
    assert [run.status for run in runs(sqlite_engine)] == ["succeeded"]
    assert len(adjustments.in_force(sqlite_engine)) == 40
