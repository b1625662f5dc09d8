"""Who stands where: which subjects are level with the best, and which of two is better on what both did."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from jobs.formulas.intervals import CONFIDENCE, Floats
from jobs.formulas.verdicts import ALPHA, SHORTEST_HISTORY, holm


def level_with_best(
    mean: ArrayLike, std: ArrayLike, n: ArrayLike, best: int, weekly: ArrayLike
) -> NDArray[np.bool_]:
    """Which subjects are not clearly worse than the one at `best`, itself among them.

    `mean`, `std`, `n` over a period, one element a subject; `weekly`: subjects × weeks, NaN for none. The variance
    of a difference is the larger of its sampling variance (Welch) and, where both have six weeks in common, that of
    their weekly differences over the weeks: what hits both in a week is no difference. Holm's correction at 5 %.
    """
    m, s, k = (np.asarray(value, dtype=float) for value in (mean, std, n))
    with np.errstate(invalid="ignore", divide="ignore"):
        own = s * s / k
        sampling = own + own[best]
        df = sampling**2 / (own**2 / (k - 1) + own[best] ** 2 / (k[best] - 1))
        df = np.where((sampling == 0) & (k > 1), np.inf, df)  # no spread at all: whatever differs is clear
        variance, weeks = _of_differences(np.asarray(weekly, dtype=float), best)
        wider = variance > sampling
        df = np.where(wider, np.minimum(weeks - 1, df), df)
        t = (m[best] - m) / np.sqrt(np.where(wider, variance, sampling))
        p = stdtr(df, -t)  # one-sided: nobody is better than the best
    others = np.arange(len(m)) != best
    known = others & ~np.isnan(p)
    clear = np.zeros(len(m), dtype=bool)
    clear[known] = holm(p[known]) <= ALPHA / 2
    return ~clear


def _of_differences(weekly: Floats, best: int) -> tuple[Floats, Floats]:
    """The variance of the mean weekly difference to the best, and how many weeks both have; NaN where too few."""
    difference = weekly - weekly[best]
    weeks = (~np.isnan(difference)).sum(1).astype(float)
    enough = weeks >= SHORTEST_HISTORY
    centre = np.nansum(difference, 1) / np.where(weeks > 0, weeks, np.nan)
    squares = np.nansum((difference - centre[:, None]) ** 2, 1)
    return np.where(enough, squares / (weeks - 1) / weeks, np.nan), weeks


@dataclass(frozen=True)
class Paired:
    """The mean difference of pairs with its 95 % interval and p for none."""

    difference: float
    low: float
    high: float
    p: float


def paired(mean: float, std: float, n: int, weekly: ArrayLike = ()) -> Paired:
    """Student's paired t test from the mean and sample standard deviation of n ≥ 2 differences.

    `weekly` are the means of the differences by week. Predictions of a week share its luck, so where there are six
    weeks the variance of the mean is the larger of that of the rows and that of the weeks, which have as many degrees
    of freedom as there are weeks, less one.
    """
    variance, df = std * std / n, n - 1
    weeks = np.asarray(weekly, dtype=float)
    if len(weeks) >= SHORTEST_HISTORY and (by_weeks := float(weeks.var(ddof=1)) / len(weeks)) > variance:
        variance, df = by_weeks, min(df, len(weeks) - 1)
    error = float(np.sqrt(variance))
    half = float(stdtrit(df, (1 + CONFIDENCE) / 2) * error)
    if error == 0:
        return Paired(mean, mean, mean, 1.0 if mean == 0 else 0.0)
    p = 2 * float(stdtr(df, -abs(mean) / error))
    return Paired(mean, mean - half, mean + half, p)
