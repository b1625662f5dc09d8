"""What the rules would have done: by hand, by brute force, and never with what nobody knew then."""

from collections.abc import Sequence
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame

from jobs.formulas.backtest import Backtest, backtest
from jobs.formulas.diebold_mariano import against
from jobs.formulas.outcomes import COLUMNS
from jobs.formulas.weight_names import RULE_NAMES, rules_for, starting_weights
from jobs.formulas.weights import RULES, Pairs, Window

MONDAY = date(2026, 1, 5).toordinal()
TWO = ("chronos", "lgbm")


def daily(days: int, base: float = 100.0) -> DataFrame:
    """Each day chronos says 101 for tomorrow and lgbm 99; it comes to 102."""
    rows = [
        ("A", member, 1, day, day + 1, day + 1, value, 102.0, base)
        for day in range(MONDAY, MONDAY + days)
        for member, value in zip(TWO, (101.0, 99.0), strict=True)
    ]
    return DataFrame(rows, columns=list(COLUMNS))


def weekly(found: Backtest) -> dict[str, dict[int, tuple[float, float, int]]]:
    """Loss, hit rate and n by rule and number of the week."""
    told: dict[str, dict[int, tuple[float, float, int]]] = {}
    for row in found.weeks.itertuples():
        week = (row.week_start - MONDAY) // 7 + 1
        told.setdefault(row.rule, {})[week] = (pytest.approx(row.loss), row.hit_rate, row.n)
    return told


# By hand


def test_the_third_week_is_the_first_with_ten_known_moves() -> None:
    found = weekly(backtest(daily(21), TWO))
    # Moves of 2, so squared errors are divided by 4. Known on the Sunday: 13 outcomes, hit rates 1 and 0, MSE 1 and 9.
    assert found == {
        "hit_rate": {3: (1.2**2 / 4, 1, 7)},  # 0.9/0.1
        "inverse_mse": {3: (1.36**2 / 4, 1, 7)},  # 0.8 · 0.9 + 0.1
        "bates_granger": {3: (1.5**2 / 4, 1, 7)},  # 0.75: the errors go together
        "equal": {3: (1.0, 0, 7)},  # says that nothing moves
        "only:chronos": {3: (0.25, 1, 7)},
        "only:lgbm": {3: (2.25, 0, 7)},
        "best_member": {3: (0.25, 1, 7)},
    }


def test_without_base_values_errors_are_measured_by_the_members_and_nobody_has_a_hit_rate() -> None:
    found = backtest(daily(21, base=np.nan), TWO)
    told = {rule: weeks[3][0] for rule, weeks in weekly(found).items()}
    assert told["hit_rate"] == 1.8**2 / 5, "0.6/0.4 stay; the members' mean squared error is 5"
    assert told["equal"] == 2**2 / 5
    assert found.weeks["hit_rate"].isna().all()


def test_weights_stay_where_a_rule_skips() -> None:
    # Nobody predicts for four weeks: then one outcome is in the window, which is too few, and 0.9/0.1 stay.
    frame = daily(56)
    gone = (frame["resolved_day"] > MONDAY + 17) & (frame["predicted_day"] < MONDAY + 48)
    found = weekly(backtest(frame[~gone], TWO))["hit_rate"]
    assert list(found) == [3, 7, 8]
    assert found[7][0] == found[8][0] == 1.2**2 / 4


def test_an_outcome_counts_from_the_day_on_which_it_became_known() -> None:
    late = daily(35)
    late["resolved_day"] = late["target_day"] + 14
    assert list(weekly(backtest(late, TWO))["hit_rate"]) == [5]


def test_only_what_all_members_predicted_on_that_day_is_compared() -> None:
    frame = daily(21)
    today = frame["predicted_day"] == MONDAY + 15
    without = frame.drop(frame.index[today & (frame["model"] == "lgbm")])
    assert weekly(backtest(without, TWO))["only:chronos"][3] == (0.25, 1, 6)
    other_day = frame.assign(
        predicted_day=frame["predicted_day"].mask(today & (frame["model"] == "lgbm"), MONDAY + 16)
    )
    assert weekly(backtest(other_day, TWO))["only:chronos"][3] == (0.25, 1, 6)


