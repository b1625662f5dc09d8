"""When a job is due, right across clock changes: one slot a day or week, whatever the clocks do."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.job import Job, Outcome
from jobs.slots import WEEKDAYS, Entry, every_day, every_hour, every_week, on_request

JOB = Job("tidy_up", "Tidy up", lambda _engine, _params, _run: Outcome("done"))

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
# Clock changes at midnight, of half an hour, the other way round in Ramadan.
ODD_ZONES = ("America/Havana", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut")
ZONES = ("Asia/Seoul", "America/New_York", "Europe/Berlin", *ODD_ZONES)
QUARTERS = [time(hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)]

moments = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))
spans = st.timedeltas(timedelta(0), timedelta(days=40))
entries = st.builds(Entry, st.just(JOB), at=st.times(), weekday=st.none() | st.integers(0, 6))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def year(zone: ZoneInfo, at: time, of: int = 2026) -> list[datetime]:
    """The daily slots of a local year."""
    after = datetime(of, 1, 1, tzinfo=zone) - timedelta(microseconds=1)
    until = datetime(of + 1, 1, 1, tzinfo=zone) - timedelta(microseconds=1)
    return list(every_day(JOB, at).slots(after, until, zone))


def local_days(slots: list[datetime], zone: ZoneInfo) -> list[date]:
    return [slot.astimezone(zone).date() for slot in slots]


def every_date(of: int = 2026) -> list[date]:
    return [date(of, 1, 1) + timedelta(days=n) for n in range((date(of + 1, 1, 1) - date(of, 1, 1)).days)]


@pytest.mark.parametrize("at", [time(0, 0), time(2, 0), time(17, 0), time(23, 59, 59)])
def test_seoul_has_one_slot_a_day_and_always_the_same_wall_time(at: time) -> None:
    slots = year(SEOUL, at)
    assert local_days(slots, SEOUL) == every_date()
    assert {slot.astimezone(SEOUL).time() for slot in slots} == {at}


def test_known_moments_of_seoul() -> None:
    slots = every_day(JOB, time(17, 0)).slots(utc(2026, 11, 18, 8), utc(2026, 11, 20, 8), SEOUL)
    assert list(slots) == [utc(2026, 11, 19, 8), utc(2026, 11, 20, 8)], "after is left out, until is not"


def test_wall_time_that_spring_skips_is_moved_on_by_the_hour() -> None:
    slots = year(NEW_YORK, time(2, 30))
    assert local_days(slots, NEW_YORK) == every_date()
    odd = [slot for slot in slots if slot.astimezone(NEW_YORK).time() != time(2, 30)]
    assert odd == [utc(2026, 3, 8, 7, 30)]
    assert odd[0].astimezone(NEW_YORK).time() == time(3, 30)


def test_wall_time_that_autumn_has_twice_counts_the_first_time_only() -> None:
    slots = year(NEW_YORK, time(1, 30))
    assert local_days(slots, NEW_YORK) == every_date()
    assert [slot for slot in slots if slot.astimezone(NEW_YORK).date() == date(2026, 11, 1)] == [
        utc(2026, 11, 1, 5, 30)
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_every_quarter_of_an_hour_has_one_slot_each_local_day_of_a_year(zone: str) -> None:
    here = ZoneInfo(zone)
    for at in QUARTERS:
        assert local_days(year(here, at), here) == every_date(), at


def test_slot_in_an_hour_skipped_before_midnight_comes_right_after_it() -> None:
    """In Nuuk the clocks go from 23:00 on Saturday to 00:00 on Sunday: still one slot for each of the days."""
    nuuk = ZoneInfo("America/Nuuk")
    slots = list(every_day(JOB, time(23, 30)).slots(utc(2026, 3, 27, 12), utc(2026, 3, 30, 12), nuuk))
    assert [f"{slot.astimezone(nuuk):%a %H:%M}" for slot in slots] == ["Fri 23:30", "Sun 00:30", "Sun 23:30"]


def test_weekly_slots_fall_on_their_weekday_and_nowhere_else() -> None:
    entry = every_week(JOB, on="Monday", at=time(9, 0))
    slots = list(entry.slots(utc(2026, 1, 1), utc(2027, 1, 1), NEW_YORK))
    assert len(slots) == 52
    assert Counter(f"{slot.astimezone(NEW_YORK):%A %H:%M}" for slot in slots) == {"Monday 09:00": 52}


def test_weekday_is_that_of_the_zone_not_of_utc() -> None:
    [slot] = every_week(JOB, on="Monday", at=time(1, 0)).slots(utc(2026, 11, 14), utc(2026, 11, 20), SEOUL)
    assert slot == utc(2026, 11, 15, 16), "Sunday in UTC, Monday in Seoul"


@pytest.mark.parametrize("name", WEEKDAYS)
def test_every_weekday_has_its_turn(name: str) -> None:
    slot = every_week(JOB, on=name, at=time(12, 0)).next_slot(utc(2026, 11, 18), SEOUL)
    assert slot is not None
    assert f"{slot.astimezone(SEOUL):%A}" == name


def test_next_slot_is_later_than_the_moment_itself() -> None:
    entry, slot = every_day(JOB, time(17, 0)), utc(2026, 11, 20, 8)
    assert entry.next_slot(slot - timedelta(microseconds=1), SEOUL) == slot
    assert entry.next_slot(slot, SEOUL) == slot + timedelta(days=1)


def test_next_weekly_slot_is_found_from_every_hour_of_a_year() -> None:
    entry, moment = every_week(JOB, on="Sunday", at=time(2, 30)), utc(2026, 1, 1)
    while moment < utc(2027, 1, 1):
        following = entry.next_slot(moment, NEW_YORK)
        assert following is not None
        assert timedelta(0) < following - moment <= timedelta(days=7, hours=1)
        moment += timedelta(hours=1)


def test_job_on_request_has_no_slots() -> None:
    entry = on_request(JOB)
    assert list(entry.slots(utc(2026, 1, 1), utc(2027, 1, 1), SEOUL)) == []
    assert entry.next_slot(utc(2026, 1, 1), SEOUL) is None


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (every_day(JOB, time(17, 0)), "daily at 17:00"),
        (every_week(JOB, on="Monday", at=time(9, 5)), "Mondays at 09:05"),
        (on_request(JOB), "on request"),
    ],
)
def test_rhythm_in_words(entry: Entry, words: str) -> None:
    assert entry.told() == words


@given(entry=entries, zone=st.sampled_from(ZONES), after=moments, spans=st.tuples(spans, spans))
def test_slots_of_adjoining_ranges_are_those_of_the_whole(
    entry: Entry, zone: str, after: datetime, spans: tuple[timedelta, timedelta]
) -> None:
    here, middle = ZoneInfo(zone), after + spans[0]
    until = middle + spans[1]
    whole = list(entry.slots(after, until, here))
    assert [*entry.slots(after, middle, here), *entry.slots(middle, until, here)] == whole
    assert all(after < slot <= until for slot in whole)


@given(at=st.times(), zone=st.sampled_from(ZONES), after=moments, span=spans)
@example(
    at=time(0, 0, fold=1),
    zone="America/Havana",  # whose clocks skip midnight
    after=datetime(2020, 3, 7, tzinfo=UTC),
    span=timedelta(days=2),
)
def test_daily_slots_increase_and_no_local_day_is_left_out_or_doubled(
    at: time, zone: str, after: datetime, span: timedelta
) -> None:
    here = ZoneInfo(zone)
    slots = list(every_day(JOB, at).slots(after, after + span, here))
    assert all(one < other for one, other in pairwise(slots))
    days = local_days(slots, here)
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))] if days else True
    assert abs(len(slots) - span / timedelta(days=1)) <= 1 + 1 / 12


@given(entry=entries, zone=st.sampled_from(ZONES), after=moments)
def test_next_slot_is_the_first_of_the_slots(entry: Entry, zone: str, after: datetime) -> None:
    here = ZoneInfo(zone)
    following = entry.next_slot(after, here)
    assert following is not None
    assert list(entry.slots(after, following, here)) == [following]


def test_simulated_clock_sees_each_slot_once_whatever_its_steps() -> None:
    """A clock that looks every seven minutes through both clock changes, and once sleeps for three days."""
    entry, seen = every_day(JOB, time(2, 30)), []
    steps: list[Any] = [timedelta(minutes=7)] * 2_000 + [timedelta(days=3)] + [timedelta(minutes=7)] * 2_000
    last = start = utc(2026, 3, 1)
    for step in steps:
        seen += entry.slots(last, last + step, NEW_YORK)
        last += step
    assert seen == list(entry.slots(start, last, NEW_YORK))
    assert len(seen) == len(set(local_days(seen, NEW_YORK))) == 23


@pytest.mark.parametrize("minute", [0, 5, 59])
def test_an_hourly_job_has_a_slot_in_every_hour_that_passes(minute: int) -> None:
    entry = every_hour(JOB, time(17, minute))
    for zone, day, hours in (
        (SEOUL, date(2026, 3, 8), 24),
        (NEW_YORK, date(2026, 3, 8), 23),
        (NEW_YORK, date(2026, 11, 1), 25),
    ):
        first = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        last = first + timedelta(hours=hours) - timedelta(microseconds=1)
        slots = list(entry.slots(first - timedelta(microseconds=1), last, zone))
        assert slots == [first + timedelta(hours=k, minutes=minute) for k in range(hours)]
        assert {slot.astimezone(zone).minute for slot in slots} == {minute}


@given(
    zone=st.sampled_from(ZONES),
    at=st.times(),
    after=moments,
    span=st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_hourly_slots_are_the_same_whoever_asks_when(
    zone: str, at: time, after: datetime, span: timedelta
) -> None:
    """Also where the clocks move by half an hour: the slots of a span are those of its parts."""
    here, entry = ZoneInfo(zone), every_hour(JOB, at)
    middle, until = after + span / 3, after + span
    whole = list(entry.slots(after, until, here))
    assert whole == [*entry.slots(after, middle, here), *entry.slots(middle, until, here)]
    assert all(gap <= timedelta(hours=1) for gap in (b - a for a, b in pairwise(whole)))
    assert abs(len(whole) - span / timedelta(hours=1)) <= 3


def test_half_an_hour_of_clock_change_moves_the_minute_with_the_clock() -> None:
    lord_howe, entry = ZoneInfo("Australia/Lord_Howe"), every_hour(JOB, time(9, 5))
    slots = list(entry.slots(utc(2026, 4, 3), utc(2026, 4, 8), lord_howe))
    assert {slot.astimezone(lord_howe).minute for slot in slots if slot > utc(2026, 4, 5, 1)} == {5}


def test_the_next_hourly_slot() -> None:
    entry = every_hour(JOB, time(17, 5))
    assert entry.next_slot(utc(2026, 11, 20, 3, 4), SEOUL) == utc(2026, 11, 20, 3, 5)
    assert entry.next_slot(utc(2026, 11, 20, 3, 5), SEOUL) == utc(2026, 11, 20, 4, 5)
    assert entry.told() == "daily at 17:05, and at that minute of each hour"
