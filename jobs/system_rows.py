"""Rows of system_metrics: what a day came to in each market, and in the row '' what has no market."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, bindparam, case, func, select

from db.tables.agents import TEAM, ModelEvolution, SystemMetric
from db.tables.usage import DailyLlmUsage
from jobs.formulas.ratings import entropy_index

KEY = ("date", "market")
BY_HAND = "manual"

system: Table = SystemMetric.__table__  # type: ignore[assignment]
_days: BindParameter[Any] = bindparam("days", expanding=True)
d, m = DailyLlmUsage, ModelEvolution
_CALLS = select(
    d.date, d.provider, d.model, func.sum(d.calls).label("calls"), func.sum(d.cost_usd).label("cost")
)
CALLS = _CALLS.where(d.date.in_(_days)).group_by(d.date, d.provider, d.model)
# A rollback is neither an improvement nor an intervention.
_by_hand = func.sum(case((m.triggered_by == BY_HAND, 1), else_=0))
SWAPS = (
    select(m.day, func.count().label("swaps"), _by_hand.label("by_hand"))
    .where(m.day.in_(_days), m.rolls_back.is_(None))
    .group_by(m.day)
)

Row = dict[str, Any]
_NOTHING: Row = {
    "total_trades": 0,
    "wins": 0,
    "losses": 0,
    "win_rate": None,
    "total_pnl": None,
    "total_cost_usd": None,
    "decision_time_count": 0,
    "avg_decision_time_seconds": None,
    "agent_efficiency_score": None,
    "model_diversity_index": None,
    "auto_improvements": 0,
    "human_interventions": 0,
}


def of_days(
    connection: Connection,
    days: list[date],
    sums: Iterable[Mapping[str, Any]],
    interventions: Mapping[tuple[date, str], int],
    now: datetime,
) -> list[Row]:
    """The rows of these days; daily_llm_usage holds them already, `sums` are those of the trades."""
    rows: defaultdict[tuple[date, str], Row] = defaultdict(lambda: dict(_NOTHING))
    for found in sums:
        if found["agent"] == TEAM:
            rows[found["day"], found["market"]] |= _of_market(found)
    for at, n in interventions.items():
        rows[at]["human_interventions"] = n
    for day, more in _without_market(connection, days).items():
        rows[day, ""] |= more
    return [
        {"date": day, "market": market} | row | {"updated_at": now} for (day, market), row in rows.items()
    ]


def _of_market(found: Mapping[str, Any]) -> Row:
    decided, contributed = found["wins"] + found["losses"], found["contributed"]
    return {
        "total_trades": found["trades"],
        "wins": found["wins"],
        "losses": found["losses"],
        "win_rate": found["wins"] / decided if decided else None,
        "total_pnl": found["pnl"],
        "decision_time_count": found["timed"],
        "avg_decision_time_seconds": found["seconds"] / found["timed"] if found["timed"] else None,
        "agent_efficiency_score": (found["contributed_to_wins"] or 0.0) / contributed
        if contributed
        else None,
    }


def _without_market(connection: Connection, days: list[date]) -> dict[date, Row]:
    rows: defaultdict[date, Row] = defaultdict(dict)
    calls: defaultdict[date, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in connection.execute(CALLS, {"days": days}):
        calls[row.date][row.provider, row.model] = row.calls
        if row.cost is not None:
            rows[row.date]["total_cost_usd"] = rows[row.date].get("total_cost_usd", 0.0) + row.cost
    for day, pairs in calls.items():
        rows[day]["model_diversity_index"] = entropy_index(list(pairs.values()))
    for row in connection.execute(SWAPS, {"days": days}):
        automatic = row.swaps - row.by_hand
        rows[row.day] |= {"auto_improvements": automatic, "human_interventions": row.by_hand}
    return dict(rows)
