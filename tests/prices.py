"""Invented daily prices, of which a model can learn as much as a test wants."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from jobs.formulas.features import Bars

LAST = date(2026, 11, 20)  # a Friday
BARS = 320


def weekdays(n: int, last: date = LAST) -> list[date]:
    """The last so many weekdays up to a day, in order."""
    found = [day for k in range(n * 2) if (day := last - timedelta(days=k)).weekday() < 5]
    return found[:n][::-1]


def closes(n: int = BARS, momentum: float = 0.0, seed: int = 1) -> Any:
    """Prices whose steps repeat so much of the step before: 0 is a random walk, of which nothing can be learnt."""
    rng = np.random.default_rng(seed)
    step = rng.normal(0, 0.01, n)
    for k in range(1, n):
        step[k] = momentum * step[k - 1] + np.sqrt(1 - momentum**2) * step[k]
    return 100 * np.exp(np.cumsum(step))


def bars(close: Any, last: date = LAST, **known: Any) -> Bars:
    """Bars on weekdays; open, high, low and volume are not known unless given."""
    unknown = np.full(len(close), np.nan)
    day = np.array([day.toordinal() for day in weekdays(len(close), last)], dtype=np.int64)
    values = {name: known.get(name, unknown) for name in ("open", "high", "low", "volume")}
    return Bars(day, close=np.asarray(close, dtype=float), **values)


def rows(code: str, close: Any, last: date = LAST) -> list[dict[str, Any]]:
    """The same as rows of price_bars."""
    days = weekdays(len(close), last)
    return [
        {"code": code, "date": day, "close": float(value)} for day, value in zip(days, close, strict=True)
    ]
