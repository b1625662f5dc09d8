"""Whether a month's budget of LLM calls is at risk."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from db.queries import usage
from jobs.formulas.budget import Course, course, needed_from


@dataclass(frozen=True)
class Budget:
    """US dollars of a month: what was spent so far, what it will be at its end, and what it may be."""

    spent: float
    end: float
    budget: float

    @property
    def is_over(self) -> bool:
        return self.spent > self.budget


def month_course(connection: Connection, today: date) -> Course:
    """What this month costs, day by day, and as it will be."""
    rows = usage.cost_by_day(connection, needed_from(today), today)
    return course(dict(zip(rows["date"], rows["cost_usd"], strict=True)), today)


def budget_at_risk(
    connection: Connection, today: date, budget: float | None, warning: float
) -> Budget | None:
    """This month's budget where it is exceeded, or where its end as things go is over that share of it."""
    if budget is None:
        return None
    known = month_course(connection, today)
    found = Budget(known.now, known.end, budget)
    return found if found.is_over or found.end > warning * budget else None
