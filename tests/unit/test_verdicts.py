"""The arithmetic of the verdicts: known answers from the literature, and what it does on invented weeks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from jobs.formulas.intervals import Z, mean_interval, wilson
from jobs.formulas.verdict_names import DECLINED, IMPROVED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA
from jobs.formulas.verdicts import (
    SURPRISE_CAP,
    WeekNoise,
    compare_means,
    compare_rates,
    holm,
    newcombe,
    verdict,
    week_noise,
)

NO_HISTORY = WeekNoise(np.array(np.nan), np.array(0.0))


# Known answers


def test_means_as_in_students_sleep_data():
    # Student, The probable error of a mean, Biometrika 6 (1908); R's t.test(extra ~ group, data = sleep).
    drug_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    drug_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    a, b = (np.array(x) for x in (drug_1, drug_2))
    found = compare_means(a.mean(), a.std(ddof=1), 10, b.mean(), b.std(ddof=1), 10, NO_HISTORY)
    assert found.surprise == pytest.approx(1.8608, abs=5e-5)
    assert found.p == pytest.approx(0.07939, abs=5e-6)
    assert (found.low, found.high) == (pytest.approx(-3.3654832), pytest.approx(0.2054832))
    assert not found.weeks_vary


@pytest.mark.parametrize(
    ("part", "n", "part_before", "n_before", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_rates_as_in_newcombe_1998_table_2_method_10(part, n, part_before, n_before, low, high):
    found = compare_rates(part, n, part_before, n_before, NO_HISTORY)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_holm_as_in_his_procedure():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, 0.04], families=3) == pytest.approx([0.06, 0.12])
    assert holm([]).size == 0


def test_week_noise_by_hand():
    # Differences 2, −2, 4, 0, −3: squares 4 + 4 + 16 + 0 + 9 = 33 over 5, halved.
    noise = week_noise([[1, 3, np.nan, 1, 5, 5, 2], [1, 2, 3, 4, 5, np.nan, np.nan]])
    assert noise.variance[0] == pytest.approx(3.3) and noise.differences[0] == 5
    assert np.isnan(noise.variance[1]) and noise.differences[1] == 0, "five weeks are too short a history"


def test_the_weeks_noise_counts_where_it_is_larger():
    weeks = WeekNoise(np.array([9.0]), np.array([11.0]))
    found = compare_means([70], [10], [100], [60], [10], [100], weeks)  # sampling variance: 1 and 1
    assert found.surprise == pytest.approx([10 / np.sqrt(18)])
    assert found.p == pytest.approx([2 * stats.t.sf(10 / np.sqrt(18), 11)])
    assert found.weeks_vary.all()
    rates = compare_rates([50], [100], [30], [100], WeekNoise(np.array([0.02]), np.array([7.0])))
    assert rates.surprise == pytest.approx([0.2 / np.sqrt(0.04)])
    assert rates.high - rates.low == pytest.approx([2 * stats.t.ppf(0.975, 7) * 0.2])


def test_no_spread_at_all():
    same, moved = (compare_means(mean, 0, 20, 5, 0, 20, NO_HISTORY) for mean in (5, 6))
    assert (same.p, same.surprise) == (1, 0)
    assert (moved.p, moved.surprise) == (0, SURPRISE_CAP)
    assert (moved.low, moved.high) == (1, 1)


def test_verdicts_know_which_way_is_better():
    change, p = [1, -1, 1, -1, 1, 1], [0.01, 0.01, 0.01, 0.01, 0.051, np.nan]
    up = [True, True, False, False, True, True]
    said = verdict(change, p, up)
    assert said.tolist() == [IMPROVED, DECLINED, DECLINED, IMPROVED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA]


# Properties

counts = st.integers(10, 400)


@given(counts, counts, st.data())
def test_p_and_interval_of_rates_agree(n, n_before, data):
    part, before = data.draw(st.integers(0, n)), data.draw(st.integers(0, n_before))
    found = compare_rates(part, n, before, n_before, NO_HISTORY)
    assert found.low <= found.change <= found.high
    if abs(found.p - 0.05) > 1e-9:
        assert (found.p < 0.05) == bool(found.low > 0 or found.high < 0)
    other = compare_rates(before, n_before, part, n, NO_HISTORY)
    assert other.p == pytest.approx(found.p) and other.low == pytest.approx(-found.high)


@given(
    st.floats(0, 100), st.floats(0.01, 30), counts, st.floats(0, 100), st.floats(0.01, 30), counts,
    st.none() | st.tuples(st.floats(0, 100), st.integers(5, 11)),
)  # fmt: skip
def test_p_and_interval_of_means_agree(mean, std, n, before, std_before, n_before, history):
    weeks = WeekNoise(*(np.array(float(x)) for x in history)) if history else NO_HISTORY
    found = compare_means(mean, std, n, before, std_before, n_before, weeks)
    assert found.low <= found.change <= found.high
    if abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == bool(found.low > 0 or found.high < 0)
    plain = compare_means(mean, std, n, before, std_before, n_before, NO_HISTORY)
    assert found.high - found.low >= plain.high - plain.low - 1e-9, "noise of the weeks never narrows it"


# Simulations. So many draws that the error of a share is known: a share of 5 % of 4,000 is ± 0.7 %.

DRAWS = 4_000
ERROR = 2.6 * np.sqrt(0.05 * 0.95 / DRAWS)  # one in a hundred is further off


@pytest.mark.parametrize("n", [3, 5, 10, 20, 50])
def test_a_mean_is_in_its_interval_as_often_as_said(n):
    draws = np.random.default_rng(n).normal(60, 12, (DRAWS, n))
    low, high = mean_interval(draws.mean(1), draws.std(1, ddof=1), np.full(DRAWS, n))
    assert np.mean((low <= 60) & (high >= 60)) == pytest.approx(0.95, abs=ERROR)


@pytest.mark.parametrize("n", [3, 5, 10, 20, 50])
def test_a_rate_is_in_its_interval_as_often_as_said(n):
    # Exactly, by summing over all outcomes: Wilson's coverage swings around 95 %, on average over rates it is there.
    low, high = wilson(np.arange(n + 1), n)
    rates = np.linspace(0.005, 0.995, 199)
    chance = stats.binom.pmf(np.arange(n + 1), n, rates[:, None])
    inside = (low <= rates[:, None]) & (rates[:, None] <= high)
    covered = (chance * inside).sum(1)
    assert covered.mean() == pytest.approx(0.953, abs=0.012)
    assert covered.min() > 0.80


@pytest.mark.parametrize("n", [3, 5, 10, 20, 50])
def test_a_difference_of_means_is_in_its_interval_as_often_as_said(n):
    rng = np.random.default_rng(n)
    now, before = rng.normal(60, 12, (DRAWS, n)), rng.normal(55, 6, (DRAWS, 2 * n))
    weeks = WeekNoise(np.full(DRAWS, np.nan), np.zeros(DRAWS))
    found = compare_means(
        now.mean(1), now.std(1, ddof=1), n, before.mean(1), before.std(1, ddof=1), 2 * n, weeks
    )
    covered = np.mean((found.low <= 5) & (found.high >= 5))
    # Three values against six with half their spread are hard for Welch; a verdict wants ten in each week.
    assert covered == pytest.approx(0.93 if n == 3 else 0.95, abs=ERROR)


@pytest.mark.parametrize("n", [3, 5, 10, 20, 50])
def test_a_difference_of_rates_is_in_its_interval_as_often_as_said(n):
    k, k0 = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    low, high = newcombe(k, n, k0, n, Z)
    covered = []
    for p in np.linspace(0.02, 0.98, 25):
        for p0 in np.linspace(0.02, 0.98, 25):
            chance = np.outer(stats.binom.pmf(range(n + 1), n, p), stats.binom.pmf(range(n + 1), n, p0))
            covered.append(chance[(low <= p - p0) & (p - p0 <= high)].sum())
    assert np.mean(covered) == pytest.approx(0.957, abs=0.013)
    assert min(covered) > 0.85


def weekly(rng, shape, shock, n=30, std=10.0):
    """Weekly means and sample spreads without any true change; `shock` is the spread of a week's own shock, in
    standard errors of a weekly mean."""
    se = std / np.sqrt(n)
    means = rng.normal(0, se, shape) + rng.normal(0, shock * se, shape)
    return means, std * np.sqrt(rng.chisquare(n - 1, shape) / (n - 1))


def judged(means, spreads, n=30):
    """The last week against the one before; the weeks before it are the history."""
    weeks = week_noise(means[:, :-1])
    return compare_means(means[:, -1], spreads[:, -1], n, means[:, -2], spreads[:, -2], n, weeks)


def families_with_a_verdict(p, comparisons):
    """Holm calls something exactly where the smallest p of a family is under 5 % / comparisons."""
    return np.mean(p.reshape(-1, comparisons).min(1) * comparisons <= 0.05)


@pytest.mark.parametrize(("comparisons", "families"), [(1, 6_000), (24, 2_000), (150, 400)])
@pytest.mark.parametrize("history", [1, 6, 12])
@pytest.mark.parametrize("shock", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_families_without_any_change_rarely_hold_a_verdict(comparisons, families, history, shock):
    if history == 1 and shock:
        pytest.skip("without a history nobody can know that the weeks have shocks: the page says so")
    rng = np.random.default_rng([comparisons, history])
    means, spreads = weekly(rng, (families * comparisons, history + 1), shock)
    share = families_with_a_verdict(judged(means, spreads).p, comparisons)
    assert share <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / families)


def test_holm_as_statsmodels_has_it():
    p = [0.5, 0.001, 0.03, 0.001, 1.0, 0.0, 0.012, 0.9, 0.03, 0.2]
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_holm_calls_something_exactly_where_the_smallest_p_allows_it(p):
    smallest = min(p) * len(p)
    if abs(smallest - 0.05) > 1e-12:
        assert np.any(holm(p) <= 0.05) == (smallest <= 0.05)


@pytest.mark.parametrize("per_rows", [False, True])
def test_rows_that_repeat_per_conversation_are_no_evidence_each(per_rows):
    rng = np.random.default_rng(7)
    weeks, conversations, repeats = 3_000, 20, 8
    own = rng.normal(0, 1, (2, weeks, conversations, 1))
    rows = own + rng.normal(0, 1, (2, weeks, conversations, repeats))
    units = rows.reshape(2, weeks, -1) if per_rows else rows.mean(3)
    (mean, before), (std, std_before) = units.mean(2), units.std(2, ddof=1)
    n = units.shape[2]
    none = WeekNoise(np.full(weeks, np.nan), np.zeros(weeks))
    share = np.mean(compare_means(mean, std, n, before, std_before, n, none).p <= 0.05)
    if per_rows:
        assert share > 0.25, "why conversations are compared and not rows"
    else:
        assert share == pytest.approx(0.05, abs=2.6 * np.sqrt(0.05 * 0.95 / weeks))


@pytest.mark.parametrize(("errors", "power"), [(3, 0.13), (4, 0.40), (5, 0.73), (6, 0.93)])
def test_power_among_24_comparisons(errors, power):
    """The share of true changes, in standard errors of the difference, that are called so; weeks without shocks."""
    rng = np.random.default_rng(24)
    means, spreads = weekly(rng, (20_000, 13), 0)
    means[:, -1] += errors * 10 / np.sqrt(30) * np.sqrt(2)
    assert np.mean(judged(means, spreads).p <= 0.05 / 24) == pytest.approx(power, abs=0.05)
