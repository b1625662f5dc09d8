"""The weight rules: worked examples, a second way to compute each, and what must hold for any numbers."""

import warnings
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from db import weight_words
from jobs.formulas.weight_names import (
    ACTIONS,
    ALL_WRONG,
    AT_A_LIMIT,
    FEW_OUTCOMES,
    FOR_TWO,
    FROM_ALL_CODES,
    LEFT_OUT,
    MEMBERS_CHANGED,
    NO_MEMBER,
    NO_OUTCOMES,
    ONE_MEMBER,
    REASONS,
    REMOVED,
    RULE_NAMES,
    SKIPPED_INSUFFICIENT,
    SKIPPED_MISSING_MODEL,
    TAKEN_BACK,
    UNDONE,
    UPDATED,
    rules_for,
    starting_weights,
)
from jobs.formulas.weights import RULES, Pairs, Weighted, Window, bates_granger, equal, hit_rate, inverse_mse


def of_hits(hits: ArrayLike, trials: ArrayLike, n: ArrayLike | None = None) -> Window:
    """One group of members with so many hits of so many trials."""
    k, of = np.atleast_2d(np.array(hits, dtype=float)), np.atleast_2d(np.array(trials, dtype=float))
    rows = of if n is None else np.atleast_2d(np.array(n, dtype=float))
    return Window(np.ones(len(k), dtype=np.int64), k, of, rows, np.where(rows > 0, 1.0, np.nan))


def of_errors(mse: ArrayLike, n: ArrayLike, horizon: ArrayLike | None = None) -> Window:
    errors, rows = np.array(mse, dtype=float), np.array(n, dtype=float)
    which = np.ones(len(errors), dtype=np.int64) if horizon is None else np.array(horizon)
    return Window(which, 0 * rows, 0 * rows, rows, errors)


def only(found: Weighted) -> tuple[list[float], str, str]:
    """Weights, action and reason of the one group."""
    return found.weights[0].tolist(), str(found.action[0]), str(found.reason[0])


# Hit rates


@pytest.mark.parametrize(
    ("hits", "trials", "weights"),
    [
        ([12, 6], [20, 15], [0.6, 0.4]),
        ([19, 1], [20, 20], [0.9, 0.1]),
        ([1, 19], [20, 20], [0.1, 0.9]),
        ([6, 3, 1], [10, 10, 10], [0.6, 0.3, 0.1]),
        ([9] + 9 * [1], 10 * [10], [0.5] + 9 * [0.5 / 9]),
        ([8, 4, 0], [10, 10, 10], [0.6, 0.3, 0.1]),
        ([10, 1, 1, 0], 4 * [10], [0.7, 0.1, 0.1, 0.1]),
    ],
)
def test_weights_are_shares_of_the_hit_rates(hits: list, trials: list, weights: list) -> None:
    found, action, _reason = only(hit_rate(of_hits(hits, trials)))
    assert found == pytest.approx(weights)
    assert action == UPDATED


def test_the_floor_is_asked_again_of_those_who_share_the_rest() -> None:
    # f = 0.1, of Σ = 1.33: .75, .15, .098, 0. First 0 and .098 get f; the others share .8, none is below f.
    found, action, reason = only(hit_rate(of_hits([100, 20, 13, 0], 4 * [100])))
    assert found == pytest.approx([0.8 * 100 / 120, 0.8 * 20 / 120, 0.1, 0.1])
    assert (action, reason) == (UPDATED, AT_A_LIMIT)
    # Here the second round brings another one below: .8 · .11/.93 = .0946.
    found, _action, _reason = only(hit_rate(of_hits([82, 11, 5, 0], 4 * [100])))
    assert found == pytest.approx([0.7, 0.1, 0.1, 0.1])


