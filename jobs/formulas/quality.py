"""AI quality: what a change is made of, and whether people like what scores well (metrics.md)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from jobs.formulas.intervals import CONFIDENCE, Floats

ENOUGH = 10  # liked conversations, and disliked ones
DRAWS, SEED = 2_000, 20_260_101


@dataclass(frozen=True)
class Split:
    """A change of a mean by segment: what the mix of segments did, and what the segments themselves did."""

    mix: Floats
    own: Floats


def split(n: ArrayLike, mean: ArrayLike, n_before: ArrayLike, mean_before: ArrayLike) -> Split:
    """The change from one period to the next, by segment; all of mix and own sum to it exactly.

    Counts of rows and their means, one element a segment; a segment that is absent in one period (n = 0) has its
    mean of the other, so that all of it is mix. The symmetric form of E. M. Kitagawa, Components of a difference
    between two rates, J. Am. Stat. Assoc. 50 (1955). Both periods must have rows.
    """
    k, m, k0, m0 = (np.asarray(value, dtype=float) for value in (n, mean, n_before, mean_before))
    now, before = np.where(k > 0, m, m0), np.where(k0 > 0, m0, m)
    share, share_before = k / k.sum(), k0 / k0.sum()
    return Split((share - share_before) * (now + before) / 2, (now - before) * (share + share_before) / 2)


@dataclass(frozen=True)
class Agreement:
    """How often a liked conversation scores above a disliked one (ties count half), with its 95 % interval."""

    auc: float
    low: float
    high: float


def agreement(liked: ArrayLike, disliked: ArrayLike) -> Agreement | None:
    """The area under the ROC curve of the score for liked against disliked; None under ten of either.

    From the ranks (H. B. Mann and D. R. Whitney, Ann. Math. Stat. 18, 1947); the interval is the percentile bootstrap
    over conversations, with the same draws each time.
    """
    a, b = (np.asarray(value, dtype=float) for value in (liked, disliked))
    if min(len(a), len(b)) < ENOUGH:
        return None
    above = (a[:, None] > b) + 0.5 * (a[:, None] == b) if len(a) * len(b) <= 1_000_000 else None
    rng = np.random.default_rng(SEED)
    draws = np.array([_drawn(rng, a, b, above) for _draw in range(DRAWS)])
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Agreement(_auc(a, b), float(low), float(high))


def _auc(a: Floats, b: Floats) -> float:
    ranks = rankdata(np.concatenate([a, b]))
    return float((ranks[: len(a)].sum() - len(a) * (len(a) + 1) / 2) / (len(a) * len(b)))


def _drawn(rng: np.random.Generator, a: Floats, b: Floats, above: Floats | None) -> float:
    """The area of one draw; with the table of all pairs it is a product of how often each was drawn."""
    i, j = rng.integers(len(a), size=len(a)), rng.integers(len(b), size=len(b))
    if above is None:
        return _auc(a[i], b[j])
    times_a, times_b = np.bincount(i, minlength=len(a)), np.bincount(j, minlength=len(b))
    return float(times_a @ above @ times_b / (len(a) * len(b)))
