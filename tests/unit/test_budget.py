"""What a month will have cost, by hand and for any costs; and the axis that leaves out what dwarfs the others."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.formulas.budget import LOOK_BACK, STANDS_OUT, course, month_of, needed_from, pace, room_for

FRIDAY = date(2026, 11, 20)
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
amounts = st.floats(0, 1e6)


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2028, 2, 1), date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
        (date(2026, 11, 1), date(2026, 11, 1), date(2026, 11, 30)),
    ],
)
def test_the_first_and_the_last_day_of_a_month(day: date, first: date, last: date) -> None:
    assert month_of(day) == (first, last)


def test_days_to_come_cost_what_is_usual_for_their_weekday() -> None:
    """Four weeks: Mondays cost 10, other weekdays 2, weekends nothing; one dear Monday is left out by the median."""
    costs = {}
    for k in range(1, LOOK_BACK + 1):
        day = FRIDAY - timedelta(days=k)
        if day.weekday() < 5:
            costs[day] = 10.0 if day.weekday() == 0 else 2.0
    costs[date(2026, 11, 9)] = 5_000.0
    found = pace(costs, FRIDAY)
    assert [day for day, _total in found] == [date(2026, 11, day) for day in range(21, 31)]
    # Sat, Sun, Mon 10, Tue–Fri 2 each, Sat, Sun, Mon 10.
    assert [total for _day, total in found] == [0, 0, 10, 12, 14, 16, 18, 18, 18, 28]


def test_what_today_cost_so_far_is_no_usual_day() -> None:
    costs = {FRIDAY - timedelta(days=k): 1.0 for k in range(1, LOOK_BACK + 1)}
    assert pace(costs | {FRIDAY: 900.0}, FRIDAY) == pace(costs, FRIDAY)


def test_with_less_than_a_week_all_days_count_alike() -> None:
    found = pace({date(2026, 11, 17): 3.0, date(2026, 11, 19): 5.0}, FRIDAY)
    assert found[0] == (date(2026, 11, 21), 3.0), "the median of 3, 0 and 5"
    assert found[-1] == (date(2026, 11, 30), 30.0)


def test_nothing_known_and_nothing_to_come() -> None:
    assert [total for _day, total in pace({}, FRIDAY)] == [0.0] * 10
    assert pace({FRIDAY: 1.0}, date(2026, 11, 30)) == []


@given(today=days, found=st.lists(amounts, max_size=60), times=st.floats(0, 1e3))
def test_the_course_ends_with_the_month_never_falls_and_scales(
    today: date, found: list[float], times: float
) -> None:
    costs = {today - timedelta(days=k + 1): cost for k, cost in enumerate(found)}
    ahead = pace(costs, today)
    totals = [0.0, *(total for _day, total in ahead)]
    assert len(ahead) == (month_of(today)[1] - today).days
    assert all(a <= b for a, b in itertools.pairwise(totals))
    most = max(found[:LOOK_BACK], default=0.0)
    assert totals[-1] <= most * len(ahead) * (1 + 1e-9)
    older = {day - timedelta(days=LOOK_BACK): 1e9 for day in costs if (today - day).days >= 1}
    assert (
        pace(costs | {day: 1e9 for day in older if (today - day).days > LOOK_BACK}, today) == ahead
        or len(found) < LOOK_BACK
    ), "what is older than four weeks counts for nothing"


@given(values=st.lists(st.floats(0, 1e9), max_size=50))
def test_an_axis_has_room_for_all_but_a_few(values: list[float]) -> None:
    top = room_for(values)
    if top is None:
        return
    beyond = [value for value in values if value > top]
    assert beyond and max(values) > STANDS_OUT * top / 1.4
    known = [value for value in values if value > 0]
    assert len(beyond) <= max(1, 0.1 * len(known) + 1)


def test_room_by_hand() -> None:
    assert room_for([1, 2, 3, 4]) is None, "too few to call one odd"
    assert room_for([1, 1, 1, 1, 5]) is None
    assert room_for([1, 1, 1, 1, 5.1]) == pytest.approx(1.4)
    assert room_for([0, 0, 0, 0, 0, 9]) is None
    assert room_for([]) is None


def test_the_course_of_a_month_adds_what_today_still_lacks() -> None:
    """Two dollars on each weekday but none yet today, a Friday: today's two and six working days are to come."""
    known = {
        FRIDAY - timedelta(days=k): 2.0 for k in range(1, 40) if (FRIDAY - timedelta(days=k)).weekday() < 5
    }
    found = course(known, FRIDAY)
    assert (found.spent[0], found.spent[-1]) == ((date(2026, 11, 1), 0.0), (FRIDAY, 28.0))
    assert (found.now, found.ahead[0], found.end) == (28.0, (FRIDAY, 28.0), 28.0 + 2.0 + 6 * 2.0)
    assert course(known | {FRIDAY: 2.0}, FRIDAY).end == found.end
    assert course(known | {FRIDAY: 9.0}, FRIDAY).end == found.end + 7.0
    assert needed_from(FRIDAY) == date(2026, 10, 23)


def test_on_the_last_day_only_the_rest_of_it_is_to_come() -> None:
    last = date(2026, 11, 30)
    known = {last - timedelta(days=7 * k): 3.0 for k in range(1, 5)}
    assert course(known, last).end == 3.0 * 4 + 3.0
    assert course({}, last).end == 0.0


@given(days, st.dictionaries(st.integers(0, 60), amounts, max_size=40))
def test_a_month_never_falls_nor_ends_below_what_was_spent(today: date, ago: dict[int, float]) -> None:
    found = course({today - timedelta(days=k): cost for k, cost in ago.items()}, today)
    totals = [total for _day, total in [*found.spent, *found.ahead]]
    assert all(later >= earlier for earlier, later in itertools.pairwise(totals))
    assert [day for day, _total in found.spent] == [today.replace(day=k) for k in range(1, today.day + 1)]
