"""Rows of agent_performance and daily_confidence from the sums of a day, and weeks and months from days."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, func, select

from db.clock import week_start
from db.errors import Refused
from db.tables.agents import TEAM, UNATTRIBUTED, AgentPerformance, DailyConfidence
from jobs import attribution
from jobs.formulas.ratings import performance_rating
from language import _

KEY = ("agent_name", "market", "period", "period_start")
CONFIDENCE_KEY = ("date", "agent_name", "market", "bin")
ROUNDING = 1e-9  # of the P&L that moved: what an attribution may be off, by the order of additions

performance: Table = AgentPerformance.__table__  # type: ignore[assignment]
confidence: Table = DailyConfidence.__table__  # type: ignore[assignment]
p = performance.c

Row = dict[str, Any]


def of_days(sums: Iterable[Mapping[str, Any]], now: datetime) -> list[Row]:
    """Rows of the period day; raises Refused where the agents' P&L is not the trades'."""
    rows = [_of_day(found, now) for found in sums]
    _reconcile(rows)
    return _rated(rows)


def of_confidence(connection: Connection, days: list[date], now: datetime) -> list[Row]:
    """Rows of daily_confidence."""
    return [
        {
            "date": found["day"],
            "agent_name": found["agent"],
            "market": found["market"],
            "bin": found["bin"],
            "trade_count": found["trades"],
            "win_count": found["wins"],
            "confidence_sum": found["confidence"],
            "updated_at": now,
        }
        for found in attribution.confidence(connection, days)
    ]


def periods_of(days: Iterable[date]) -> list[tuple[str, date, date]]:
    """The weeks and months that hold these days: name of the period, first and last day."""
    days = list(days)
    weeks = {week_start(day) for day in days}
    months = {day.replace(day=1) for day in days}
    found = [("week", monday, monday + timedelta(days=6)) for monday in sorted(weeks)]
    for first in sorted(months):
        later = (first + timedelta(days=31)).replace(day=1)
        found.append(("month", first, later - timedelta(days=1)))
    return found


def of_period(connection: Connection, period: str, first: date, last: date, now: datetime) -> list[Row]:
    """Rows of a week or month from the rows of its days, whose sums add up."""
    n = p.total_decisions
    sums = {
        name: func.sum(p[name]) for name in ("total_decisions", "wins", "losses", "confidence_count", *MONEY)
    } | {
        "avg_contribution_score": func.sum(n * p.avg_contribution_score) / func.sum(n),
        "brier": func.sum((1 - p.confidence_accuracy) * p.confidence_count),
    }
    days = select(p.agent_name, p.market, *(column.label(name) for name, column in sums.items()))
    days = days.where(p.period == "day", p.period_start.between(first, last)).group_by(p.agent_name, p.market)
    common = {"period": period, "period_start": first, "period_end": last, "updated_at": now}
    rows = [dict(found) | common for found in connection.execute(days).mappings()]
    for row in rows:
        brier, count = row.pop("brier"), row["confidence_count"]
        row |= {
            "successful_decisions": row["wins"],
            "confidence_accuracy": None if brier is None else 1 - brier / count,
        }
    return _rated(rows)


MONEY = ("total_pnl_attributed", "attributed_gains", "attributed_losses")


def _of_day(found: Mapping[str, Any], now: datetime) -> Row:
    contribution, n = found["contribution"], found["trades"]
    return {
        "agent_name": found["agent"],
        "market": found["market"],
        "period": "day",
        "period_start": found["day"],
        "period_end": found["day"],
        "total_decisions": n,
        "successful_decisions": found["wins"],
        "wins": found["wins"],
        "losses": found["losses"],
        "avg_contribution_score": None if contribution is None else contribution / n,
        "total_pnl_attributed": found["pnl"],
        "attributed_gains": found["gains"],
        "attributed_losses": found["lost"],
        "confidence_count": found["confident"],
        "confidence_accuracy": None if found["brier"] is None else 1 - found["brier"] / found["confident"],
        "updated_at": now,
    }


def _rated(rows: list[Row]) -> list[Row]:
    """Adds the ratings; trades of nobody have none."""
    if not rows:
        return rows

    def column(name: str) -> Any:
        return np.array([row[name] for row in rows], dtype=float)

    names = ("wins", "losses", "confidence_accuracy", "attributed_gains", "attributed_losses")
    ratings = performance_rating(*map(column, names))
    for row, rating in zip(rows, ratings, strict=True):
        known = row["agent_name"] != UNATTRIBUTED and not np.isnan(rating)
        row["performance_rating"] = float(rating) if known else None
    return rows


def _reconcile(rows: list[Row]) -> None:
    """Raises Refused where, in a day of a market, what the agents have does not sum to the trades' P&L."""
    owed: dict[Any, float] = {}
    moved: dict[Any, float] = {}
    for row in rows:
        at = row["period_start"], row["market"]
        sign = -1 if row["agent_name"] == TEAM else 1
        owed[at] = owed.get(at, 0.0) + sign * row["total_pnl_attributed"]
        moved[at] = moved.get(at, 0.0) + row["attributed_gains"] + row["attributed_losses"]
    for (day, market), difference in owed.items():
        if abs(difference) > ROUNDING * moved[day, market]:
            raise Refused(
                _(
                    "The agents' P&L of {day} in {market} differs by {difference:g} from the trades'; nothing was "
                    "written. Please report this."
                ).format(day=day, market=market, difference=difference)
            )
