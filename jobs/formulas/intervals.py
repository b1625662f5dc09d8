"""95 % intervals for means and rates, on arrays."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

CONFIDENCE = 0.95
Z = float(ndtri((1 + CONFIDENCE) / 2))  # 1.96
BAND_FROM = 3  # a mean of fewer values gets no band

Floats = NDArray[np.float64]


def mean_interval(
    mean: ArrayLike, std: ArrayLike, n: ArrayLike, low: float = -np.inf, high: float = np.inf
) -> tuple[Floats, Floats]:
    """Student's t interval of means from their sample standard deviations and counts, clipped to [low, high].

    Shapes broadcast; NaN where n < 3 or the spread is missing.
    """
    centre, spread, count = (np.asarray(value, dtype=float) for value in (mean, std, n))
    with np.errstate(invalid="ignore", divide="ignore"):
        t = stdtrit(np.where(count >= BAND_FROM, count - 1, np.nan), (1 + CONFIDENCE) / 2)
        half = t * spread / np.sqrt(count)
    return np.clip(centre - half, low, high), np.clip(centre + half, low, high)


def wilson(successes: ArrayLike, trials: ArrayLike, z: ArrayLike = Z) -> tuple[Floats, Floats]:
    """Wilson's score interval of rates at ± z, as fractions; NaN where there were no trials.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    k, n, z = (np.asarray(value, dtype=float) for value in (successes, trials, z))
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = np.where(k == 0, 0.0, centre - half)  # exact at the ends, where rounding would leave 1e-17
    high = np.where(k == n, 1.0, centre + half)
    return np.where(n > 0, np.clip(low, 0, 1), np.nan), np.where(n > 0, np.clip(high, 0, 1), np.nan)
