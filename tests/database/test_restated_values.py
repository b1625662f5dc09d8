"""What pages learn of restated days: the value before, by day and by week."""

import math
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from test_aggregate_models import MONDAY, NOW, Here, aggregate, change, remove, row, scored, store
from test_restating import MUCH_LATER

from db.queries.restatements import restated

DAYS = [MONDAY + timedelta(days=k) for k in range(3)]


@pytest.fixture
def settled(engine: Engine) -> Engine:
    """Three days of two models with scores 60 and 80 and one target of two, aggregated long ago."""
    store(
        engine,
        (
            scored(f"{day:%d}/{model}/{n}", 60 + 20 * n, day, model) | {"target_achieved": bool(n)}
            for day in DAYS
            for model in (1, 2)
            for n in range(2)
        ),
    )
    aggregate(engine)
    return engine


def found(
    engine: Engine, metric: str, grain: str, since: date = DAYS[0], until: date = DAYS[-1]
) -> list[Any]:
    with engine.connect() as connection:
        table = restated(connection, metric, since, until, grain)
    rows: Iterable[dict[str, Any]] = table.to_dict("records")
    return [tuple(None if value != value else value for value in row.values()) for row in rows]


def test_a_day_has_the_value_before(settled: Engine) -> None:
    change(settled, "17/1/0", final_score=50)
    aggregate(settled, Here(MUCH_LATER))
    assert found(settled, "final_score", "day") == [("model-1", DAYS[1], 1, DAYS[1], 70, 65)]
    assert found(settled, "target_achieved_rate", "day") == [], "no flag changed"


def test_a_week_counts_its_days_and_tells_the_largest(settled: Engine) -> None:
    for name, score in (("16/1/0", 58), ("17/1/0", 40), ("18/2/0", 61)):
        change(settled, name, final_score=score)
    aggregate(settled, Here(MUCH_LATER))
    assert found(settled, "final_score", "week") == [
        ("model-1", MONDAY, 2, DAYS[1], 70, 60),
        ("model-2", MONDAY, 1, DAYS[2], 70, 70.5),
    ]
    assert found(settled, "final_score", "week", since=DAYS[2]) == [("model-2", MONDAY, 1, DAYS[2], 70, 70.5)]


def test_a_rate_from_what_was_restated_and_what_was_not(settled: Engine) -> None:
    change(settled, "16/1/0", target_achieved=True)
    change(settled, "17/1/0", target_achieved=None)
    aggregate(settled, Here(MUCH_LATER))
    assert found(settled, "target_achieved_rate", "day") == [
        ("model-1", DAYS[0], 1, DAYS[0], 50, 100),
        ("model-1", DAYS[1], 1, DAYS[1], 50, 100),
    ]


def test_coverage_after_a_forgotten_prediction(settled: Engine) -> None:
    store(settled, [{"prediction_id": "x", "model_id": 1, "predicted_at": NOW - timedelta(days=4)}])
    aggregate(settled, Here(MUCH_LATER))
    ((model, _period, days, day, old, new),) = found(settled, "coverage", "day")
    assert (model, days, day, old) == ("model-1", 1, DAYS[0], 100)
    assert math.isclose(new, 200 / 3)


def test_values_that_went(settled: Engine) -> None:
    for name in ("16/1/0", "16/1/1"):
        change(settled, name, final_score=None)
    remove(settled, "17/1/0", "17/1/1")
    aggregate(settled, Here(MUCH_LATER))
    assert found(settled, "final_score", "day") == [
        ("model-1", DAYS[0], 1, DAYS[0], 70, None),
        ("model-1", DAYS[1], 1, DAYS[1], 70, None),
    ]
    (week,) = found(settled, "final_score", "week")
    assert week[2] == 2


def test_of_several_restatements_the_value_before_the_last(settled: Engine) -> None:
    for number, score in enumerate((50, 40)):
        change(settled, "17/1/0", final_score=score)
        aggregate(settled, Here(MUCH_LATER + number * timedelta(days=8)))
    assert found(settled, "final_score", "day") == [("model-1", DAYS[1], 1, DAYS[1], 65, 60)]


def test_a_figure_that_came_back_is_not_told(settled: Engine) -> None:
    for number, score in enumerate((50, 60)):
        change(settled, "17/1/0", final_score=score)
        aggregate(settled, Here(MUCH_LATER + number * timedelta(days=1)))
    assert found(settled, "final_score", "day") == []


def test_a_rate_whose_parts_were_restated_by_different_runs(settled: Engine) -> None:
    change(settled, "17/1/0", target_achieved=True)
    aggregate(settled, Here(MUCH_LATER))
    store(settled, [scored("17/1/late", 60, DAYS[1]) | {"target_achieved": False}])
    change(settled, "17/1/1", target_achieved=True)
    aggregate(settled, Here(MUCH_LATER + timedelta(days=8)))
    ((_model, _period, _days, _day, old, new),) = found(settled, "target_achieved_rate", "day")
    assert (old, new) == (100, pytest.approx(200 / 3)), "before the last run it was two of two"


def test_a_value_that_came_had_none_before(engine: Engine) -> None:
    store(engine, [row("17/1/0", DAYS[1], 1) | {"evaluated_at": NOW}])
    aggregate(engine)
    change(engine, "17/1/0", final_score=70)
    aggregate(engine, Here(MUCH_LATER))
    assert found(engine, "final_score", "day") == [("model-1", DAYS[1], 1, DAYS[1], None, 70)]
