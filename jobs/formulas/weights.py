"""How much each member of an ensemble counts: the weight rules, on arrays of groups × members (docs/metrics.md).

A group is a (code, horizon). A rule that has too little to go by says so for that group and gives NaN: the weights in
force stay. What rules, actions and reasons are called stands in weight_names.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.formulas.intervals import Floats
from jobs.formulas.shares import (
    Bools,
    Ints,
    by_horizon,
    centred,
    floor,
    mean,
    places,
    relative_mse,
    with_floor,
)
from jobs.formulas.weight_names import (
    ALL_WRONG,
    AS_MEASURED,
    AT_A_LIMIT,
    BATES_GRANGER,
    EQUAL,
    FEW_OUTCOMES,
    FIXED,
    FROM_ALL_CODES,
    HIT_RATE,
    INVERSE_MSE,
    LEFT_OUT,
    NO_OUTCOMES,
    ONE_MEMBER,
    SKIPPED_INSUFFICIENT,
    SKIPPED_MISSING_MODEL,
    UPDATED,
)

WINDOW_DAYS = 31  # days of resolved outcomes that weights are made of, as_of being the last
ENOUGH = 10  # outcomes under which a member is not measured
SHRINK = 30  # outcomes of its own at which a code counts as much as all codes together
TINY = 1e-6  # a squared error below this share of the members' mean counts as this share

Words = NDArray[np.str_]


@dataclass(frozen=True)
class Pairs:
    """Errors (predicted − actual) of two members on what both predicted; one element a group.

    n of them, the means of both squares and of the product, in the squared unit of the code's price (any where n = 0).
    """

    n: Floats
    first: Floats
    second: Floats
    product: Floats


@dataclass(frozen=True)
class Window:
    """What the outcomes of a window say; groups × members, but the horizon, which is one number a group.

    `hits` of `trials` outcomes whose direction is known; `n` outcomes in all, with their mean squared error in the
    squared unit of the code's price (any where n = 0). NaN is no outcome. hit_rate wants hits, trials and n;
    inverse_mse horizon, n and mse; bates_granger horizon, n and pairs; equal only the shape.
    """

    horizon: Ints
    hits: Floats
    trials: Floats
    n: Floats
    mse: Floats
    pairs: Pairs | None = None


@dataclass(frozen=True)
class Weighted:
    """Weights, groups × members, that sum to 1 (NaN where skipped); action and reason, one a group."""

    weights: Floats
    action: Words
    reason: Words


Rule = Callable[[Window], Weighted]


def hit_rate(window: Window) -> Weighted:
    """Each member by its share of right directions; none under 0.1, or 1/(2K) for K > 5.

    Members with fewer than ten known directions are left out (weight 0), and K is the number of the others; under two
    others nothing changes. So for two members it is both or none.
    """
    trials, hits = np.nan_to_num(window.trials), np.nan_to_num(window.hits)
    part = trials >= ENOUGH
    rate = np.where(part, hits / np.where(part, trials, 1), 0)
    none_right = rate.sum(axis=1, keepdims=True) == 0
    weights, limited = with_floor(np.where(none_right, 1.0, rate), part)
    reason = np.select(
        [none_right[:, 0], ~part.all(axis=1), limited], [ALL_WRONG, LEFT_OUT, AT_A_LIMIT], AS_MEASURED
    )
    return _or_skipped(weights, reason, part, window.n)


def inverse_mse(window: Window) -> Weighted:
    """Each member by one over its mean squared error, each code's drawn towards that of all codes of its horizon.

    log MSE = λ · the code's own + (1 − λ) · the pooled one, λ = n/(n + 30). The pooled one is the mean, over outcomes,
    of each code's MSE divided by the mean MSE of the members on that code, so that codes of large prices rule nothing.
    A member with fewer than ten outcomes over all codes of a horizon is left out there. w ∝ 1/MSE, then
    (1 − K·f)·w + f, f as in hit_rate.
    """
    which, horizons = places(window.horizon)
    n = np.where(np.isnan(window.mse), 0, np.nan_to_num(window.n))
    in_all = by_horizon(n, which, horizons)[which]
    part = in_all >= ENOUGH
    own = part & (n > 0)
    relative = relative_mse(window.mse, own)
    pooled = by_horizon(n * relative, which, horizons)[which] / np.where(part, in_all, 1)
    share = np.where(part, np.exp(-_log_mse(relative, own, pooled, part, n / (n + SHRINK))), 0)
    share = share / np.where(part.any(axis=1), share.sum(axis=1), 1)[:, None]
    least = floor(part)
    weights = np.where(part, (1 - part.sum(axis=1, keepdims=True) * least) * share + least, 0)
    reason = np.select([~part.all(axis=1), ~own.any(axis=1)], [LEFT_OUT, FROM_ALL_CODES], AS_MEASURED)
    return _or_skipped(weights, reason, part, in_all)


def _log_mse(relative: Floats, own: Bools, pooled: Floats, part: Bools, own_share: Floats) -> Floats:
    """Each member's log MSE above its group's mean, drawn towards the pooled one.

    Where a code lacks a member, those that it has keep the mean that they have in the pool, so that all are on one
    scale.
    """
    of_all = centred(np.log(np.maximum(pooled, TINY)), part)
    of_own = centred(np.log(np.maximum(relative, TINY)), own) + mean(of_all, own)
    return np.where(own, own_share * of_own + (1 - own_share) * of_all, of_all)


def bates_granger(window: Window) -> Weighted:
    """Two members by the weights that would have made the error of their mean least, half way to equal: 0.25 to 0.75.

    w = ¼ + ½ · clip((v₂ − c)/(v₁ + v₂ − 2c), 0, 1), with mean squares v and mean product c of the errors over all codes
    of the horizon, each code's divided by the mean of both its squares. J. M. Bates and C. W. J. Granger, The
    combination of forecasts, Oper. Res. Q. 20 (1969). ValueError for other than two members or without pairs.
    """
    if window.pairs is None or window.n.shape[1] != 2:
        raise ValueError("bates_granger weighs two members by the pairs of their errors")
    which, horizons = places(window.horizon)
    first, second, product = _pooled(window.pairs, which, horizons)[which].T
    apart = first + second - 2 * product
    differ = apart > TINY * TINY * (first + second)
    best = np.where(differ, np.clip((second - product) / np.where(differ, apart, 1), 0, 1), 0.5)
    weight = 0.25 + 0.5 * best
    n = np.nan_to_num(window.pairs.n)[:, None]
    enough = by_horizon(n, which, horizons)[which] >= ENOUGH
    reason = np.where(differ & ((best == 0) | (best == 1)), AT_A_LIMIT, AS_MEASURED)
    seen = by_horizon(np.nan_to_num(window.n), which, horizons)[which]
    return _or_skipped(np.column_stack([weight, 1 - weight]), reason, np.repeat(enough, 2, axis=1), seen)


def _pooled(pairs: Pairs, which: Ints, horizons: int) -> Floats:
    """Sums of squares and products over the codes of each horizon, each code's scaled; horizons × 3."""
    scale = np.nan_to_num((pairs.first + pairs.second) / 2)
    per = np.where(scale > 0, np.nan_to_num(pairs.n), 0) / np.where(scale > 0, scale, 1)
    means = np.nan_to_num(np.column_stack([pairs.first, pairs.second, pairs.product]))
    return by_horizon(means * per[:, None], which, horizons)