@pytest.mark.parametrize(
    ("hits", "trials", "n", "action", "reason"),
    [
        ([12, 5], [20, 9], None, SKIPPED_INSUFFICIENT, FEW_OUTCOMES),
        ([12, 0], [20, 0], None, SKIPPED_MISSING_MODEL, ONE_MEMBER),
        ([3, 0], [5, 0], None, SKIPPED_MISSING_MODEL, ONE_MEMBER),
        (
            [12, 0],
            [20, 0],
            [20, 20],
            SKIPPED_INSUFFICIENT,
            FEW_OUTCOMES,
        ),  # outcomes, but no direction is known
        ([0, 0], [0, 0], None, SKIPPED_INSUFFICIENT, NO_OUTCOMES),
        ([5, 5, 5], [20, 9, 3], None, SKIPPED_INSUFFICIENT, FEW_OUTCOMES),
        ([5, 0, 0], [20, 0, 0], None, SKIPPED_MISSING_MODEL, ONE_MEMBER),
    ],
)
def test_where_fewer_than_two_have_ten_outcomes_nothing_changes(hits, trials, n, action, reason) -> None:
    found = only(hit_rate(of_hits(hits, trials, n)))
    assert np.isnan(found[0]).all()
    assert found[1:] == (action, reason)


def test_members_under_ten_are_left_out_and_the_others_share() -> None:
    assert only(hit_rate(of_hits([6, 3, 9], [10, 10, 9]))) == (
        pytest.approx([2 / 3, 1 / 3, 0]),
        UPDATED,
        LEFT_OUT,
    )
    # Of ten members two are left: the floor is that of two.
    found, *_ = only(hit_rate(of_hits([19, 1] + 8 * [0], [20, 20] + 8 * [0])))
    assert found == pytest.approx([0.9, 0.1] + 8 * [0])


def test_none_right_is_equal() -> None:
    assert only(hit_rate(of_hits([0, 0], [20, 10]))) == ([0.5, 0.5], UPDATED, ALL_WRONG)
    found, *_ = only(hit_rate(of_hits([0, 0, 0, 3], [10, 10, 10, 5])))
    assert found == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


# Squared errors


def test_inverse_mse_of_a_single_code() -> None:
    # Alone, a code is its own pool: w ∝ 1/MSE, then (1 − 2 · 0.1) · w + 0.1.
    found, action, _reason = only(inverse_mse(of_errors([[1.0, 3.0]], [[20, 20]])))
    assert found == pytest.approx([0.8 * 0.75 + 0.1, 0.8 * 0.25 + 0.1])
    assert action == UPDATED


def test_inverse_mse_by_hand_for_two_codes() -> None:
    # Relative to the members' mean: .5/1.5 and 1.5/.5; pooled over 10 and 30 outcomes: 1.25 and .75.
    found = inverse_mse(of_errors([[1, 3], [600, 200]], [[10, 10], [30, 30]]))
    pool = np.log([1.25, 0.75]) - np.log([1.25, 0.75]).mean()
    for row, mse, share in ((0, [1, 3], 10 / 40), (1, [600, 200], 30 / 60)):
        own = np.log(mse) - np.log(mse).mean()
        w = np.exp(-(share * own + (1 - share) * pool))
        assert found.weights[row] == pytest.approx(0.8 * w / w.sum() + 0.1)


def test_a_code_without_outcomes_is_weighed_as_all_codes_of_its_horizon() -> None:
    window = of_errors(
        [[1, 3], [np.nan, np.nan], [3, 1], [np.nan, np.nan]], [[40, 40], [0, 0]] * 2, [1, 1, 5, 5]
    )
    found = inverse_mse(window)
    assert found.weights[1] == pytest.approx([0.7, 0.3]) and found.weights[3] == pytest.approx([0.3, 0.7])
    assert found.reason[1] == FROM_ALL_CODES


def test_a_member_that_a_code_lacks_stands_to_the_others_as_everywhere() -> None:
    full = inverse_mse(of_errors([[1, 2, 4]] * 2, [[40] * 3] * 2)).weights[0]
    found = inverse_mse(of_errors([[1, 2, 4], [1, 2, np.nan]], [[1e9] * 3, [40, 40, 0]])).weights[1]
    assert found == pytest.approx(full)


