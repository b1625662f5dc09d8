"""Is one forecast better than another by more than chance? On the daily differences of their losses.

F. X. Diebold and R. S. Mariano, Comparing predictive accuracy, J. Bus. Econ. Stat. 13 (1995).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from pandas import DataFrame
from scipy.special import stdtr

from jobs.formulas.weight_names import DEFAULT_RULE

ENOUGH_DATES = 10  # under which nothing is said


@dataclass(frozen=True)
class Difference:
    """Mean loss difference (negative: the first is better), its statistic, two-sided p, dates and lag.

    Statistic and p are NaN where there are too few dates.
    """

    mean: float
    statistic: float
    p: float
    dates: int
    lag: int


def diebold_mariano(differences: ArrayLike, lag: int) -> Difference:
    """Of the loss differences of successive dates, of which each shares news with so many later ones.

    Variance: W. K. Newey and K. D. West, Econometrica 55 (1987), Bartlett's weights; correction for few dates and
    Student's t: D. Harvey, S. Leybourne and P. Newbold, Int. J. Forecast. 13 (1997), whose horizon is the lag, or 1.
    Losses that never differ have p = 1.
    """
    d = np.asarray(differences, dtype=float)
    n, horizon = len(d), max(lag, 1)
    if n < ENOUGH_DATES or n <= horizon:
        return Difference(float(d.mean()) if n else np.nan, np.nan, np.nan, n, lag)
    e = d - d.mean()
    shared = sum((1 - k / (lag + 1)) * float(e[k:] @ e[:-k]) for k in range(1, lag + 1))
    variance = (float(e @ e) + 2 * shared) / n
    if not d.any():
        return Difference(0.0, 0.0, 1.0, n, lag)
    few = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = (
        float(d.mean() * np.sqrt(few * n / variance))
        if variance > 0
        else float(np.copysign(np.inf, d.mean()))
    )
    return Difference(float(d.mean()), statistic, 2 * float(stdtr(n - 1, -abs(statistic))), n, lag)


def lag_for(day: ArrayLike, horizon: int) -> int:
    """The lag to test with, from the dates and how many days ahead the forecasts look.

    Twice the number of later dates within the horizon of one, whose outcomes share days, and at least 1.3·√n: with
    less Bartlett's weights find differences that are none too often (simulated: at 5 days ahead in 10 % of cases
    rather than 5 %). E. Lazarus et al., HAR inference: recommendations for practice, J. Bus. Econ. Stat. 36 (2018).
    """
    days = np.asarray(day)
    within = np.searchsorted(days, days + horizon, side="right") - np.arange(len(days)) - 1
    return int(max(2 * within.max(initial=0), np.ceil(1.3 * np.sqrt(len(days)))))


def against(days: DataFrame, present: str = DEFAULT_RULE) -> DataFrame:
    """Every rule of a backtest (Backtest.days) against the present one, for each horizon.

    rule, horizon, loss (over all occasions), relative (to the present rule's), hit_rate, n (occasions), dates,
    statistic and p (NaN where too few).
    """
    rows = []
    for horizon, frame in days.groupby("horizon"):
        loss = frame.pivot(index="day", columns="rule", values="loss").sort_index()
        lag = lag_for(loss.index.to_numpy(), int(frame["horizon"].iloc[0]))
        for rule, own in frame.groupby("rule", sort=False):
            test = diebold_mariano(loss[rule] - loss[present], lag)
            rows.append(
                {
                    "rule": rule,
                    "horizon": horizon,
                    "loss": np.average(own["loss"], weights=own["n"]),
                    "hit_rate": own["hits"].sum() / own["directions"].sum()
                    if own["directions"].any()
                    else np.nan,
                    "n": own["n"].sum(),
                    "dates": test.dates,
                    "statistic": test.statistic,
                    "p": test.p,
                }
            )
    found = DataFrame(rows, columns=["rule", "horizon", "loss", "hit_rate", "n", "dates", "statistic", "p"])
    base = found[found["rule"] == present].set_index("horizon")["loss"]
    found.insert(3, "relative", found["loss"] / found["horizon"].map(base))
    return found
