"""Rows that a user's own program stores."""

import doctest
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

import db.writers
from db.errors import Refused
from db.writers import store_evaluations

Stored = Callable[[], list[dict[str, Any]]]

ROW: dict[str, Any] = {
    "prediction_id": "a",
    "model_name": "atlas-2",
    "predicted_at": datetime(2026, 11, 16, 0, 0, tzinfo=UTC),
    "final_score": 70.5,
    "target_achieved": True,
}


def test_example_of_the_documentation(engine: Engine, stored: Stored) -> None:
    outcome = doctest.testmod(db.writers)
    assert (outcome.failed, outcome.attempted > 2) == (0, True)
    assert stored()[0]["final_score"] == 81.5


def test_values_of_a_program(engine: Engine, stored: Stored) -> None:
    rows = [
        ROW,
        ROW | {"prediction_id": "b", "predicted_at": datetime(2026, 11, 16, 9, 0), "final_score": None},
        ROW | {"prediction_id": "c", "predicted_at": date(2026, 11, 16), "final_score": float("nan")},
        ROW | {"prediction_id": 7, "final_score": Decimal("70.5"), "target_achieved": 0},
    ]
    assert store_evaluations(rows, engine=engine).new == 4
    found = {row["prediction_id"]: row for row in stored()}
    assert (found["a"]["final_score"], found["a"]["target_achieved"]) == (70.5, True)
    assert found["b"]["predicted_at"] == datetime(2026, 11, 16, 0, 0, tzinfo=UTC)  # a wall time in Seoul
    assert found["b"]["final_score"] is found["c"]["final_score"] is None
    assert found["c"]["predicted_at"] == datetime(2026, 11, 15, 15, 0, tzinfo=UTC)
    assert (found["7"]["final_score"], found["7"]["target_achieved"]) == (70.5, False)


def test_values_of_numpy_and_pandas(engine: Engine, stored: Stored) -> None:
    frame = pd.DataFrame(
        [ROW | {"evaluated_at": pd.Timestamp("2026-11-17T00:00Z")}, ROW | {"prediction_id": "b"}]
    )
    assert store_evaluations(frame.to_dict("records"), engine=engine).new == 2
    numbers = {
        "final_score": np.float64(70.5),
        "target_achieved": np.bool_(True),
        "timing_score": np.int64(5),
    }
    report = store_evaluations([ROW | numbers], engine=engine)
    assert report.updated == 1
    first, second = stored()
    assert (first["final_score"], first["timing_score"], first["target_achieved"]) == (70.5, 5.0, True)
    assert second["evaluated_at"] is None


def test_twice_changes_nothing_and_a_missing_column_is_left(engine: Engine, stored: Stored) -> None:
    store_evaluations([ROW], engine=engine)
    assert store_evaluations([ROW], engine=engine).unchanged == 1
    less = {name: ROW[name] for name in ("prediction_id", "model_name", "predicted_at")}
    assert store_evaluations([less], engine=engine).unchanged == 1
    assert store_evaluations([less | {"timing_score": 50}], engine=engine).updated == 1
    assert (stored()[0]["final_score"], stored()[0]["timing_score"]) == (70.5, 50.0)


def test_rows_of_different_columns(engine: Engine, stored: Stored) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        for i in range(20):
            yield ROW | {"prediction_id": f"{i:02d}"} | ({"timing_score": i} if i % 2 else {})

    assert store_evaluations(rows(), engine=engine).new == 20
    assert [row["timing_score"] for row in stored()][:4] == [None, 1.0, None, 3.0]


def test_strict_names_the_rows_and_writes_nothing(engine: Engine, stored: Stored) -> None:
    bad = [ROW | {"prediction_id": str(i), "final_score": 100 + i} for i in range(8)]
    with pytest.raises(Refused) as refused:
        store_evaluations([ROW, *bad], engine=engine)
    assert str(refused.value).splitlines() == [
        "7 rows cannot be stored of 9; nothing was written.",
        *(f"row {i + 2}: final_score: {100 + i} is outside 0 to 100" for i in range(1, 6)),
        "… and more; with strict=False the report names up to 100",
    ]
    assert stored() == []


def test_not_strict_stores_the_good_rows(engine: Engine, stored: Stored) -> None:
    report = store_evaluations([ROW, ROW | {"final_score": 101}], engine=engine, strict=False)
    assert (report.new, report.rejected) == (1, 1)
    assert [str(row) for row in report.rejects] == ["row, line 2: final_score: 101 is outside 0 to 100"]
    assert len(stored()) == 1


def test_nothing_to_store(engine: Engine) -> None:
    assert store_evaluations([], engine=engine).read == 0


def test_clock_is_a_parameter(engine: Engine) -> None:
    with pytest.raises(Refused, match="between 1970 and tomorrow"):
        store_evaluations([ROW], engine=engine, now=datetime(2026, 11, 1, tzinfo=UTC))


def test_two_writers_add_the_same_model(postgresql_engine: Engine) -> None:
    with postgresql_engine.connect() as other, ThreadPoolExecutor() as threads:
        other.execute(text("INSERT INTO models (name) VALUES ('atlas-2')"))
        storing = threads.submit(store_evaluations, [ROW], engine=postgresql_engine)
        with postgresql_engine.connect() as watcher:
            while not watcher.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                assert not storing.done()
                watcher.rollback()
        other.commit()
        assert storing.result().new == 1
        assert other.scalar(text("SELECT count(*) FROM models")) == 1


def test_many_writers_at_once(engine: Engine, stored: Stored) -> None:
    def store(number: int) -> int:
        rows = [ROW | {"prediction_id": f"{number}-{i}", "model_name": f"m{i % 3}"} for i in range(50)]
        return store_evaluations([*rows, ROW], engine=engine).read

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(store, range(8))) == [51] * 8
    assert len(stored()) == 401


def test_database_without_schema(empty_engine: Engine) -> None:
    with pytest.raises(Refused, match="python -m db upgrade"):
        store_evaluations([ROW], engine=empty_engine)
