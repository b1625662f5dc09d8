"""AI quality's arithmetic: known answers, and what must hold for any numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy import stats

from jobs.formulas.quality import Agreement, agreement, split


def test_a_mix_that_moved_and_a_segment_that_moved() -> None:
    # Half and half at 6 and 8; then one in four at 6 and three in four at 9.
    found = split([25, 75], [6, 9], [50, 50], [6, 8])
    assert found.mix == pytest.approx([-0.25 * 6, 0.25 * 8.5])
    assert found.own == pytest.approx([0, 1 * 0.625])
    assert found.mix.sum() + found.own.sum() == pytest.approx((25 * 6 + 75 * 9) / 100 - 7)


def test_a_new_segment_is_all_mix() -> None:
    found = split([10, 10], [5, 9], [10, 0], [5, np.nan])
    assert found.own.tolist() == [0, 0]
    assert found.mix.sum() == pytest.approx(2)


segments = st.lists(
    st.tuples(
        st.integers(0, 1000), st.floats(0, 10, width=32), st.integers(0, 1000), st.floats(0, 10, width=32)
    ),
    min_size=1,
    max_size=30,
).filter(lambda rows: sum(row[0] for row in rows) and sum(row[2] for row in rows))


@given(segments)
def test_mix_and_own_sum_to_the_change(rows: list[tuple[int, float, int, float]]) -> None:
    n, mean, n0, mean0 = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    change = (n * mean).sum() / n.sum() - (n0 * mean0).sum() / n0.sum()
    missing, missing0 = np.where(n > 0, mean, np.nan), np.where(n0 > 0, mean0, np.nan)
    gone = (n == 0) & (n0 == 0)
    found = split(n[~gone], missing[~gone], n0[~gone], missing0[~gone])
    assert found.mix.sum() + found.own.sum() == pytest.approx(change, abs=1e-9)


def agreed(liked: ArrayLike, disliked: ArrayLike) -> Agreement | None:
    """By the scores of single conversations."""
    a, b = np.asarray(liked), np.asarray(disliked)
    score = np.unique(np.concatenate([a, b]))
    return agreement(score, *((side[:, None] == score).sum(axis=0) for side in (a, b)))


def test_agreement_is_the_statistic_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(7)
    liked, disliked = rng.integers(3, 11, 60), rng.integers(0, 9, 25)
    found = agreed(liked, disliked)
    assert found is not None
    assert found.auc == pytest.approx(stats.mannwhitneyu(liked, disliked).statistic / (60 * 25))
    assert 0.5 < found.low < found.auc < found.high < 1
    assert agreed(liked, disliked) == found, "the same draws each time"


def test_agreement_wants_ten_of_each() -> None:
    assert agreed(range(50), range(9)) is None
    assert agreed(range(9), range(50)) is None


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng, hits, rounds = np.random.default_rng(11), 0, 60
    true = stats.norm.cdf(1 / np.sqrt(2))
    for _round in range(rounds):
        found = agreed(rng.normal(1, 1, 40), rng.normal(0, 1, 40))
        assert found is not None
        hits += found.low <= true <= found.high
    assert 0.87 <= hits / rounds <= 1