@pytest.mark.parametrize(
    ("n", "action", "reason"),
    [
        ([[9, 20]], SKIPPED_INSUFFICIENT, FEW_OUTCOMES),
        ([[0, 20]], SKIPPED_MISSING_MODEL, ONE_MEMBER),
        ([[0, 0]], SKIPPED_INSUFFICIENT, NO_OUTCOMES),
    ],
)
def test_inverse_mse_wants_ten_outcomes_over_all_codes(n, action, reason) -> None:
    found = only(inverse_mse(of_errors([[1, 2]], n)))
    assert np.isnan(found[0]).all() and found[1:] == (action, reason)
    assert only(inverse_mse(of_errors([[1, 2]] * 2, [[5, 5]] * 2)))[1] == UPDATED


def test_a_member_without_any_outcome_of_the_horizon_is_left_out() -> None:
    found = only(inverse_mse(of_errors([[1, np.nan, 1]], [[20, 0, 20]])))
    assert found == (pytest.approx([0.5, 0, 0.5]), UPDATED, LEFT_OUT)


# Pairs of errors


def of_pairs(first: ArrayLike, second: ArrayLike) -> Window:
    """Groups of one horizon; errors of both members, groups × occasions."""
    a, b = np.atleast_2d(np.array(first, dtype=float)), np.atleast_2d(np.array(second, dtype=float))
    n = np.full(len(a), float(a.shape[1]))
    pairs = Pairs(n, (a * a).mean(axis=1), (b * b).mean(axis=1), (a * b).mean(axis=1))
    both = np.column_stack([n, n])
    return Window(np.ones(len(a), dtype=np.int64), 0 * both, 0 * both, both, 1 + 0 * both, pairs)


def test_bates_granger_is_half_way_to_what_would_have_been_best() -> None:
    rng = np.random.default_rng(5)
    shared = rng.normal(0, 1, 400)
    first, second = shared + rng.normal(0, 0.5, 400), shared + rng.normal(0, 1, 400)
    found, action, _reason = only(bates_granger(of_pairs(first, second)))
    tried = np.linspace(0, 1, 10_001)
    error = ((tried[:, None] * first + (1 - tried[:, None]) * second) ** 2).mean(axis=1)
    assert found == pytest.approx(
        [0.25 + tried[error.argmin()] / 2, 0.75 - tried[error.argmin()] / 2], abs=1e-4
    )
    assert action == UPDATED


def test_bates_granger_says_one_thing_for_all_codes_of_a_horizon_whatever_their_prices() -> None:
    rng = np.random.default_rng(6)
    first, second = rng.normal(0, 1, (3, 20)), rng.normal(0, 2, (3, 20))
    window = of_pairs(first, second)
    scaled = of_pairs(first * [[1], [1e4], [1e-3]], second * [[1], [1e4], [1e-3]])
    found = bates_granger(scaled).weights
    assert found == pytest.approx(bates_granger(window).weights)
    assert found == pytest.approx(np.tile(found[0], (3, 1)))
    apart = replace(scaled, horizon=np.array([1, 2, 1]))
    assert bates_granger(apart).weights[1] != pytest.approx(found[1])


def test_bates_granger_at_its_ends() -> None:
    errors = np.linspace(-1, 1, 20)
    assert only(bates_granger(of_pairs(errors, 3 * errors))) == ([0.75, 0.25], UPDATED, AT_A_LIMIT)
    assert only(bates_granger(of_pairs(errors, errors)))[0] == [0.5, 0.5]
    assert only(bates_granger(of_pairs(0 * errors, 0 * errors)))[0] == [0.5, 0.5]
    assert only(bates_granger(of_pairs(errors[:9], errors[:9])))[1:] == (SKIPPED_INSUFFICIENT, FEW_OUTCOMES)
    none = Pairs(*(np.array([x]) for x in (0, np.nan, np.nan, np.nan)))
    one_missing = replace(of_errors([[1, np.nan]], [[20, 0]]), pairs=none)
    assert only(bates_granger(one_missing))[1] == SKIPPED_MISSING_MODEL
    for window in (of_errors([[1, 2]], [[20, 20]]), of_errors([[1, 2, 3]], [[20, 20, 20]])):
        with pytest.raises(ValueError, match="two members"):
            bates_granger(window)


