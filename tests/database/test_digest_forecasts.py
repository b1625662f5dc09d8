"""Forecasts in the weekly digest: right directions, weights that moved, models that are too old."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert
from test_aggregate_models import Here
from told_weeks import BEFORE, MONDAY, WEEK, Weeks, _noon

from db.tables.forecasts import EnsembleWeightHistory, TrainingRun
from db.tables.operations import JobRun
from jobs.aggregate_forecasts import aggregate_forecasts
from jobs.job import DayParameters

HEAD = "code,model,horizon,predicted_at,target_date,predicted_value,actual_value,base_value,resolved_at\n"


@pytest.fixture
def weeks(engine: Engine, tmp_path: Path) -> Weeks:
    made = Weeks(engine, tmp_path)
    lines = []
    for monday, right in ((BEFORE, 4), (WEEK, 6)):
        for k in range(8):
            actual = 101 if k < right else 99
            target = monday + timedelta(days=k % 7)
            at = _noon(monday, k % 7)
            lines.append(f"C{k},lgbm,5,{monday - timedelta(days=5)}T01:00:00Z,{target},101,{actual},100,{at}")
    made._bring("prediction_outcomes", HEAD, lines)
    aggregate_forecasts(engine, DayParameters(), Here(MONDAY))
    made.settle()
    return made


def told(weeks: Weeks) -> str:
    weeks.digest()
    return "\n".join(weeks.lines())


def test_right_directions_beside_the_week_before(weeks: Weeks) -> None:
    text = told(weeks)
    assert "Forecasts" in text
    assert "Right directions: lgbm 75.0% (before 50.0%, n = 8)" in text
    assert "Weights:" not in text and "Too old" not in text


def test_without_an_outcome_nothing_is_said(engine: Engine, tmp_path: Path) -> None:
    made = Weeks(engine, tmp_path)
    made.answers(WEEK, [8.0] * 5)
    made.settle()
    assert "Right directions" not in told(made) and "Forecasts" not in told(made)


MOVES = (
    ("C1", "chronos", 0.5, 0.45),
    ("C1", "lgbm", 0.5, 0.55),
    ("C2", "chronos", None, 0.9),
    ("C2", "lgbm", 0.1, 0.1),
)


def ledger(engine: Engine, trigger: str, moves: Any = MOVES) -> None:
    run: dict[str, Any] = {"job": "adjust_weights", "params": {}, "params_hash": "", "status": "succeeded"}
    at = datetime(2026, 11, 14, 17, tzinfo=UTC)
    run |= {"trigger": trigger, "queued_at": at, "started_at": at, "finished_at": at, "rows_written": 4}
    rows = [
        {"code": code, "horizon": 5, "model": model, "as_of": WEEK, "decided_at": at, "rule": "hit_rate"}
        | {"before": before, "after": after, "sample_count": 20, "action": "updated", "reason": "as_measured"}
        for code, model, before, after in moves
    ]
    with engine.begin() as connection:
        run_id = connection.scalar(insert(JobRun).values(run).returning(JobRun.id))
        connection.execute(insert(EnsembleWeightHistory), [row | {"run_id": run_id} for row in rows])


def test_weights_that_moved_and_the_largest_move(engine: Engine, weeks: Weeks) -> None:
    ledger(engine, "schedule")
    text = told(weeks)
    assert "Weights: 2 ensembles changed; most C2, 5 d: chronos – → 90%" in text
    assert "moved 3 weights" in text


def test_the_first_adjustment_of_all(engine: Engine, weeks: Weeks) -> None:
    """No weight was in force before: the column is missing as a whole."""
    ledger(engine, "schedule", [("C2", "chronos", None, 0.9), ("C2", "lgbm", None, 0.1)])
    assert "Weights: 1 ensemble changed; most C2, 5 d: chronos – → 90%" in told(weeks)


def test_what_a_person_moved_is_not_done_by_itself(engine: Engine, weeks: Weeks) -> None:
    ledger(engine, "manual")
    text = told(weeks)
    assert "2 ensembles changed" in text and "moved 3 weights" not in text


def test_a_model_that_is_too_old_is_named(engine: Engine, weeks: Weeks) -> None:
    common = {"horizon": 5, "model": "lgbm", "rows": 300, "folds": 5, "status": "promoted"}
    rows = [
        common | {"code": "C1", "trained_at": MONDAY - timedelta(days=36)},
        common | {"code": "C2", "trained_at": MONDAY - timedelta(days=60)},
        common | {"code": "C2", "trained_at": MONDAY - timedelta(days=3)},
        common | {"code": "C3", "trained_at": MONDAY - timedelta(days=36), "status": "kept"},
    ]
    with engine.begin() as connection:
        connection.execute(insert(TrainingRun), rows)
    assert "Too old to be used: lgbm for C1, 5 d" in told(weeks)
    assert "and 1 more" not in told(weeks)


def test_the_picture_is_of_the_horizon_with_most_outcomes(weeks: Weeks) -> None:
    message = weeks.digest(pictures=True)
    pictures = [block for block in message.blocks if getattr(block, "name", "") == "forecasts"]
    assert len(pictures) == 1 and "5 days ahead, of lgbm" in pictures[0].alt
