"""Two models on the predictions that both made, against pandas."""

import random
from datetime import timedelta

import pandas as pd
import pytest
from sqlalchemy import Engine
from test_aggregate_models import MONDAY, row, scored, store

from db.queries.models import head_to_head


def test_only_scored_predictions_of_both_in_the_period_count(engine: Engine) -> None:
    rng = random.Random(1)
    rows = [
        scored(f"p{k}", rng.uniform(0, 100), MONDAY + timedelta(days=k % 9), model)
        for model, some in ((1, range(40)), (2, range(10, 60)), (3, range(5)))
        for k in some
    ]
    rows += [row("p60", MONDAY, 1), scored("p60", 50, MONDAY, 3)]
    store(engine, rows)
    with engine.connect() as connection:
        found = head_to_head(connection, "model-1", "model-2", MONDAY, MONDAY + timedelta(days=6))
        nothing = head_to_head(connection, "model-2", "model-3", MONDAY, MONDAY + timedelta(days=6))
    table = pd.DataFrame(rows).pivot(index="prediction_id", columns="model_id", values="final_score")
    inside = {f"p{k}" for k in range(60) if k % 9 < 7}
    both = table[table.index.isin(inside)].dropna(subset=[1, 2])
    difference = both[1] - both[2]
    assert (found["n"], found["ahead"], found["behind"]) == (
        len(both),
        (difference > 0).sum(),
        (difference < 0).sum(),
    )
    assert found["mean"] == pytest.approx(difference.mean())
    assert found["std"] == pytest.approx(difference.std())
    assert found["weekly"] == [pytest.approx(difference.mean())]
    assert nothing == {"n": 0, "mean": None, "ahead": 0, "behind": 0, "std": None, "weekly": []}


def test_the_difference_of_each_whole_week(engine: Engine) -> None:
    days = [MONDAY + timedelta(days=k) for k in range(-3, 17)]  # half a week, two whole ones, half a week
    store(
        engine, [scored(f"p{day}", model * k, day, model) for k, day in enumerate(days) for model in (1, 3)]
    )
    with engine.connect() as connection:
        found = head_to_head(connection, "model-3", "model-1", days[0], days[-1])
    assert found["n"] == len(days)
    assert found["weekly"] == [2 * (3 + 9) / 2, 2 * (10 + 16) / 2]
