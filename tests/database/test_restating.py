"""What aggregate_models keeps of figures that changed long after they were complete."""

import math
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from test_aggregate_models import (
    MONDAY,
    NEW_YORK,
    NOW,
    TUESDAY,
    Here,
    aggregate,
    aggregated,
    change,
    figures,
    noon,
    remove,
    row,
    scored,
    store,
)

from db.calendar import change_timezone
from db.clock import utc_now
from db.tables.models import DailyModelPerformance
from db.tables.operations import Restatement
from jobs import stale

DAY = timedelta(days=1)
WEEK_LATER, MUCH_LATER = NOW + 7 * DAY, NOW + 8 * DAY
THREE_DAYS = (MONDAY - DAY, MONDAY, TUESDAY)

Told = dict[tuple[str, str], tuple[float | None, float | None]]


@pytest.fixture
def settled(engine: Engine) -> Engine:
    """Three days of two models, three evaluated predictions each, aggregated."""
    store(
        engine,
        (
            scored(f"{day:%d}/{model}/{n}", 50 + 10 * n + model, day, model)
            for day in THREE_DAYS
            for model in (1, 2)
            for n in range(3)
        ),
    )
    aggregate(engine)
    return engine


def restatements(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(Restatement).order_by(Restatement.id)))


def told(engine: Engine) -> Told:
    """Old and new by key and column; each is there once."""
    rows = restatements(engine)
    found = {(row.key, row.column): (row.old, row.new) for row in rows}
    assert len(found) == len(rows)
    return found


def test_correction_of_a_settled_day_keeps_old_and_new(settled: Engine) -> None:
    old = aggregated(settled)["model-2", MONDAY]
    change(settled, "16/2/0", final_score=1)
    aggregate(settled, Here(MUCH_LATER, id=17))
    new = aggregated(settled)["model-2", MONDAY]
    assert told(settled) == {
        ("2/2026-11-16", name): (pytest.approx(old[name], rel=1e-9), pytest.approx(new[name], rel=1e-9))
        for name in ("avg_final_score", "std_final_score")
    }
    [first, _second] = restatements(settled)
    assert (first.table_name, first.run, first.at) == ("daily_model_performance", 17, MUCH_LATER)


def test_running_again_records_nothing_more(settled: Engine) -> None:
    change(settled, "16/2/0", final_score=1)
    for _again in range(2):
        aggregate(settled, Here(MUCH_LATER), since=THREE_DAYS[0], until=TUESDAY)
        assert len(restatements(settled)) == 2


@pytest.mark.parametrize(
    ("after", "recorded"),
    [(timedelta(0), 0), (timedelta(microseconds=1), 2)],
    ids=["just 7 days", "over 7 days"],
)
def test_complete_for_over_seven_days(settled: Engine, after: timedelta, recorded: int) -> None:
    change(settled, "16/2/0", final_score=1)
    aggregate(settled, Here(WEEK_LATER + after))
    assert len(restatements(settled)) == recorded


def test_what_moved_lately_is_not_settled_yet(settled: Engine) -> None:
    """A second correction within a week corrects the first; a week later it would be another one."""
    for number, at in enumerate((MUCH_LATER, MUCH_LATER + 3 * DAY, MUCH_LATER + 12 * DAY)):
        change(settled, "16/2/0", final_score=number)
        aggregate(settled, Here(at))
    times = Counter(row.at for row in restatements(settled) if row.column == "avg_final_score")
    assert times == {MUCH_LATER: 1, MUCH_LATER + 12 * DAY: 1}


def test_day_that_waited_for_an_evaluation_was_not_complete(settled: Engine) -> None:
    store(settled, [row("late")])
    aggregate(settled)
    change(settled, "late", final_score=99, evaluated_at=NOW)
    aggregate(settled, Here(MUCH_LATER))
    assert restatements(settled) == []


def test_new_prediction_of_a_settled_day_counts(settled: Engine) -> None:
    store(settled, [row("forgotten")])
    aggregate(settled, Here(MUCH_LATER))
    assert told(settled) == {("1/2026-11-16", "total_predictions"): (3, 4)}


def test_figures_that_came_and_that_went(settled: Engine) -> None:
    change(settled, "16/1/0", target_achieved=True)
    for n in range(3):
        change(settled, f"16/2/{n}", final_score=None)
    aggregate(settled, Here(MUCH_LATER))
    found = told(settled)
    assert found["1/2026-11-16", "target_achieved_rate"] == (None, 100)
    assert found["2/2026-11-16", "avg_final_score"] == (62, None)
    assert found["2/2026-11-16", "scored_count"] == (3, 0)