# Names


def test_every_rule_has_its_name_and_the_rules_for_more_than_two_take_them() -> None:
    assert tuple(RULES) == RULE_NAMES
    assert rules_for(2) == RULE_NAMES
    assert set(rules_for(3)) == set(RULE_NAMES) - set(FOR_TWO)


def test_weights_before_any() -> None:
    assert starting_weights(("chronos", "lgbm")) == (0.6, 0.4)
    assert starting_weights(("lgbm", "chronos")) == (0.4, 0.6)
    assert starting_weights(("a", "b", "c", "d")) == (0.25,) * 4


# Properties


@st.composite
def windows(draw: st.DrawFn, members: st.SearchStrategy = st.integers(2, 10), least: int = 0) -> Window:  # noqa: B008
    """Any window, also with members or codes that have nothing, zeros and NaN."""
    groups, k = draw(st.integers(1, 5)), draw(members)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = rng.integers(least, 40, (groups, k)) * (1 if least else rng.integers(0, 2, (groups, k)))
    trials = n if least else rng.integers(0, n + 1)
    mse = np.exp(rng.normal(0, draw(st.sampled_from([0.1, 1, 8])), (groups, k)))
    mse *= rng.random((groups, k)) > draw(st.sampled_from([0, 0.3, 1]))
    both = n.min(axis=1)
    errors = rng.normal(0, 1, (groups, 2, 40)) * np.exp(rng.normal(0, 5, (groups, 1, 1)))
    square = (errors[:, :, None] * errors[:, None]).mean(axis=-1) * (rng.random((groups, 1, 1)) > 0.1)
    pairs = Pairs(both, *(np.where(both > 0, square[:, i, j], np.nan) for i, j in ((0, 0), (1, 1), (0, 1))))
    return Window(
        rng.choice([1, 3, 5], groups),
        rng.binomial(trials, rng.choice([0, 0.1, 0.5, 1.0], (groups, k))).astype(float),
        trials.astype(float),
        n.astype(float),
        np.where(n > 0, mse, np.nan),
        pairs if k == 2 else None,
    )


def weighed(rule: str, window: Window) -> Weighted:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return RULES[rule](window)


@given(windows())
def test_weights_sum_to_one_or_nothing_changes(window: Window) -> None:
    groups, members = window.n.shape
    for rule in rules_for(members):
        found = weighed(rule, window)
        updated = found.action == UPDATED
        assert set(found.action) <= set(ACTIONS) and set(found.reason) <= set(REASONS)
        assert found.action.shape == found.reason.shape == (groups,)
        assert (np.isnan(found.weights) == ~updated[:, None]).all()
        assert found.weights[updated].sum(axis=1) == pytest.approx(1)
        part = found.weights[updated] > 0
        floor = np.minimum(0.1, 0.5 / part.sum(axis=1, keepdims=True))
        high = 1 - (part.sum(axis=1, keepdims=True) - 1) * floor
        inside = (found.weights[updated] >= floor - 1e-12) & (found.weights[updated] <= high + 1e-12)
        assert (inside | ~part).all()


@given(windows(least=10))
def test_with_all_members_in_none_is_below_the_floor(window: Window) -> None:
    members = window.n.shape[1]
    least = min(0.1, 1 / (2 * members))
    for rule in rules_for(members):
        found = weighed(rule, window)
        assert (found.action == UPDATED).all()
        assert found.weights.min() >= least - 1e-12
        assert found.weights.max() <= 1 - (members - 1) * least + 1e-12


