"""The test of Diebold and Mariano, against statsmodels' own and on invented losses."""

import numpy as np
import pytest
from pandas import DataFrame
from statsmodels.tsa.stattools import diebold_mariano_test

from jobs.formulas.diebold_mariano import against, diebold_mariano, lag_for


@pytest.mark.parametrize("lag", [0, 1, 2, 5, 12])
@pytest.mark.parametrize("n", [20, 200])
def test_as_statsmodels_has_it(n: int, lag: int) -> None:
    rng = np.random.default_rng([n, lag])
    actual = rng.normal(0, 1, n).cumsum()
    first, second = actual + rng.normal(0, 1, n), actual + rng.normal(0.3, 1.1, n)
    theirs = diebold_mariano_test(actual, first, second, lags=lag, harvey_adj=True, horizon=max(lag, 1))
    found = diebold_mariano((actual - first) ** 2 - (actual - second) ** 2, lag)
    assert found.statistic == pytest.approx(theirs.statistic)
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.dates, found.lag) == (n, lag)


def test_differences_that_are_none_or_always_the_same() -> None:
    assert diebold_mariano(np.zeros(50), 3).p == 1
    always = diebold_mariano(np.full(50, -0.25), 3)
    assert (always.mean, always.statistic, always.p) == (-0.25, -np.inf, 0)


def test_too_few_dates_say_nothing() -> None:
    for few in (diebold_mariano([], 1), diebold_mariano(np.arange(9), 1), diebold_mariano(np.arange(20), 20)):
        assert np.isnan(few.statistic) and np.isnan(few.p)
    assert np.isnan(diebold_mariano([], 1).mean) and diebold_mariano([1, 3], 1).mean == 2


@pytest.mark.parametrize("horizon", [1, 3, 5])
@pytest.mark.parametrize("days", [120, 250])
def test_losses_that_share_days_are_not_called_different_too_often(days: int, horizon: int) -> None:
    """Each day's difference is a mean over the news of so many days; nominally 5 %."""
    rng = np.random.default_rng([days, horizon])
    sums = rng.normal(0, 1, (1500, days + horizon)).cumsum(axis=1)
    differences = (sums[:, horizon:] - sums[:, :-horizon]) / horizon
    lag = lag_for(np.arange(days), horizon)
    assert np.mean([diebold_mariano(row, lag).p < 0.05 for row in differences]) < 0.085
    if horizon == 5:
        assert np.mean([diebold_mariano(row, 0).p < 0.05 for row in differences]) > 0.25, "why there is a lag"


def test_the_lag_counts_dates_within_the_horizon_twice() -> None:
    every_day, business, weekly = (
        np.arange(30),
        np.array([0, 1, 2, 3, 4, 7, 8, 9, 10, 11]),
        np.arange(0, 70, 7),
    )
    assert [lag_for(every_day, h) for h in (0, 3, 4, 10)] == [8, 8, 8, 20]
    assert [lag_for(business, h) for h in (1, 3, 7)] == [5, 6, 10]
    assert [lag_for(weekly, h) for h in (0, 6, 7, 21)] == [5, 5, 5, 6]
    assert lag_for(np.empty(0), 5) == 0


def test_rules_against_the_present_one() -> None:
    rng = np.random.default_rng(8)
    days, n = np.arange(1, 41), rng.integers(1, 9, 40)
    own, other = rng.random(40) + 1, rng.random(40)
    frame = DataFrame(
        {
            "rule": ["hit_rate"] * 40 + ["equal"] * 40,
            "horizon": 1,
            "day": np.tile(days, 2),
            "loss": np.concatenate([own, other]),
            "n": np.tile(n, 2),
            "hits": np.tile(n // 2, 2),
            "directions": np.tile(n, 2),
        }
    )
    present, found = against(frame).to_dict("records")
    assert (present["rule"], present["relative"], present["p"], present["dates"]) == ("hit_rate", 1, 1, 40)
    assert found["loss"] == pytest.approx((other * n).sum() / n.sum())
    assert found["relative"] == pytest.approx((other * n).sum() / (own * n).sum())
    assert found["p"] == diebold_mariano(other - own, lag_for(days, 1)).p
    assert found["hit_rate"] == (n // 2).sum() / n.sum() and found["n"] == n.sum()
    without = against(frame.assign(hits=0, directions=0))
    assert without["hit_rate"].isna().all()
