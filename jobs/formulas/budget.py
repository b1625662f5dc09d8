"""What a month will have cost at its end, and how far a few values stand out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from statistics import median

LOOK_BACK = 28  # days
STANDS_OUT = 5.0  # times the usual value


def month_of(day: date) -> tuple[date, date]:
    """The first and last day of its month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


@dataclass(frozen=True)
class Course:
    """What a month costs, added up: day by day up to today, then as it will be, with what today still lacks."""

    spent: list[tuple[date, float]]
    ahead: list[tuple[date, float]]

    @property
    def now(self) -> float:
        return self.spent[-1][1]

    @property
    def end(self) -> float:
        return self.ahead[-1][1]


def needed_from(today: date) -> date:
    """The first day whose costs `course` looks at."""
    return min(today.replace(day=1), today - timedelta(days=LOOK_BACK))


def course(costs: Mapping[date, float], today: date) -> Course:
    """From the costs of days; a day without one cost nothing."""
    first = today.replace(day=1)
    days = [first + timedelta(days=k) for k in range(today.day)]
    spent = list(zip(days, accumulate(costs.get(day, 0.0) for day in days), strict=True))
    so_far = spent[-1][1]
    rest = max(0.0, usual(costs, today, today) - costs.get(today, 0.0))
    ahead = [(day, so_far + rest + more) for day, more in pace(costs, today)]
    return Course(spent, [(today, so_far + (0.0 if ahead else rest)), *ahead])


def pace(costs: Mapping[date, float], today: date) -> list[tuple[date, float]]:
    """What the days of today's month that are still to come will cost, from tomorrow on, added up from 0.

    Each costs what is usual for its weekday, the median of the 28 days before today (a day without a cost cost
    nothing), so that one dear call does not make the month; with fewer than 7 days that of all of them.
    """
    total, found = 0.0, []
    for k in range(1, (month_of(today)[1] - today).days + 1):
        day = today + timedelta(days=k)
        total += usual(costs, today, day)
        found.append((day, total))
    return found


def usual(costs: Mapping[date, float], today: date, day: date) -> float:
    """What a day like this one costs, by the 28 days before today."""
    known = [one for one, cost in costs.items() if one < today and cost]
    begun = max(min(known, default=today), today - timedelta(days=LOOK_BACK))
    days = [begun + timedelta(days=k) for k in range((today - begun).days)]
    like = days if len(days) < 7 else [one for one in days if one.weekday() == day.weekday()]
    return median(costs.get(one, 0.0) for one in like) if like else 0.0


def room_for(values: Iterable[float]) -> float | None:
    """The top of an axis that leaves single values out which are many times the others; None where there are none."""
    known = sorted(value for value in values if value > 0)
    if len(known) < 5:
        return None
    usual = max(median(known), known[int(0.9 * (len(known) - 1))])
    return 1.4 * usual if known[-1] > STANDS_OUT * usual else None
