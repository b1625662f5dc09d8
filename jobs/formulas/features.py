"""What a model learns from: features of a code's daily bars, and the move that follows each of them.

Moves are differences of logarithms, so that codes of any price are alike. A price of zero or below has no logarithm
(oil on 2020-04-20): what touches one is NaN, and a bar whose own close or target is one is no row to learn from.
Days are ordinals (date.toordinal), in order; every array has one element a bar.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PATIENCE = 7  # days that a bar may lie after the target date, as where outcomes are matched
RETURNS = (1, 2, 3, 5, 10, 20)  # bars
VOLATILITIES = (5, 20)
MEANS = (5, 10, 20)
NOT_KNOWN_YET = np.iinfo(np.int64).max  # as the day of a target

FEATURES = (
    *(f"return_{k}" for k in RETURNS),  # the close's move over so many bars
    *(f"volatility_{k}" for k in VOLATILITIES),  # standard deviation of the last so many daily moves
    *(f"from_mean_{k}" for k in MEANS),  # the close from the mean of the last so many closes
    "range",  # the day's high from its low
    "volume",  # the day's volume from the mean of the last 20
    "weekday",  # 0 is Monday
)


@dataclass(frozen=True)
class Bars:
    """A code's daily bars; open, high, low and volume are NaN where they are not known."""

    day: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.day)


@dataclass(frozen=True)
class Target:
    """The close's move until the bar that a prediction is matched with, and that bar's day.

    NaN and NOT_KNOWN_YET where there is no such bar.
    """

    move: Floats
    known_on: Ints


def features(bars: Bars) -> DataFrame:
    """FEATURES of each bar, from it and those before; NaN where these are too few or lack a value."""
    close, log_close = Series(bars.close), Series(logarithm(bars.close))
    step = log_close.diff()
    found = {f"return_{k}": log_close.diff(k) for k in RETURNS}
    found |= {f"volatility_{k}": step.rolling(k).std() for k in VOLATILITIES}
    found |= {f"from_mean_{k}": log_close - _log_of(close.rolling(k).mean()) for k in MEANS}
    found["range"] = _log_of(Series(bars.high)) - _log_of(Series(bars.low))
    volume = Series(bars.volume)
    found["volume"] = _log_of(volume) - _log_of(volume.rolling(20).mean())
    found["weekday"] = Series((bars.day - 1) % 7, dtype=float)
    return DataFrame(found, columns=list(FEATURES))


def target(bars: Bars, horizon: int) -> Target:
    """The target of each bar for a horizon in calendar days: the first bar on or after, at most a week later."""
    due = bars.day + horizon
    place = np.searchsorted(bars.day, due)
    day = np.append(bars.day, NOT_KNOWN_YET)[place]
    there = day <= due + PATIENCE
    close = np.append(logarithm(bars.close), np.nan)[place]
    move = np.where(there, close - logarithm(bars.close), np.nan)
    return Target(move, np.where(there, day, NOT_KNOWN_YET))


def logarithm(price: Floats) -> Floats:
    """NaN where the price is not above zero."""
    found: Floats = np.log(np.where(price > 0, price, np.nan))
    return found


def _log_of(values: "pd.Series[float]") -> "pd.Series[float]":
    return Series(logarithm(np.asarray(values, dtype=np.float64)))
