"""AI quality: what a change is made of, and whether people like what scores well (metrics.md)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jobs.formulas.intervals import CONFIDENCE, Floats

ENOUGH = 10  # liked conversations, and disliked ones
DRAWS, SEED = 2_000, 20_260_101
CELLS = 2_000_000  # of the table of draws that is held at once


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


def agreement(score: ArrayLike, liked: ArrayLike, disliked: ArrayLike) -> Agreement | None:
    """The area under the ROC curve of the score for liked against disliked; None under ten of either.

    Given are the different scores, and how many liked and disliked conversations have each. The statistic is that of
    H. B. Mann and D. R. Whitney, Ann. Math. Stat. 18 (1947); the interval is the percentile bootstrap over
    conversations, with the same draws each time.
    """
    x, a, b = (np.asarray(value, dtype=float) for value in (score, liked, disliked))
    if min(a.sum(), b.sum()) < ENOUGH:
        return None
    order = np.argsort(x)
    a, b = a[order], b[order]
    rng = np.random.default_rng(SEED)
    at_once = max(1, CELLS // len(a))
    draws = [
        _auc(_drawn(rng, a, some), _drawn(rng, b, some))
        for some in (min(at_once, DRAWS - done) for done in range(0, DRAWS, at_once))
    ]
    low, high = np.quantile(np.concatenate(draws), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Agreement(float(_auc(a, b)), float(low), float(high))


def _auc(a: Floats, b: Floats) -> Floats:
    """Counts per score, the lowest first; along the last axis."""
    below = np.cumsum(b, axis=-1) - b
    area: Floats = (a * (below + b / 2)).sum(axis=-1) / (a.sum(axis=-1) * b.sum(axis=-1))
    return area


def _drawn(rng: np.random.Generator, counts: Floats, draws: int) -> Floats:
    """As many conversations as there are, drawn with replacement, counted by score."""
    n = int(counts.sum())
    return rng.multinomial(n, counts / n, size=draws).astype(float)
