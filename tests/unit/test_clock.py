"""Business days where clocks jump, midnights and whole days are skipped, and weeks at New Year."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.clock import business_day, days, parse_day, parse_week, starts_at, to_utc, week_start
from db.errors import Refused

ZONES = (
    "Asia/Seoul",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Beirut",
    "UTC",
)


def hours(day: date, zone: str) -> float:
    length = starts_at(day + timedelta(days=1), ZoneInfo(zone)) - starts_at(day, ZoneInfo(zone))
    return length / timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Asia/Seoul", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # midnight is skipped
        ("America/Sao_Paulo", date(2018, 2, 17), 25),  # 23:00 comes twice
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Pacific/Apia", date(2011, 12, 29), 24),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # was left out
        ("Pacific/Apia", date(2011, 12, 31), 24),
    ],
)
def test_length_of_a_day(zone: str, day: date, length: float) -> None:
    assert hours(day, zone) == length


def test_day_where_midnight_is_skipped_starts_at_one() -> None:
    zone = ZoneInfo("America/Sao_Paulo")
    start = starts_at(date(2018, 11, 4), zone)
    assert start.astimezone(zone).isoformat() == "2018-11-04T01:00:00-02:00"
    assert business_day(start, zone) == date(2018, 11, 4)
    assert business_day(start - timedelta(microseconds=1), zone) == date(2018, 11, 3)


def test_skipped_day_holds_no_moment() -> None:
    zone = ZoneInfo("Pacific/Apia")
    change = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert business_day(change - timedelta(microseconds=1), zone) == date(2011, 12, 29)
    assert business_day(change, zone) == date(2011, 12, 31)


@pytest.mark.parametrize("name", ZONES)
def test_days_follow_each_other_without_gap(name: str) -> None:
    zone = ZoneInfo(name)
    for day in days(date(2011, 1, 1), date(2026, 12, 31)):
        start, end = starts_at(day, zone), starts_at(day + timedelta(days=1), zone)
        assert start <= end
        if start < end:
            assert business_day(start, zone) == day
            assert business_day(end - timedelta(microseconds=1), zone) == day


@given(
    moment=st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),
    name=st.sampled_from(ZONES),
)
def test_moment_lies_in_its_day(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    day = business_day(moment, zone)
    assert starts_at(day, zone) <= moment < starts_at(day + timedelta(days=1), zone)


def test_ambiguous_wall_time_is_the_first_of_two() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert to_utc(datetime(2026, 10, 25, 2, 30), berlin) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        (date(2026, 1, 1), date(2025, 12, 29)),
        (date(2027, 1, 3), date(2026, 12, 28)),  # week 53 of 2026
        (date(2027, 1, 4), date(2027, 1, 4)),
        (date(2024, 12, 30), date(2024, 12, 30)),  # week 1 of 2025
    ],
)
def test_weeks_at_new_year(day: date, monday: date) -> None:
    assert week_start(day) == monday


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_week_as_it_is_typed(day: date) -> None:
    year, week, _weekday = day.isocalendar()
    assert parse_week(f"{year}-W{week:02d}") == week_start(day)
    assert parse_day(day.isoformat()) == day


@pytest.mark.parametrize("text", ["2025-W53", "2026-W00", "2026-46", "W46", "2026-Wxx", ""])
def test_what_is_no_week(text: str) -> None:
    with pytest.raises(Refused, match="2026-W46") as refused:
        parse_week(text)
    assert refused.value.status == 2


@pytest.mark.parametrize("text", ["2026-02-29", "1.2.2026", "yesterday", ""])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(Refused, match="2026-11-15"):
        parse_day(text)


def test_days_include_both_ends() -> None:
    assert list(days(date(2026, 2, 28), date(2026, 3, 1))) == [date(2026, 2, 28), date(2026, 3, 1)]
    assert list(days(date(2026, 3, 1), date(2026, 2, 28))) == []
