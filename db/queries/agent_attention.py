"""What of agents waits for somebody: who underperforms, what was rolled back, whether the month's budget is at risk."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Connection

from db.queries import agents, usage
from jobs.formulas.budget import LOOK_BACK, month_of, pace

STALE = timedelta(days=31)  # older figures are no reason to call somebody


@dataclass(frozen=True)
class Budget:
    """US dollars of a month: what was spent by a day, what it will be at its end, and what it may be."""

    spent: float
    end: float
    budget: float

    @property
    def is_over(self) -> bool:
        return self.spent > self.budget


def underperforming(connection: Connection, today: date) -> pd.DataFrame:
    """Those of the 30 days to the newest day with figures; none where that is old."""
    newest = agents.newest_day(connection)
    if newest is None or newest < today - STALE:
        return pd.DataFrame(columns=["agent_name", "market"])
    return agents.underperformers(connection, newest)


def budget_at_risk(
    connection: Connection, today: date, budget: float | None, warning: float
) -> Budget | None:
    """This month's budget where it is exceeded, or where its end as things go is over that share of it."""
    if budget is None:
        return None
    first, _last = month_of(today)
    rows = usage.cost_by_day(connection, first - timedelta(days=LOOK_BACK + 3), today)
    costs = dict(zip(rows["date"], rows["cost_usd"], strict=True))
    spent = sum(cost for day, cost in costs.items() if day >= first)
    ahead = pace(costs, today)
    found = Budget(spent, spent + (ahead[-1][1] if ahead else 0.0), budget)
    return found if found.is_over or found.end > warning * budget else None
