"""Evaluations for the benchmarks: the same on every engine, in time order; as a rule 50 models over 365 days."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

MODELS, DAYS = 50, 365
FIRST = date(2025, 1, 1)
COLUMNS = (
    "prediction_id",
    "model_id",
    "predicted_at",
    "evaluated_at",
    "human_evaluated_at",
    "final_score",
    "target_accuracy_score",
    "timing_score",
    "risk_management_score",
    "human_rating_quality",
    "human_rating_usefulness",
    "human_rating_overall",
    "target_achieved",
    "support_breached",
    "day",
)


def blocks(rows: int, models: int = MODELS, days: int = DAYS, size: int = 200_000) -> Iterator[pa.Table]:
    """All rows, some at a time; times are UTC without a zone, and end with the 365 days from the first on."""
    random = np.random.default_rng(1)
    for start in range(0, rows, size):
        number = np.arange(start, start + min(size, rows - start))
        yield _block(random, number, number * days // rows - (days - DAYS), models)


def _block(random: np.random.Generator, number: Any, day: Any, models: int) -> pa.Table:
    n = len(number)
    epoch = np.datetime64(FIRST, "s")
    predicted = epoch + day * 86_400 + random.integers(0, 54_000, n)
    evaluated, rated = random.random(n) < 0.92, random.random(n) < 0.2

    def some(values: Any, keep: Any) -> pa.Array:
        return pa.array(values, mask=~keep)

    scores = {name: some(np.round(random.random(n) * 100, 2), evaluated) for name in COLUMNS[5:9]}
    ratings = {name: some(random.integers(1, 6, n).astype(float), rated) for name in COLUMNS[9:12]}
    flags = {
        name: some(random.random(n) < share, evaluated)
        for name, share in zip(COLUMNS[12:14], (0.6, 0.1), strict=True)
    }
    return pa.table(
        {
            "prediction_id": pa.array([f"p{k}" for k in number]),
            "model_id": pa.array(number % models + 1),
            "predicted_at": pa.array(predicted),
            "evaluated_at": some(predicted + 86_400, evaluated),
            "human_evaluated_at": some(predicted + 90_000, rated),
            **scores,
            **ratings,
            **flags,
            "day": pa.array((epoch + day * 86_400).astype("datetime64[D]")),
        }
    )


def day_number(k: int) -> date:
    return FIRST + timedelta(days=k)