def equal(window: Window) -> Weighted:
    """1/K each, whatever happened."""
    groups, members = window.n.shape
    weights = np.full((groups, members), 1 / members)
    return Weighted(weights, np.full(groups, UPDATED), np.full(groups, FIXED))


RULES: dict[str, Rule] = {
    HIT_RATE: hit_rate,
    INVERSE_MSE: inverse_mse,
    BATES_GRANGER: bates_granger,
    EQUAL: equal,
}


def _or_skipped(weights: Floats, reason: Words, part: Bools, seen: Floats) -> Weighted:
    """Nothing changes where fewer than two members take part: one is missing where but one was seen at all."""
    skipped = part.sum(axis=1) < 2
    if not skipped.any():
        return Weighted(weights, np.full(len(skipped), UPDATED), reason)
    counts = (np.nan_to_num(seen) > 0).sum(axis=1)
    action = np.select(
        [skipped & (counts == 1), skipped], [SKIPPED_MISSING_MODEL, SKIPPED_INSUFFICIENT], UPDATED
    )
    why = np.select([counts == 0, counts == 1], [NO_OUTCOMES, ONE_MEMBER], FEW_OUTCOMES)
    return Weighted(np.where(skipped[:, None], np.nan, weights), action, np.where(skipped, why, reason))
