"""Ratings by hand; how often a swap without effect is rolled back and how soon a bad one, with and without guard."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.formulas.ratings import entropy_index, performance_rating
from jobs.formulas.swaps import (
    DRAWS,
    INCONCLUSIVE,
    KEPT,
    NOT_CLEAR,
    NOT_WORSE,
    NOTHING_BEFORE,
    ROLLED_BACK,
    TOO_FEW,
    Decisions,
    decisions,
    judge_swap,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("parts", "rating"),
    [
        ((1, 1, 0.815, 60, 30), 64.45),
        ((3, 1, NAN, 0, 0), 75.0),  # wins alone
        ((0, 0, 0.5, 0, 0), 50.0),  # confidence alone
        ((0, 0, NAN, 1, 3), 25.0),  # money alone
        ((1, 0, NAN, 5, 0), 100.0),
        ((2, 2, 1.0, 0, 0), 100 * (0.4 * 0.5 + 0.3) / 0.7),
        ((0, 0, NAN, 0, 0), NAN),
    ],
)
def test_a_part_that_is_not_known_leaves_and_the_others_are_weighed_anew(
    parts: tuple[float, ...], rating: float
) -> None:
    assert float(performance_rating(*parts)) == pytest.approx(rating, nan_ok=True)


amounts = st.floats(0, 1e6)


@given(st.integers(0, 50), st.integers(0, 50), st.one_of(st.just(NAN), st.floats(0, 1)), amounts, amounts)
def test_a_rating_is_between_0_and_100(
    wins: int, losses: int, accuracy: float, gained: float, lost: float
) -> None:
    rating = float(performance_rating(wins, losses, accuracy, gained, lost))
    assert math.isnan(rating) or -1e-9 <= rating <= 100 + 1e-9


@pytest.mark.parametrize(
    ("counts", "index"), [([], None), ([0], None), ([7], 0.0), ([3, 3], 1.0), ([1, 1, 1, 0], 1.0)]
)
def test_entropy_of_a_few_counts(counts: list[int], index: float | None) -> None:
    assert entropy_index(counts) == pytest.approx(index)


@given(st.lists(st.integers(0, 10**9), max_size=50))
def test_entropy_is_between_0_and_1(counts: list[int]) -> None:
    index = entropy_index(counts)
    assert index is None or 0 <= index <= 1


def drawn(random: np.random.Generator, n: int, chance: float) -> Decisions:
    """Decisions of an agent that wins with that chance, says what it believes, and wins and loses alike."""
    won = (random.random(n) < chance).astype(float)
    said = np.clip(chance + random.normal(0, 0.15, n), 0, 1)
    size = random.lognormal(0, 0.7, n)
    return decisions(won, 1 - (said - won) ** 2, np.where(won == 1, size, -size))


def rolled_back(n: int, before: float, after: float, guard: bool, trials: int) -> float:
    random = np.random.default_rng(7)
    found = [
        judge_swap(drawn(random, n, before), drawn(random, n, after), -0.1, guard, seed=k).status
        for k in range(trials)
    ]
    return found.count(ROLLED_BACK) / trials


def test_a_swap_without_effect_is_rarely_rolled_back_with_the_guard_and_often_without() -> None:
    """At 10 decisions a side: the bare threshold takes back more than a quarter of them, for nothing."""
    assert rolled_back(10, 0.55, 0.55, guard=False, trials=300) > 0.3
    assert rolled_back(10, 0.55, 0.55, guard=True, trials=300) < 0.08


@pytest.mark.parametrize(("n", "least"), [(10, 0.3), (20, 0.5), (40, 0.75)])
def test_how_soon_a_bad_swap_is_rolled_back(n: int, least: float) -> None:
    """One that wins 30 % instead of 65: with 10, 20 and 40 decisions a side."""
    with_guard = rolled_back(n, 0.65, 0.30, guard=True, trials=120)
    assert with_guard > least
    assert rolled_back(n, 0.65, 0.30, guard=False, trials=120) >= with_guard


def test_too_few_decisions_on_either_side_say_nothing() -> None:
    random = np.random.default_rng(1)
    for sizes in ((9, 50), (50, 9)):
        before, after = (drawn(random, n, 0.5) for n in sizes)
        judged = judge_swap(before, after, -0.1, True, 1)
        assert (judged.status, judged.verdict) == (INCONCLUSIVE, TOO_FEW)


def test_a_rating_of_nothing_cannot_fall() -> None:
    lost = decisions([0] * 12, [NAN] * 12, [-1] * 12)
    judged = judge_swap(lost, drawn(np.random.default_rng(1), 12, 0.5), -0.1, True, 1)
    assert (judged.status, judged.verdict, judged.before) == (INCONCLUSIVE, NOTHING_BEFORE, 0)
    level = decisions([NAN] * 12, [NAN] * 12, [0] * 12)
    assert judge_swap(lost, level, -0.1, True, 1).verdict == NOTHING_BEFORE


def test_a_fall_of_just_the_threshold_is_kept() -> None:
    """Ratings of wins and money alone: 70 and 63 are a tenth apart, which is not more than a tenth."""
    before, after = (decisions([1] * k + [0] * (100 - k), [NAN] * 100, [0] * 100) for k in (70, 63))
    judged = judge_swap(before, after, -0.1000001, True, 1)
    assert (judged.status, judged.verdict) == (KEPT, NOT_WORSE)
    assert (judged.before, judged.after, judged.change) == pytest.approx((70, 63, -0.1))
    assert judge_swap(before, after, -0.05, True, 1).verdict == NOT_CLEAR
    assert judge_swap(before, after, -0.05, False, 1).status == ROLLED_BACK


def test_the_interval_is_the_same_each_time_and_as_drawn_one_by_one() -> None:
    random = np.random.default_rng(3)
    before, after = drawn(random, 15, 0.6), drawn(random, 12, 0.4)
    judged = judge_swap(before, after, -0.1, True, 42)
    assert judged == judge_swap(before, after, -0.1, True, 42)
    again = np.random.default_rng([20_250_110, 42])
    places = [again.integers(0, len(side), (DRAWS, len(side))) for side in (before, after)]
    differences = [
        float(after.rating(two[None, :])[0] - before.rating(one[None, :])[0])
        for one, two in zip(*places, strict=True)
    ]
    assert (judged.low, judged.high) == pytest.approx(tuple(np.percentile(differences, [2.5, 97.5])))
