"""95 % intervals against published numbers and against scipy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from jobs.formulas.intervals import mean_interval, wilson

# R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998),
# table I, method 3 (score).
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]

counts = st.integers(1, 10_000)
means = st.floats(0, 100)
spreads = st.floats(1e-3, 50)
sizes = st.integers(3, 100_000)


@pytest.mark.parametrize(("k", "n", "low", "high"), NEWCOMBE)
def test_wilson_gives_the_published_intervals(k: int, n: int, low: float, high: float) -> None:
    found = wilson(k, n)
    assert [round(float(end), 4) for end in found] == [low, high]


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (1, 2), (3, 10), (50, 100), (999, 1000), (7, 100_000)])
def test_wilson_equals_scipy(k: int, n: int) -> None:
    theirs = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson(k, n) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 49, 1000])
def test_none_and_all_have_an_exact_end(n: int) -> None:
    (low, _), (_, high) = wilson(0, n), wilson(n, n)
    assert (float(low), float(high)) == (0.0, 1.0)
    assert wilson(0, n)[1] == pytest.approx(1 - wilson(n, n)[0])


def test_no_trials_give_no_interval() -> None:
    assert np.isnan(wilson(0, 0)).all()


def test_wilson_broadcasts() -> None:
    low, high = wilson([[1], [2], [0]], [4, 0])
    assert low.shape == high.shape == (3, 2)
    assert np.isnan(low[:, 1]).all()
    assert np.isnan(high[:, 1]).all()
    for row, k in enumerate([1, 2, 0]):
        assert (low[row, 0], high[row, 0]) == tuple(map(float, wilson(k, 4)))


def test_mean_interval_is_students_t() -> None:
    values = [80.0, 60.0, 71.5, 90.0]
    n, mean, std = len(values), np.mean(values), np.std(values, ddof=1)
    theirs = stats.t.interval(0.95, n - 1, loc=mean, scale=std / np.sqrt(n))
    assert mean_interval(mean, std, n) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(("n", "t"), [(3, 4.3027), (11, 2.2281), (31, 2.0423), (121, 1.9799)])
def test_mean_interval_uses_the_tabled_quantiles(n: int, t: float) -> None:
    _, high = mean_interval(0, 1, n)
    assert float(high) * np.sqrt(n) == pytest.approx(t, abs=5e-5)


@pytest.mark.parametrize("n", [0, 1, 2, np.nan])
def test_fewer_than_three_values_have_no_band(n: float) -> None:
    assert np.isnan(mean_interval(50, 10, n, 0, 100)).all()


def test_missing_spread_has_no_band_and_none_has_width_zero() -> None:
    low, high = mean_interval([50, 50], [np.nan, 0], 10, 0, 100)
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[1]) == (50, 50)


def test_mean_interval_is_clipped_to_the_metrics_range() -> None:
    low, high = mean_interval([1, 99, 50], [30, 30, 1], 3, 0, 100)
    assert low[0] == 0
    assert high[1] == 100
    assert 0 < low[2] < high[2] < 100


def test_mean_interval_broadcasts() -> None:
    low, high = mean_interval([[10], [20]], 5, [2, 3, 4])
    assert low.shape == high.shape == (2, 3)
    assert np.isnan(low[:, 0]).all()
    assert (low[1, 2], high[1, 2]) == tuple(map(float, mean_interval(20, 5, 4)))


@given(n=counts, share=st.floats(0, 1))
def test_wilson_contains_the_rate_and_stays_between_0_and_1(n: int, share: float) -> None:
    k = round(share * n)
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert low < high


@given(n=counts, share=st.floats(0, 1), times=st.integers(2, 50))
def test_wilson_shrinks_with_the_number_of_trials(n: int, share: float, times: int) -> None:
    k = round(share * n)
    (low, high), (lower, higher) = wilson(k, n), wilson(k * times, n * times)
    assert higher - lower < high - low


@given(n=counts, share=st.floats(0, 1))
def test_wilson_of_failures_mirrors_that_of_successes(n: int, share: float) -> None:
    k = round(share * n)
    other_low, other_high = wilson(n - k, n)
    assert (1 - other_high, 1 - other_low) == pytest.approx(tuple(map(float, wilson(k, n))), abs=1e-12)


@given(mean=means, std=spreads, n=sizes)
def test_mean_interval_contains_the_mean_and_stays_in_range(mean: float, std: float, n: int) -> None:
    low, high = mean_interval(mean, std, n, 0, 100)
    assert 0 <= low <= mean <= high <= 100


@given(mean=means, std=spreads, n=sizes, more=st.integers(1, 1000))
def test_mean_interval_shrinks_with_the_number_of_rows(mean: float, std: float, n: int, more: int) -> None:
    (low, high), (lower, higher) = mean_interval(mean, std, n), mean_interval(mean, std, n + more)
    assert higher - lower < high - low
