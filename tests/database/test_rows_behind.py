"""The evaluations behind a point: the worst ones first, and what does not count last."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import reading
from db.queries import models
from tests.database.test_aggregate_models import MONDAY, aggregate, row, scored, store


@pytest.fixture
def some(engine: Engine) -> Engine:
    store(
        engine,
        [
            scored("good", 90) | {"target_achieved": True, "support_breached": False},
            scored("bad", 10) | {"target_achieved": False, "support_breached": True},
            row("unevaluated", final_score=1),
        ],
    )
    aggregate(engine)
    return engine


@pytest.mark.parametrize(
    ("metric", "order"),
    [
        ("final_score", ["bad", "good", "unevaluated"]),
        ("target_achieved_rate", ["bad", "good", "unevaluated"]),
        ("support_breach_rate", ["bad", "good", "unevaluated"]),
        ("coverage", ["unevaluated", "bad", "good"]),
    ],
)
def test_worst_come_first(some: Engine, metric: str, order: list[str]) -> None:
    days: dict[str, date] = {"since": MONDAY, "until": MONDAY}
    with reading(some) as connection:
        rows: Any = models.evaluations(connection, "model-1", metric, **days)
    assert rows["prediction_id"].tolist() == order
