"""Whether a swap of an agent's model made its decisions worse (docs/metrics.md, "Swaps")."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jobs.formulas.ratings import performance_rating

DRAWS = 2_000
CONFIDENCE = 0.95
ENOUGH = 10  # decisions on either side
SEED = 20_250_110
AT_ONCE = 1_000_000  # decisions that are drawn into memory

Floats = NDArray[np.float64]

KEPT, ROLLED_BACK, INCONCLUSIVE = "kept", "rolled_back", "inconclusive"
NOT_WORSE, WORSE, NOT_CLEAR = "not worse", "worse", "worse but not clear"
TOO_FEW, NOTHING_BEFORE = "too few decisions", "nothing to compare with"
REPLACED, NO_WAY_BACK, BY_HAND = "replaced meanwhile", "nothing to go back to", "by hand"


@dataclass(frozen=True)
class Decisions:
    """An agent's part in closed trades, one entry each: `won` 1, 0, or NaN for break-even; `accuracy` 1 − (confidence −
    won)² or NaN; `pnl` its attributed P&L, in a unit that is the same for all entries."""

    won: Floats
    accuracy: Floats
    pnl: Floats

    def __len__(self) -> int:
        return len(self.pnl)

    def rating(self, drawn: NDArray[np.int64] | None = None) -> Floats:
        """The performance rating, or one for each row of `drawn`: places of entries, draws × n."""
        at = np.arange(len(self))[None, :] if drawn is None else drawn
        won, accuracy, pnl = self.won[at], self.accuracy[at], self.pnl[at]
        known = (~np.isnan(accuracy)).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            right = np.nansum(accuracy, axis=1) / np.where(known > 0, known, np.nan)
        gained, lost = np.clip(pnl, 0, None).sum(axis=1), np.clip(-pnl, 0, None).sum(axis=1)
        return performance_rating((won == 1).sum(axis=1), (won == 0).sum(axis=1), right, gained, lost)


@dataclass(frozen=True)
class Judged:
    """What becomes of a swap, and why; ratings are 0–100, `change` a share of the one before, low and high the 95 %
    interval of after − before. NaN where there is none."""

    status: str
    verdict: str
    before: float = np.nan
    after: float = np.nan
    change: float = np.nan
    low: float = np.nan
    high: float = np.nan


def decisions(won: ArrayLike, accuracy: ArrayLike, pnl: ArrayLike) -> Decisions:
    """From lists of numbers, NaN where there is none."""
    return Decisions(*(np.asarray(x, dtype=float) for x in (won, accuracy, pnl)))


def judge_swap(before: Decisions, after: Decisions, threshold: float, guard: bool, seed: int) -> Judged:
    """Rolled back where the rating fell by more than the threshold (−0.1: by a tenth) and, with the guard, by more than
    luck: the percentile interval of 2,000 seeded draws of the decisions lies below 0 (B. Efron, Bootstrap methods,
    Annals of Statistics 7, 1979)."""
    if min(len(before), len(after)) < ENOUGH:
        return Judged(INCONCLUSIVE, TOO_FEW)
    was, now = float(before.rating()[0]), float(after.rating()[0])
    if not was > 0 or np.isnan(now):
        return Judged(INCONCLUSIVE, NOTHING_BEFORE, was, now)
    change = (now - was) / was
    low, high = _interval(before, after, seed)
    if change >= threshold:
        return Judged(KEPT, NOT_WORSE, was, now, change, low, high)
    if guard and not high < 0:
        return Judged(INCONCLUSIVE, NOT_CLEAR, was, now, change, low, high)
    return Judged(ROLLED_BACK, WORSE, was, now, change, low, high)


def _interval(before: Decisions, after: Decisions, seed: int) -> tuple[float, float]:
    random = np.random.default_rng([SEED, seed])
    one, other = (_drawn(side, random) for side in (before, after))
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.nanpercentile(other - one, [tail, 100 - tail])
    return float(low), float(high)


def _drawn(side: Decisions, random: np.random.Generator) -> Floats:
    """The ratings of so many draws, a part of them at a time: a swap may have a hundred thousand decisions."""
    part = max(1, AT_ONCE // len(side))
    sizes = [min(part, DRAWS - k) for k in range(0, DRAWS, part)]
    return np.concatenate([side.rating(random.integers(0, len(side), (n, len(side)))) for n in sizes])