@given(windows(), st.data())
def test_a_better_hit_rate_never_lowers_the_weight(window: Window, data: st.DataObject) -> None:
    member = data.draw(st.integers(0, window.n.shape[1] - 1))
    better = window.hits.copy()
    better[:, member] = np.minimum(
        better[:, member] + data.draw(st.integers(1, 40)), window.trials[:, member]
    )
    before, after = weighed("hit_rate", window), weighed("hit_rate", replace(window, hits=better))
    assert (before.action == after.action).all()
    if (window.hits.sum(axis=1) > 0).all():  # else everybody is equal, and one hit of one member is all
        held = before.action == UPDATED
        assert (after.weights[held, member] >= before.weights[held, member] - 1e-12).all()


@given(windows(), st.data())
def test_a_smaller_error_never_lowers_the_weight(window: Window, data: st.DataObject) -> None:
    member = data.draw(st.integers(0, window.n.shape[1] - 1))
    alone = replace(window, horizon=np.arange(len(window.n)))  # in a pool others' scales move with it
    mse = alone.mse.copy()
    mse[:, member] *= data.draw(st.floats(0, 1))
    before, after = weighed("inverse_mse", alone), weighed("inverse_mse", replace(alone, mse=mse))
    held = before.action == UPDATED
    assert (after.weights[held, member] >= before.weights[held, member] - 1e-9).all()


@given(windows(members=st.integers(2, 4)))
def test_the_order_of_members_does_not_matter(window: Window) -> None:
    for order in map(list, permutations(range(window.n.shape[1]))):
        moved = replace(
            window,
            **{name: getattr(window, name)[:, order] for name in ("hits", "trials", "n", "mse")},
            pairs=window.pairs
            and (
                window.pairs
                if order == [0, 1]
                else replace(window.pairs, first=window.pairs.second, second=window.pairs.first)
            ),
        )
        for rule in rules_for(len(order)):
            found, other = weighed(rule, window), weighed(rule, moved)
            assert other.weights == pytest.approx(found.weights[:, order], nan_ok=True)
            assert (found.action == other.action).all() and (found.reason == other.reason).all()


@given(windows(), st.floats(1e-6, 1e6))
def test_the_unit_of_a_code_does_not_matter(window: Window, unit: float) -> None:
    factor = np.where(np.arange(len(window.n)) == 0, unit, 1)
    pairs = window.pairs and Pairs(
        window.pairs.n,
        *(x * factor for x in (window.pairs.first, window.pairs.second, window.pairs.product)),
    )
    scaled = replace(window, mse=window.mse * factor[:, None], pairs=pairs)
    for rule in rules_for(window.n.shape[1]):
        found = weighed(rule, scaled).weights
        assert found == pytest.approx(weighed(rule, window).weights, nan_ok=True, abs=1e-9)


@pytest.mark.parametrize("members", [1, 2, 7])
@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_nothing_at_all(members: int, nothing: float) -> None:
    none, one = np.full((3, members), nothing), np.full(3, nothing)
    window = Window(np.array([1, 1, 5]), none, none, none, none, Pairs(one, one, one, one))
    for rule in rules_for(members):
        if rule != "equal":
            found = weighed(rule, window)
            assert set(found.action) == {SKIPPED_INSUFFICIENT} and set(found.reason) == {NO_OUTCOMES}
            assert np.isnan(found.weights).all()
    assert equal(window).weights == pytest.approx(np.full((3, members), 1 / members))


def test_no_groups() -> None:
    none, one = np.empty((0, 2)), np.empty(0)
    window = Window(np.empty(0, dtype=np.int64), none, none, none, none, Pairs(one, one, one, one))
    for rule in RULES:
        assert weighed(rule, window).weights.shape == (0, 2)


def test_every_name_has_its_words() -> None:
    assert set(weight_words.RULES) == set(RULE_NAMES)
    assert set(weight_words.ACTIONS) == {*ACTIONS, REMOVED, UNDONE}
    assert set(weight_words.REASONS) == {*REASONS, NO_MEMBER, MEMBERS_CHANGED, TAKEN_BACK}
