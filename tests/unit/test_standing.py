"""Who is level with the best, and which of two is better: known answers and how often they err."""

import numpy as np
import pytest
from scipy import stats

from jobs.formulas.standing import level_with_best, paired


def test_far_behind_close_behind_and_unknown():
    mean, std, n = [80, 79.5, 60, 79], [10, 10, 10, np.nan], [200, 200, 200, 1]
    nothing = np.full((4, 3), np.nan)
    assert level_with_best(mean, std, n, 0, nothing).tolist() == [True, True, False, True]


def test_without_any_spread_whatever_differs_is_clear():
    nothing = np.full((3, 3), np.nan)
    assert level_with_best([90, 10, 90], [0, 0, 0], [50, 50, 50], 0, nothing).tolist() == [True, False, True]


def test_weekly_differences_count_where_they_vary_more_than_the_rows_explain():
    weekly = np.array([[90.0, 70, 90, 70, 90, 70, 90, 70], [70.0, 88, 70, 88, 70, 88, 70, 88]])
    mean, std, n = weekly.mean(1), [5, 5], [800, 800]
    assert level_with_best(mean, std, n, 0, weekly).tolist() == [True, True]
    assert level_with_best(mean, std, n, 0, weekly[:, :4]).tolist() == [True, False], "four weeks are too few"


def test_what_hits_both_in_a_week_is_no_difference():
    shocks = np.array([0.0, 9, -9, 4, -4, 8, -8, 3])
    weekly = np.array([70 + shocks, 67 + shocks])
    assert level_with_best([70, 67], [8, 8], [400, 400], 0, weekly).tolist() == [True, False]


def test_equal_models_are_rarely_called_behind():
    rng, draws, n, weeks = np.random.default_rng(3), 1500, 30, 10
    wrong = 0
    for _draw in range(draws):
        rows = rng.normal(60, 10, (4, weeks, n))
        weekly = rows.mean(2)
        mean, std = rows.mean((1, 2)), rows.reshape(4, -1).std(1, ddof=1)
        best = int(mean.argmax())
        wrong += not level_with_best(mean, std, [n * weeks] * 4, best, weekly).all()
    assert wrong / draws <= 0.07, "the best of four was chosen by its luck, so a little more than 5 %"


def test_paired_as_scipy_has_it():
    a, b = np.array([70.0, 65, 80, 90, 55, 61]), np.array([68.0, 66, 71, 85, 50, 60])
    d = a - b
    found = paired(d.mean(), d.std(ddof=1), len(d))
    wanted = stats.ttest_rel(a, b)
    interval = wanted.confidence_interval()
    assert found.p == pytest.approx(wanted.pvalue)
    assert (found.low, found.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert paired(0.0, 0.0, 20).p == 1 and paired(1.0, 0.0, 20).p == 0


def test_the_luck_of_a_week_is_that_of_all_its_predictions():
    weekly = np.array([4.0, -3, 5, -2, 4, -1, 3, -2])
    found = paired(weekly.mean(), 10, 8_000, weekly)
    known = stats.ttest_1samp(weekly, 0)
    interval = known.confidence_interval()
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert paired(1.0, 10, 8_000).p < 1e-9
    assert paired(1.0, 10, 8_000, weekly[:5]).p < 1e-9, "five weeks are too few"
    assert paired(1.0, 10, 80, weekly * 0.01) == paired(1.0, 10, 80), "the rows vary more"