def test_other_models_and_unresolved_rows_are_as_if_they_were_not_there() -> None:
    frame = daily(21)
    open_still = frame.assign(code="B", actual_value=np.nan)
    unknown = frame.assign(code="C", resolved_day=np.nan)
    noise = pd.concat([frame.assign(model="ensemble", predicted_value=0), open_still, unknown, frame])
    assert weekly(backtest(noise, TWO)) == weekly(backtest(frame, TWO))


def test_of_two_predictions_on_a_day_the_last_one_is_applied_and_both_are_measured() -> None:
    frame = daily(21)
    morning = frame[(frame["model"] == "lgbm") & (frame["predicted_day"] < MONDAY + 14)]
    twice = pd.concat([morning.assign(predicted_value=103.0), frame])
    found = weekly(backtest(twice, TWO))
    assert found["only:lgbm"][3] == (2.25, 0, 7)
    assert found["hit_rate"][3][0] == (2 / 3 + 3 / 3) ** 2 / 4, "hit rates 1 and ½"


def test_nothing_to_score() -> None:
    frame = daily(21)
    for nothing in (frame[:0], frame[:10], frame.assign(resolved_day=MONDAY + 400), frame.assign(model="x")):
        found = backtest(nothing, TWO)
        assert found.days.empty and found.weeks.empty
        assert against(found.days).empty
        assert list(found.weeks) == ["rule", "horizon", "week_start", "loss", "hit_rate", "n"]


def test_a_price_that_never_moves_is_not_scored() -> None:
    frame = daily(21)
    assert backtest(pd.concat([frame, frame.assign(code="B", base_value=102.0)]), TWO).weeks["n"].eq(7).all()


def test_the_rules_asked_for_and_the_members_order() -> None:
    found = weekly(backtest(daily(21), TWO, rules=["equal"]))
    assert set(found) == {"equal", "only:chronos", "only:lgbm", "best_member"}
    assert weekly(backtest(daily(21), TWO[::-1])) == weekly(backtest(daily(21), TWO))


# By brute force


def invented(seed: int, members: Sequence[str], weeks: int = 9) -> DataFrame:
    """Three codes and two horizons; holes, late outcomes, two rows a day, prices of different size."""
    rng = np.random.default_rng(seed)
    rows = []
    for code, size in (("A", 1.0), ("B", 1e4), ("C", 0.01)):
        price = size * (20 + rng.normal(0, 1, 7 * weeks + 40).cumsum())
        for horizon in (1, 10):
            for day in range(7 * weeks):
                target, late = day + horizon, int(rng.choice([0, 0, 0, 1, 9]))
                base = np.nan if rng.random() < 0.1 else price[day]
                for place, member in enumerate(members):
                    if rng.random() < 0.1:
                        continue
                    for _time in range(int(rng.choice([1, 1, 1, 2]))):
                        says = price[target] + size * rng.normal(0, 1 + place)
                        days = MONDAY + 2 + day, MONDAY + 2 + target, MONDAY + 2 + target + late
                        rows.append((code, member, horizon, *days, says, price[target], base))
    return DataFrame(rows, columns=list(COLUMNS))


def means(rows: DataFrame) -> tuple[float, float, float, float]:
    """Hits, known directions, outcomes, mean squared error."""
    known = rows[rows["base_value"].notna()]
    up = np.sign(known["predicted_value"] - known["base_value"])
    hits = (up == np.sign(known["actual_value"] - known["base_value"])).sum()
    return hits, len(known), len(rows), ((rows["predicted_value"] - rows["actual_value"]) ** 2).mean()


def occasions_of(frame: DataFrame, members: Sequence[str]) -> DataFrame:
    """One row for each code, horizon, predicted day and target; a column a member, NaN where it is missing."""
    key = ["code", "horizon", "predicted_day", "target_day"]
    table = frame.groupby([*key, "model"])["predicted_value"].last().unstack().reindex(columns=list(members))
    rest = frame.groupby(key).agg({"actual_value": "first", "base_value": "first", "resolved_day": "max"})
    return table.join(rest).reset_index()


