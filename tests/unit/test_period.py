"""The days that a page shows: presets, own dates, and what an address may hold."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.period import PRESETS, Period, dates, own, preset
from db.clock import FIRST_DAY, LAST_DAY

OLDEST, NEWEST = date(2025, 11, 22), date(2026, 11, 18)  # a Saturday, a Wednesday
DAYS = st.dates(FIRST_DAY, LAST_DAY)


@pytest.mark.parametrize(
    ("name", "first", "grain"),
    [
        ("7d", date(2026, 11, 12), "day"),
        ("30d", date(2026, 10, 20), "day"),
        ("90d", date(2026, 8, 17), "week"),
        ("12w", date(2026, 8, 31), "week"),
        ("1y", date(2025, 11, 17), "week"),
        ("all", date(2025, 11, 17), "week"),
    ],
)
def test_presets_end_at_the_newest_day_and_weeks_begin_on_mondays(name, first, grain):
    assert preset(name, NEWEST, OLDEST) == Period(first, NEWEST, grain)
    assert name in PRESETS


@pytest.mark.parametrize(("days", "grain"), [(1, "day"), (31, "day"), (32, "week")])
def test_own_dates_are_by_day_up_to_31_days(days, grain):
    first = date(2026, 3, 4)
    shown = own(first, first + timedelta(days=days - 1), NEWEST, OLDEST)
    assert shown.grain == grain
    if grain == "day":
        assert shown.span == (first, first + timedelta(days=days - 1))


def test_own_dates_by_week_are_whole_weeks():
    assert own(date(2026, 9, 2), date(2026, 10, 21), NEWEST, OLDEST).span == (
        date(2026, 8, 31),
        date(2026, 10, 25),
    )


def test_own_dates_reach_as_far_as_the_data():
    assert own(FIRST_DAY, LAST_DAY, NEWEST, OLDEST) == preset("all", NEWEST, OLDEST)
    assert own(date(2026, 11, 15), LAST_DAY, NEWEST, OLDEST).span == (date(2026, 11, 15), NEWEST)


def test_own_dates_without_data_stay_what_they_are():
    assert own(date(2019, 1, 7), date(2019, 1, 9), NEWEST, OLDEST).span == (
        date(2019, 1, 7),
        date(2019, 1, 9),
    )


@given(first=DAYS, last=DAYS, newest=DAYS, oldest=DAYS)
def test_any_dates_make_a_period(first, last, newest, oldest):
    (first, last), (oldest, newest) = sorted((first, last)), sorted((oldest, newest))
    shown = own(first, last, newest, oldest)
    assert shown.first <= shown.last
    assert shown.before.last < shown.first
    assert (shown.grain == "day") == ((shown.last - shown.first).days < 31)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("", ""),
        ("2026-01-05", ""),
        ("5 Jan", "2026-02-01"),
        ("2026-02-30", "2026-03-01"),
        ("2026-02-01", "2026-01-05"),
        ("0001-01-01", "2026-01-05"),
        ("2026-01-05", "9999-12-31"),
        ("<b>", "'; DROP TABLE models"),
    ],
)
def test_an_address_without_two_days_in_order_has_no_dates(first, last):
    assert dates(first, last) is None


def test_an_address_with_two_days_has_them():
    assert dates("2026-01-05", "2026-02-01") == (date(2026, 1, 5), date(2026, 2, 1))
