"""What pages ask of ensemble weights: in force, over time, by run."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, delete
from weighed import NOW, TODAY, adjust, give

from db.engine import reading
from db.queries import weights
from db.tables.operations import JobRun

HOUR = timedelta(hours=1)


@pytest.fixture
def runs(engine: Engine) -> list[int]:
    """Three adjustments, of which the second one moves A from 0.6 to 0.75, and the third one is of nothing new."""
    give(engine, "chronos", 12, 20, known=NOW - timedelta(days=10))
    give(engine, "lgbm", 8, 20, known=NOW - timedelta(days=10))
    first = adjust(engine, NOW - HOUR, day=TODAY - timedelta(days=10))
    give(engine, "chronos", 15, 16)
    give(engine, "lgbm", 2, 20)
    give(engine, "lgbm", 2, 20, code="B")
    give(engine, "lgbm", 2, 9, code="C")
    give(engine, "chronos", 2, 9, code="C")
    return [first.id, adjust(engine).id, adjust(engine, NOW + HOUR).id]


def asked(engine: Engine, query: Any, *arguments: Any) -> pd.DataFrame:
    with reading(engine) as connection:
        found: pd.DataFrame = query(connection, *arguments)
    return found


def rows(found: pd.DataFrame, *names: str) -> list[Any]:
    told = found[list(names)].astype(object)
    return [tuple(row) for row in told.where(found[list(names)].notna(), None).to_numpy()]


def test_ledger_has_a_row_a_run(engine: Engine, runs: list[int]) -> None:
    found = asked(engine, weights.ledger)
    counts = ("run_id", "as_of", "rule", "adjusted", "skipped", "missing", "undone")
    assert rows(found, *counts) == [
        (runs[2], TODAY, "hit_rate", 1, 1, 1, 0),
        (runs[1], TODAY, "hit_rate", 1, 1, 1, 0),
        (runs[0], TODAY - timedelta(days=10), "hit_rate", 1, 0, 0, 0),
    ]
    assert [round(move, 9) for move in found["largest_move"][1:2]] == [0.15]
    assert rows(found, "code", "horizon", "model", "trigger", "triggered_by") == [
        (None, None, None, "manual", "kim"),
        ("A", 5, "chronos", "manual", "kim"),
        (None, None, None, "manual", "kim"),
    ]
    assert rows(found, "undoes", "undone_by", "can_undo") == [
        (None, None, False),
        (None, None, True),
        (None, None, False),
    ]
    assert found["decided_at"].tolist() == [NOW + HOUR, NOW, NOW - HOUR]
    assert asked(engine, weights.ledger, 2)["run_id"].tolist() == [runs[2], runs[1]]


def test_ledger_knows_what_was_undone(engine: Engine, runs: list[int]) -> None:
    by = adjust(engine, NOW + 2 * HOUR, undo=runs[1])
    with engine.begin() as connection:
        connection.execute(delete(JobRun).where(JobRun.id == runs[0]))
    found = asked(engine, weights.ledger)
    assert rows(found, "run_id", "undoes", "undone_by", "can_undo", "undone", "trigger") == [
        (by.id, runs[1], None, False, 1, "manual"),
        (runs[2], None, None, False, 0, "manual"),
        (runs[1], None, by.id, False, 0, "manual"),
        (runs[0], None, None, True, 0, None),
    ]
    assert round(found["largest_move"][0], 9) == -0.15


def test_an_empty_ledger(engine: Engine) -> None:
    found = asked(engine, weights.ledger)
    assert len(found) == 0
    assert {"run_id", "largest_move", "code", "undone_by", "can_undo"} <= set(found.columns)


def test_weights_in_force_and_their_history(engine: Engine, runs: list[int]) -> None:
    found = asked(engine, weights.weights_in_force, "A", 5)
    assert rows(found, "code", "model", "as_of", "rule") == [
        ("A", model, TODAY, "hit_rate") for model in ("chronos", "lgbm")
    ]
    assert found["weight"].tolist() == pytest.approx([0.75, 0.25])
    assert len(asked(engine, weights.weights_in_force)) == 2
    assert len(asked(engine, weights.weights_in_force, None, 1)) == 0
    history = asked(engine, weights.weights_history, "A", 5)
    assert history["run_id"].tolist() == [run for run in runs for _model in range(2)]
    assert history[history["model"] == "chronos"]["after"].tolist() == pytest.approx([0.6, 0.75, 0.75])


def test_decisions_of_a_run(engine: Engine, runs: list[int]) -> None:
    found = asked(engine, weights.decisions, runs[1])
    assert rows(found, "code", "model", "action", "sample_count") == [
        ("A", "chronos", "updated", 36),
        ("A", "lgbm", "updated", 40),
        ("B", "chronos", "skipped_missing_model", 0),
        ("B", "lgbm", "skipped_missing_model", 20),
        ("C", "chronos", "skipped_insufficient", 9),
        ("C", "lgbm", "skipped_insufficient", 9),
    ]