def window_of(
    frame: DataFrame,
    occasions: DataFrame,
    groups: Sequence[tuple[str, int]],
    members: Sequence[str],
    week: int,
) -> Window:
    shown = frame[frame["resolved_day"].between(week - 31, week - 1)]
    cells = np.array(
        [
            [means(shown[(shown.code == c) & (shown.horizon == h) & (shown.model == m)]) for m in members]
            for c, h in groups
        ]
    )
    pairs = None
    if len(members) == 2:
        both = occasions[occasions["resolved_day"].between(week - 31, week - 1)].dropna(subset=list(members))
        squares = []
        for c, h in groups:
            own = both[(both.code == c) & (both.horizon == h)]
            a, b = (own[m] - own["actual_value"] for m in members)
            squares.append((len(own), (a * a).mean(), (b * b).mean(), (a * b).mean()))
        pairs = Pairs(*np.array(squares, dtype=float).T)
    return Window(np.array([h for _c, h in groups]), *np.moveaxis(cells, 2, 0), pairs)


def scale_of(known: DataFrame, members: Sequence[str]) -> float:
    moves = (known["actual_value"] - known["base_value"]).dropna()
    if len(moves):
        return float((moves**2).mean()) if len(moves) >= 10 else np.nan
    errors = known[list(members)].sub(known["actual_value"], axis=0) ** 2
    return float(errors.mean(axis=1).mean()) if len(known) >= 10 else np.nan


def brute(frame: DataFrame, members: Sequence[str]) -> DataFrame:
    """rule, horizon, week_start, loss, hit_rate, n; one occasion after the other."""
    occasions = occasions_of(frame, members)
    groups = sorted({(c, h) for c, h in zip(frame["code"], frame["horizon"], strict=True)})
    rules = rules_for(len(members))
    force = {(rule, group): np.array(starting_weights(tuple(members))) for rule in rules for group in groups}
    rows = []
    start = int(frame["predicted_day"].min())
    for week in range(start - (start - 1) % 7, int(frame["predicted_day"].max()) + 1, 7):
        window = window_of(frame, occasions, groups, members, week)
        for rule in rules:
            found = RULES[rule](window)
            for place, group in enumerate(groups):
                if found.action[place] == "updated":
                    force[rule, group] = found.weights[place]
        for one in occasions[occasions["predicted_day"].between(week, week + 6)].to_dict("records"):
            says = np.array([one[member] for member in members])
            group = (one["code"], one["horizon"])
            known = occasions[(occasions.resolved_day < week) & (occasions.code == group[0])]
            scale = scale_of(known[known.horizon == group[1]], members)
            if np.isnan(says).any() or np.isnan(scale):
                continue
            tried = {rule: float(force[rule, group] @ says) for rule in rules}
            tried |= {f"only:{member}": one[member] for member in members}
            for rule, value in tried.items():
                actual, base = one["actual_value"], one["base_value"]
                hit = np.nan if np.isnan(base) else float(np.sign(value - base) == np.sign(actual - base))
                rows.append((rule, group[1], week, (value - actual) ** 2 / scale, hit))
    scores = DataFrame(rows, columns=["rule", "horizon", "week_start", "loss", "hit_rate"])
    return (
        scores.groupby(["rule", "horizon", "week_start"])
        .agg(loss=("loss", "mean"), hit_rate=("hit_rate", "mean"), n=("loss", "size"))
        .reset_index()
    )


@pytest.mark.parametrize("members", [TWO, ("a", "b", "c")])
@pytest.mark.parametrize("seed", [1, 2])
def test_as_by_brute_force(seed: int, members: tuple[str, ...]) -> None:
    frame = invented(seed, members)
    frame.loc[frame["code"] == "C", "base_value"] = np.nan
    weeks = backtest(frame, members).weeks
    found = weeks[weeks["rule"] != "best_member"].sort_values(["rule", "horizon", "week_start"])
    wanted = brute(frame, members)
    assert len(wanted) > 50
    pd.testing.assert_frame_equal(found.reset_index(drop=True), wanted, check_dtype=False, rtol=1e-9, atol=0)


def test_the_best_member_is_the_best_of_each_horizon_over_the_whole_span() -> None:
    days = backtest(invented(3, TWO), TWO).days
    total = (days["loss"] * days["n"]).groupby([days["horizon"], days["rule"]]).sum().unstack()
    alone = total[[f"only:{member}" for member in TWO]]
    assert total["best_member"].tolist() == pytest.approx(alone.min(axis=1).tolist())


