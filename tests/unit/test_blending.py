"""An ensemble's forecast, and how many bars ahead it looks."""

from datetime import date

import numpy as np
import pytest

from jobs.formulas.blending import bars_ahead, blend
from tests.prices import weekdays


def test_the_weighted_mean_of_all_members() -> None:
    assert blend({"chronos": 110, "lgbm": 100}, {"chronos": 0.6, "lgbm": 0.4}) == pytest.approx(106)


def test_a_member_that_is_absent_leaves_its_weight_in_proportion() -> None:
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    assert blend({"a": 1, "b": 2}, weights) == pytest.approx((0.5 + 0.6) / 0.8)
    assert blend({"c": 7}, weights) == 7


def test_members_without_any_weight_count_alike() -> None:
    assert blend({"a": 1, "b": 3}, {"a": 0.0, "c": 1.0}) == 2
    with pytest.raises(ValueError, match="no member"):
        blend({}, {"a": 1})


@pytest.mark.parametrize(
    ("newest", "horizon", "bars"),
    [
        (date(2026, 11, 16), 1, 1),  # Monday → Tuesday
        (date(2026, 11, 20), 1, 1),  # Friday → Monday
        (date(2026, 11, 20), 3, 1),
        (date(2026, 11, 20), 5, 3),
        (date(2026, 11, 19), 3, 2),
        (date(2026, 11, 20), 14, 10),
    ],
)
def test_bars_ahead_on_weekdays(newest: date, horizon: int, bars: int) -> None:
    day = np.array([day.toordinal() for day in weekdays(80, newest)])
    assert bars_ahead(day, horizon) == bars


def test_bars_ahead_of_what_is_traded_every_day_or_once_a_week() -> None:
    assert bars_ahead(np.arange(739_000, 739_100), 5) == 5
    assert bars_ahead(np.arange(739_000, 739_700, 7), 5) == 1
