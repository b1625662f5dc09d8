"""Daily figures over more days: as over the rows behind them, never a mean of daily means."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import func

from db.clock import week_start
from db.metrics import Metric
from jobs.formulas.intervals import mean_interval, wilson


def figures(columns: Mapping[str, Any] | Any, metric: Metric) -> list[Any]:
    """Sums over daily rows: n and part of a rate; n, value and squares (of distances from the mean) of a mean.

    Distances are taken from the middle of the metric's range, so that little is lost in the difference.
    """
    n = columns[metric.count]
    if metric.is_rate:
        return [func.sum(n).label("n"), func.sum(columns[metric.part]).label("part")]
    far = columns[metric.mean] - metric.middle
    std = func.coalesce(columns[metric.std], 0)
    total, sum_far = func.sum(n), func.sum(n * far)
    return [
        total.label("n"),
        (func.sum(n * columns[metric.mean]) / total).label("value"),
        (func.sum((n - 1) * std * std + n * far * far) - sum_far * sum_far / total).label("squares"),
    ]


def mean_or_rate(columns: Mapping[str, Any] | Any, metric: Metric) -> Any:
    """The metric over daily rows: its mean, or its rate in %."""
    n = columns[metric.count]
    top = 100.0 * func.sum(columns[metric.part]) if metric.is_rate else func.sum(n * columns[metric.mean])
    return top / func.sum(n)


def with_interval(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Adds value (rates in %), low and high: Wilson for rates, Student's t for means of at least 3 values."""
    if metric.is_rate:
        low, high = wilson(rows["part"], rows["n"])
        return rows.assign(value=100 * rows["part"] / rows["n"], low=100 * low, high=100 * high)
    spread = (rows["squares"].clip(lower=0) / (rows["n"] - 1).where(rows["n"] > 1)) ** 0.5
    low, high = mean_interval(rows["value"], spread, rows["n"], metric.low, metric.high)
    return rows.assign(std=spread, low=low, high=high, part=None).drop(columns="squares")


def periods(since: date, until: date, grain: str) -> list[date]:
    """The days, or the Mondays of the weeks, from the first to the last day."""
    step = 7 if grain == "week" else 1
    first = week_start(since) if grain == "week" else since
    return [first + timedelta(days=k) for k in range(0, (until - first).days + 1, step)]


def unfinished(start: date, grain: str, today: date) -> bool:
    """Whether the day or week is still running."""
    return (today - start).days <= (6 if grain == "week" else 0)


def as_date(value: Any) -> date:
    """A day of a result, which SQLite may give as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value
