"""A range of which only the stale or the missing days are computed, or all; and going on after a stop."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update
from test_aggregate_models import (
    LATER,
    MONDAY,
    NOW,
    SEOUL,
    Here,
    Key,
    aggregate,
    aggregated,
    assert_right,
    change,
    marks,
    scored,
    store,
    touched,
)
from test_jobs_command import Shell

from db.facts import fact
from db.tables.models import DailyModelPerformance
from db.tables.operations import AppFact
from jobs import claims, queue, stale
from jobs.aggregate_models import JOB
from jobs.runner import Cancelled, execute
from jobs.workers import this_worker

DAYS = [MONDAY - timedelta(days=k) for k in range(6)][::-1]
RANGE = {"since": DAYS[1], "until": DAYS[4]}


@pytest.fixture
def settled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Six days of two models, aggregated, then every row spoiled; a transaction computes one pair."""
    store(engine, (scored(f"{day:%d}/{model}", 50 + model, day, model) for day in DAYS for model in (1, 2)))
    aggregate(engine)
    spoil(engine)
    monkeypatch.setattr(stale, "CHUNK_PAIRS", 1)
    return engine


def spoil(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(DailyModelPerformance).values(total_predictions=99))


def forget(engine: Engine, day: date, model: int) -> None:
    """As if the day had never been aggregated."""
    d = DailyModelPerformance
    with engine.begin() as connection:
        connection.execute(delete(d).where(d.date == day, d.model_id == model))


def mended(engine: Engine) -> set[Key]:
    return {key for key, row in aggregated(engine).items() if row["total_predictions"] == 1}


def keys(days: list[date], *models: int) -> set[Key]:
    return {(f"model-{model}", day) for day in days for model in models}


def test_only_stale(settled: Engine) -> None:
    for name in (f"{DAYS[0]:%d}/1", f"{DAYS[2]:%d}/1", f"{DAYS[3]:%d}/2"):
        change(settled, name, final_score=7)
    aggregate(settled, Here(LATER), **RANGE, only="stale")
    assert mended(settled) == keys([DAYS[2]], 1) | keys([DAYS[3]], 2)
    assert marks(settled) == {(DAYS[0], "1")}
    aggregate(settled, Here(LATER), only="stale")
    assert mended(settled) >= keys([DAYS[0]], 1)


def test_only_missing(settled: Engine) -> None:
    for day, model in ((DAYS[0], 1), (DAYS[2], 1), (DAYS[4], 2)):
        forget(settled, day, model)
    aggregate(settled, Here(LATER), **RANGE, only="missing", model="model-1")
    assert mended(settled) == keys([DAYS[2]], 1)
    aggregate(settled, Here(LATER), **RANGE, only="missing")
    assert mended(settled) == keys([DAYS[2]], 1) | keys([DAYS[4]], 2)
    aggregate(settled, Here(LATER), only="missing")
    assert mended(settled) >= keys([DAYS[0]], 1)


@pytest.mark.parametrize(
    ("asked", "days"),
    [(RANGE, DAYS[1:5]), ({}, DAYS), ({"day": DAYS[3]}, [DAYS[3]])],
    ids=["range", "-", "day"],
)
def test_all(settled: Engine, asked: dict[str, Any], days: list[date]) -> None:
    aggregate(settled, Here(LATER), **asked, only="all")
    assert mended(settled) == keys(days, 1, 2)
    assert marks(settled) == set()
    assert {key for key, at in touched(settled).items() if at == LATER} == keys(days, 1, 2)


def test_all_of_one_model(settled: Engine) -> None:
    aggregate(settled, Here(LATER), **RANGE, only="all", model="model-2")
    assert mended(settled) == keys(DAYS[1:5], 2)
    assert marks(settled) == set()


@pytest.mark.parametrize("only", ["stale", "missing", "all"])
def test_dry_run_marks_and_writes_nothing(settled: Engine, only: str) -> None:
    before = aggregated(settled)
    aggregate(settled, Here(LATER), **RANGE, only=only, dry_run=True)
    assert (aggregated(settled), marks(settled)) == (before, set())


@pytest.mark.parametrize("only", ["stale", "missing", "all"])
def test_nothing_there(engine: Engine, only: str) -> None:
    assert aggregate(engine, only=only).rows_written == 0


class Stop:
    """Ends the run at its fourth step, as a person or a shutdown does."""

    def __call__(self, step: int) -> None:
        if step == 4:
            raise Cancelled


@pytest.mark.parametrize("only", ["stale", "missing", "all"])
def test_a_stopped_run_goes_on_with_what_is_left(settled: Engine, only: str) -> None:
    prepare: dict[str, Any] = {
        "stale": lambda: [change(settled, f"{day:%d}/{m}", final_score=7) for day in DAYS for m in (1, 2)],
        "missing": lambda: [forget(settled, day, model) for day in DAYS for model in (1, 2)],
        "all": list,
    }
    prepare[only]()
    params = JOB.read({"since": DAYS[0], "until": DAYS[-1], "only": only})
    with pytest.raises(Cancelled):
        aggregate(settled, Here(LATER, at_step=Stop()), **params.stored())
    assert len(mended(settled)) == 3
    assert JOB.rest is not None
    again = Here(LATER + timedelta(hours=1))
    outcome = aggregate(settled, again, **JOB.rest(params).stored())
    assert outcome.result["pairs"] == len(again.told) == 9, "three were done before"
    assert_right(settled)
    assert marks(settled) == set()


def test_a_run_taken_up_again_after_a_crash_goes_on_too(settled: Engine) -> None:
    """The same run, with the same parameters: it marks once only."""
    asked = queue.request(settled, JOB, JOB.read({**RANGE, "only": "all"}), trigger="manual", by="", now=NOW)
    with pytest.raises(Cancelled):
        aggregate(settled, Here(LATER, at_step=Stop(), id=asked.id), **RANGE, only="all")
    claimed = claims.claim(settled, this_worker(), LATER, asked.id)
    assert claimed is not None
    assert execute(settled, claimed, SEOUL, lambda: LATER) == "succeeded"
    assert queue.run_row(settled, asked.id).result["pairs"] == 5
    assert mended(settled) == keys(DAYS[1:5], 1, 2)
    with settled.connect() as connection:
        assert fact(connection, f"marked:{asked.id}")


def test_the_note_of_a_run_goes_with_the_day(settled: Engine) -> None:
    from datetime import UTC, datetime

    from jobs.history import trim_daily

    asked = queue.request(settled, JOB, JOB.read({}), trigger="manual", by="", now=NOW)
    with settled.begin() as connection:
        connection.execute(
            AppFact.__table__.insert(),
            [{"name": f"marked:{number}", "value": "1"} for number in (asked.id, asked.id + 77)],
        )
        trim_daily(connection, datetime(2030, 1, 1, tzinfo=UTC), SEOUL)
        left = connection.scalars(select(AppFact.name).where(AppFact.name.startswith("marked"))).all()
    assert left == [f"marked:{asked.id}"]


@pytest.fixture
def shell(engine: Engine, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_the_command(settled: Engine, shell: Shell) -> None:
    change(settled, f"{DAYS[2]:%d}/1", final_score=7)
    arguments = ("run", JOB.name, "--since", str(DAYS[1]), "--until", str(DAYS[4]), "--only")
    assert shell(*arguments, "stale") == 0
    assert mended(settled) == keys([DAYS[2]], 1)
    assert shell(*arguments, "all") == 0
    assert mended(settled) == keys(DAYS[1:5], 1, 2)
    assert shell(*arguments, "bogus") == 2
    assert "--only" in shell.err