def test_row_that_vanished_leaves_all_its_figures(settled: Engine) -> None:
    old = figures(aggregated(settled))["model-1", MONDAY]
    remove(settled, *(f"16/1/{n}" for n in range(3)))
    aggregate(settled, Here(MUCH_LATER))
    held = {name: value for name, value in old.items() if value is not None}
    assert told(settled) == {("1/2026-11-16", name): (value, None) for name, value in held.items()}
    aggregate(settled, Here(MUCH_LATER + DAY), since=MONDAY, until=MONDAY)
    assert len(restatements(settled)) == len(held)


def test_rows_that_move_restate_both_days(settled: Engine) -> None:
    change(settled, "16/1/2", predicted_at=noon(TUESDAY))
    aggregate(settled, Here(MUCH_LATER))
    assert {key for key, _column in told(settled)} == {"1/2026-11-16", "1/2026-11-17"}


def test_a_day_that_had_no_row_is_not_restated(settled: Engine) -> None:
    store(settled, [scored("older", 50, MONDAY - 30 * DAY)])
    aggregate(settled, Here(MUCH_LATER))
    assert restatements(settled) == []


def test_dry_run_records_nothing(settled: Engine) -> None:
    change(settled, "16/2/0", final_score=1)
    assert aggregate(settled, Here(MUCH_LATER), dry_run=True).result["changed"] == 1
    assert restatements(settled) == []


@pytest.mark.parametrize(("off_by", "recorded"), [(1e-12, 0), (1e-6, 6)])
def test_difference_of_rounding_is_no_restatement(settled: Engine, off_by: float, recorded: int) -> None:
    with settled.begin() as connection:
        mean = DailyModelPerformance.avg_final_score
        connection.execute(update(DailyModelPerformance).values(avg_final_score=mean * (1 + off_by)))
    aggregate(settled, Here(MUCH_LATER), since=THREE_DAYS[0], until=TUESDAY)
    assert len(restatements(settled)) == recorded


def test_row_written_for_another_figure_tells_only_what_differs(settled: Engine) -> None:
    with settled.begin() as connection:
        mean = DailyModelPerformance.avg_final_score
        values = {"avg_final_score": mean * (1 + 1e-12), "human_evaluated_count": 5}
        connection.execute(update(DailyModelPerformance).values(**values))
    aggregate(settled, Here(MUCH_LATER), day=MONDAY)
    assert {column for _key, column in told(settled)} == {"human_evaluated_count"}


def test_many_chunks_record_what_one_does(settled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stale, "CHUNK_PAIRS", 1)
    for day in THREE_DAYS:
        for model in (1, 2):
            change(settled, f"{day:%d}/{model}/0", final_score=90)
    aggregate(settled, Here(MUCH_LATER))
    assert Counter(column for _key, column in told(settled)) == {"avg_final_score": 6, "std_final_score": 6}


def test_a_run_that_breaks_off_records_nothing(settled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row and its restatement are one transaction."""
    change(settled, "16/2/0", final_score=1)

    def fails(*_arguments: Any) -> None:
        raise OSError

    monkeypatch.setattr("jobs.aggregate_models.take_marks_off", fails)
    with pytest.raises(OSError):
        aggregate(settled, Here(MUCH_LATER))
    assert restatements(settled) == []
    monkeypatch.undo()
    aggregate(settled, Here(MUCH_LATER))
    assert len(restatements(settled)) == 2


def test_another_time_zone_restates_nothing(settled: Engine) -> None:
    with settled.begin() as connection:
        connection.execute(update(DailyModelPerformance).values(updated_at=NOW - 999 * DAY))
    change_timezone(settled, NEW_YORK)
    aggregate(settled, Here(utc_now() + DAY, NEW_YORK))
    assert len(aggregated(settled)) == 6
    assert restatements(settled) == []


def test_keys_are_iso_days_whatever_the_server_prefers(settled: Engine) -> None:
    change(settled, "16/2/0", final_score=1)
    aggregate(settled, Here(MUCH_LATER))
    with settled.connect() as connection:
        key = connection.scalar(select(func.min(Restatement.key)))
    assert date.fromisoformat(key.partition("/")[2]) == MONDAY
    assert math.isclose(told(settled)[key, "avg_final_score"][0] or 0, 62)
