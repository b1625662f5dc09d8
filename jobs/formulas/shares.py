"""Shares of members: with a least one for each, and what they are made of; on arrays of groups × members."""

import numpy as np
from numpy.typing import NDArray

from jobs.formulas.intervals import Floats

FLOOR = 0.1  # the least weight of a member; 1/(2K) where that is less

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def floor(part: Bools) -> Floats:
    """The least weight of those who take part, groups × 1."""
    least: Floats = np.minimum(FLOOR, 0.5 / np.maximum(part.sum(axis=1, keepdims=True), 1))
    return least


def with_floor(score: Floats, part: Bools) -> tuple[Floats, Bools]:
    """Shares in proportion to the scores; who is below the floor gets it, the others share the rest, and so on.

    Also whether the floor was needed, one a group.
    """
    least, low = floor(part), np.zeros(part.shape, dtype=bool)
    while True:
        free = np.where(part & ~low, score, 0)
        rest = 1 - least * low.sum(axis=1, keepdims=True)
        total = free.sum(axis=1, keepdims=True)
        weights = np.where(low, least, rest * free / np.where(total > 0, total, 1))
        below = part & ~low & (weights < least) & (total > 0)
        if not below.any():
            return weights, np.any(low, axis=1)
        low |= below


def relative_mse(mse: Floats, own: Bools) -> Floats:
    """Each member's squared error over the mean of those of its group; 1 where all are 0, 0 where there is none."""
    centre = mean(mse, own)
    share = np.where(own, mse, 0) / np.where(centre > 0, centre, 1)
    return np.where(own, np.where(centre > 0, share, 1), 0)


def mean(values: Floats, where: Bools) -> Floats:
    """The mean of each group over some members, groups × 1; 0 over none."""
    total = np.where(where, values, 0).sum(axis=1, keepdims=True)
    found: Floats = total / np.maximum(where.sum(axis=1, keepdims=True), 1)
    return found


def centred(values: Floats, where: Bools) -> Floats:
    """What each value is above the mean of its group over some members."""
    return values - mean(values, where)


def places(horizon: Ints) -> tuple[Ints, int]:
    """The place of each group's horizon among the different ones, and how many there are."""
    different, which = np.unique(horizon, return_inverse=True)
    return which, len(different)


def by_horizon(values: Floats, which: Ints, horizons: int) -> Floats:
    """Sums over the groups of each horizon; groups × any → horizons × any."""
    return np.column_stack([np.bincount(which, column, horizons) for column in values.T])