def test_weeks_are_made_of_their_occasions() -> None:
    found = backtest(invented(4, TWO), TWO)
    one = found.days[(found.days["rule"] == "equal") & (found.days["horizon"] == 1)]
    week = one[one["day"].between(MONDAY + 35, MONDAY + 41)]
    row = found.weeks.query("rule == 'equal' and horizon == 1 and week_start == @MONDAY + 35").iloc[0]
    assert len(week) == 7 and row["n"] == week["n"].sum()
    assert row["loss"] == pytest.approx(np.average(week["loss"], weights=week["n"]))
    assert row["hit_rate"] == week["hits"].sum() / week["directions"].sum()


# Nothing from the future


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(2, 8), st.sampled_from([TWO, ("a", "b", "c")]))
def test_what_becomes_known_later_changes_nothing_before(
    seed: int, week: int, members: tuple[str, ...]
) -> None:
    frame = invented(seed, members)
    monday = MONDAY + 7 * week
    later = frame["resolved_day"] >= monday
    changed = frame.copy()
    changed.loc[later, "actual_value"] *= 1.7
    changed.loc[later, "base_value"] += 3
    before, after = backtest(frame, members).days, backtest(changed, members).days
    # The week that begins on that Monday too, but for the days on which a changed outcome itself was predicted.
    touched = set(zip(frame.loc[later, "horizon"], frame.loc[later, "predicted_day"], strict=True))

    def untouched(days: DataFrame) -> DataFrame:
        own = np.array([pair not in touched for pair in zip(days["horizon"], days["day"], strict=True)])
        kept = days[own & (days["day"] < monday + 7) & (days["rule"] != "best_member")]
        return kept.reset_index(drop=True)

    pd.testing.assert_frame_equal(untouched(before), untouched(after), check_exact=True)


# Real forecasts


def real(folder: Path, name: str) -> DataFrame:
    """Days are those of UTC; a horizon of 2w is one of 14 days."""
    frame = pd.read_csv(folder / f"A_prediction_outcomes__{name}")
    unit = frame["horizon"].str
    frame["horizon"] = unit[:-1].astype(int) * unit[-1].map({"d": 1, "w": 7})
    for column, of in (
        ("predicted_day", "predicted_at"),
        ("target_day", "target_date"),
        ("resolved_day", "resolved_at"),
    ):
        frame[column] = (pd.to_datetime(frame[of].str[:10]) - pd.Timestamp(1, 1, 1)).dt.days + 1
    return frame


def relative(found: Backtest, rule: str) -> list[float]:
    compared = against(found.days)
    return compared.loc[compared["rule"] == rule, "relative"].tolist()


def test_on_electricity_prices_squared_errors_weigh_better_than_hits(shared_data: Path) -> None:
    frame = real(shared_data, "epf_be_de.csv.gz")
    found = backtest(frame, ("DNN 1", "LEAR 56"))
    assert set(found.weeks["rule"]) >= {*RULE_NAMES, "only:DNN 1", "best_member"}
    assert relative(found, "hit_rate") == [1]
    assert relative(found, "inverse_mse")[0] < 0.998
    assert relative(found, "bates_granger")[0] < 0.998
    assert relative(found, "only:DNN 1")[0] > 1.005, "a mean of both is better than either"
    rows = against(found.days)
    assert rows.loc[rows["rule"] == "inverse_mse", "p"].item() < 0.01


def test_on_admissions_the_ranking_is_that_of_the_literature(shared_data: Path) -> None:
    # On the log scale, where epidemics of large and small states are alike; outcomes are weekly, so half a year.
    frame = real(shared_data, "flusight_2023_2025.csv.gz")
    values = ["predicted_value", "actual_value", "base_value"]
    frame[values] = np.log1p(frame[values])
    pairs = combinations(sorted(set(frame["model"])), 2)
    found = pd.concat(against(backtest(frame, pair, window_days=147).days) for pair in pairs)
    mean = found.groupby("rule")["relative"].mean()
    assert mean["bates_granger"] < 0.99 < 1.01 < mean["equal"]


def test_an_election_that_is_known_at_the_end_cannot_be_walked_through(shared_data: Path) -> None:
    frame = real(shared_data, "fte_governors_2022.csv")
    assert backtest(frame, tuple(sorted(set(frame["model"])))).weeks.empty
