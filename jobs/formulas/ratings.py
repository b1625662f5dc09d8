"""How an agent's trades are rated, and how diverse the calls of a day are (docs/metrics.md, "Agents")."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHARES = (0.4, 0.3, 0.3)  # of wins, of confidence, of money

Floats = NDArray[np.float64]


def performance_rating(
    wins: ArrayLike, losses: ArrayLike, accuracy: ArrayLike, gained: ArrayLike, lost: ArrayLike
) -> Floats:
    """100 × (0.4 · wins/(wins + losses) + 0.3 · accuracy + 0.3 · gained/(gained + lost)); shapes broadcast.

    A part that is not known (nothing won or lost, no accuracy: NaN) leaves, and the others are weighed anew; NaN
    where none is known. `lost` is ≥ 0.
    """
    won, beaten, right, plus, minus = (
        np.asarray(x, dtype=float) for x in (wins, losses, accuracy, gained, lost)
    )
    parts = np.stack(np.broadcast_arrays(_share(won, beaten), right, _share(plus, minus)))
    shares = np.array(SHARES).reshape(3, *([1] * (parts.ndim - 1)))
    known = np.where(np.isnan(parts), 0.0, shares).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        rating: Floats = 100 * np.nansum(shares * parts, axis=0) / np.where(known > 0, known, np.nan)
    return rating


def entropy_index(counts: ArrayLike) -> float | None:
    """Shannon entropy of a list of counts by the largest that so many kinds can have, 0–1; 0 for a single kind, None
    for none."""
    n = np.asarray(counts, dtype=float)
    n = n[n > 0]
    if n.size == 0:
        return None
    if n.size == 1:
        return 0.0
    share = n / n.sum()
    return float(np.clip(-(share * np.log(share)).sum() / np.log(n.size), 0, 1))


def _share(one: Floats, other: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        total = one + other
        share: Floats = np.where(total > 0, one / np.where(total > 0, total, 1), np.nan)
    return share
