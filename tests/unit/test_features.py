"""Features know nothing of later days, and targets are those that predictions are matched with."""

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from pandas import DataFrame

from jobs import matching
from jobs.formulas.features import FEATURES, NOT_KNOWN_YET, PATIENCE, Bars, features, target
from tests.prices import bars, closes


@pytest.fixture
def whole() -> Bars:
    """Bars of which everything is known."""
    rng = np.random.default_rng(4)
    close = closes(60, seed=3)
    low, high = close * (1 - rng.uniform(0, 0.01, 60)), close * (1 + rng.uniform(0, 0.01, 60))
    return bars(close, open=close, high=high, low=low, volume=rng.uniform(1, 2, 60))


def looks_ahead(build: Callable[[Bars], DataFrame], of: Bars) -> set[str]:
    """The features of earlier bars that change when a later one does."""
    found = set[str]()
    before = build(of)
    for place in (25, 40, len(of) - 1):
        changed = {field.name: getattr(of, field.name).copy() for field in fields(of)}
        for name in ("open", "high", "low", "close", "volume"):
            changed[name][place:] *= 1.5
        after = build(Bars(**changed))
        same = before[:place].eq(after[:place]) | (before[:place].isna() & after[:place].isna())
        found |= set(same.columns[~same.all()])
    return found


def test_no_feature_looks_ahead(whole: Bars) -> None:
    assert looks_ahead(features, whole) == set()


def test_a_feature_that_looks_ahead_is_seen(whole: Bars) -> None:
    def leaking(of: Bars) -> DataFrame:
        return features(of).assign(
            leak=target(of, 1).move,
            centred=pd.Series(of.close).rolling(5, center=True).mean(),
            scaled=of.close / of.close.max(),
        )

    assert looks_ahead(leaking, whole) == {"leak", "centred", "scaled"}


def test_every_feature_changes_with_its_own_bar(whole: Bars) -> None:
    """So the one above looks at something."""
    found = features(whole)
    assert tuple(found.columns) == FEATURES
    assert found.iloc[30:].notna().all().all()
    assert (found.iloc[30:].nunique() > 3).all()


def test_features_by_hand() -> None:
    close = np.arange(1.0, 31.0)
    found = features(bars(close, high=close * 2, low=close, volume=np.full(30, 7.0))).iloc[-1]
    assert found["return_1"] == pytest.approx(np.log(30 / 29))
    assert found["return_20"] == pytest.approx(np.log(30 / 10))
    assert found["volatility_5"] == pytest.approx(np.std(np.diff(np.log(close[-6:])), ddof=1))
    assert found["from_mean_10"] == pytest.approx(np.log(30 / np.mean(close[-10:])))
    assert (found["range"], found["volume"], found["weekday"]) == (pytest.approx(np.log(2)), 0, 4)


def test_what_is_not_known_or_not_above_zero_leaves_a_feature_unknown() -> None:
    close = np.full(60, 50.0)
    close[30] = -37.63
    found = features(bars(close))
    assert found[["range", "volume"]].isna().all().all()
    assert found["return_1"].isna()[[0, 30, 31]].all()
    assert found["return_1"].notna()[[29, 32]].all()
    assert found["return_20"].notna()[51:].all()


def test_targets_are_matched_as_outcomes_are() -> None:
    """test_retrain holds it against the job itself."""
    assert PATIENCE == matching.PATIENCE
    day = np.array([1, 2, 3, 6, 20, 27])
    of = replace(bars(np.array([1.0, 2, 4, 8, 16, 32])), day=day)
    one = target(of, 1)
    assert one.known_on.tolist() == [2, 3, 6, NOT_KNOWN_YET, 27, NOT_KNOWN_YET]
    assert one.move[[0, 1, 2, 4]] == pytest.approx(np.log(2))
    assert np.isnan(one.move[[3, 5]]).all()
    assert target(of, 7).known_on.tolist() == [NOT_KNOWN_YET] * 2 + [NOT_KNOWN_YET, 20, 27, NOT_KNOWN_YET]


def test_a_target_at_or_below_zero_is_none() -> None:
    found = target(bars(np.array([3.0, 0.0, 4.0, -1.0, 5.0])), 1)
    assert np.isnan(found.move).all()
