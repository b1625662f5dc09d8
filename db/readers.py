"""The functions with which a program of yours reads figures of agents as frames.

Each reads aggregated tables (`python -m jobs run aggregate_agents` fills them), over the last `days` business days,
today included, and takes `engine` (that of `DATABASE_URL` by default) and `now`. A frame has its columns
and their types also where there is no row; counts are Int64, figures float64 with NaN for what is not known, days
datetime64, moments datetime64 in UTC.
"""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Engine, Integer, Select, String, case, cast, func, select
from sqlalchemy.types import BigInteger, Boolean, Double

import settings
from db.base import Day, Timestamp
from db.clock import business_day, utc_now
from db.engine import default_engine, reading
from db.queries.agents import underperformers
from db.schema import refuse_unready
from db.tables.agents import TEAM, AgentPerformance, ModelEvolution, SystemMetric
from db.tables.usage import DailyLlmUsage

a, u, m, s = AgentPerformance, DailyLlmUsage, ModelEvolution, SystemMetric
_DAILY = a.period == "day"
_TYPES: dict[type, str] = {
    Integer: "Int64",
    BigInteger: "Int64",
    Double: "float64",
    Boolean: "boolean",
    Day: "datetime64[us]",
    Timestamp: "datetime64[us, UTC]",
    String: "str",
}


def get_agent_performance(
    agent_name: str, days: int = 30, *, engine: Engine | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """What an agent's part in each market and day came to, by market and date.

    market, date, total_decisions, successful_decisions, wins, losses, avg_contribution_score,
    total_pnl_attributed (market's currency), confidence_accuracy, performance_rating (0–100).
    """
    columns = (
        *(
            a.market,
            a.period_start.label("date"),
            a.total_decisions,
            a.successful_decisions,
            a.wins,
            a.losses,
        ),
        *(a.avg_contribution_score, a.total_pnl_attributed, a.confidence_accuracy, a.performance_rating),
    )
    found = select(*columns).where(_DAILY, a.agent_name == agent_name)
    return _frame(found.order_by(a.market, a.period_start), a.period_start, days, engine, now)


def get_llm_usage_stats(
    days: int = 7, *, engine: Engine | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """What the calls of each agent, provider and model came to.

    agent_name, provider, model, calls, known_count, failures, failure_rate (0–1, of those known), tokens, cost_count,
    computed_count, cost_usd, avg_cost_usd (a call whose cost is known), latency_count, latency_mean_ms. Percentiles of
    latency are daily, and stay in daily_llm_usage.
    """
    known, costs, timed = (_sum(column) for column in (u.known_count, u.cost_count, u.latency_count))
    names = (u.agent_name, u.provider, u.model)
    columns = (
        *(_sum(column).label(column.key) for column in (u.calls, u.known_count, u.failures)),
        _share(_sum(u.failures), known).label("failure_rate"),
        *(
            func.sum(column).label(column.key)
            for column in (u.tokens, u.cost_count, u.computed_count, u.cost_usd)
        ),
        _share(func.sum(u.cost_usd), costs).label("avg_cost_usd"),
        timed.label("latency_count"),
        _share(func.sum(u.latency_mean_ms * u.latency_count), timed).label("latency_mean_ms"),
    )
    found = select(*names, *columns).group_by(*names).order_by(*names)
    return _frame(found, u.date, days, engine, now)


def get_model_evolution_history(
    agent_name: str, *, engine: Engine | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """Every change of the model that an agent runs on, the newest first.

    timestamp, old_provider, old_model, new_provider, new_model, reason, triggered_by, status, validated_at,
    performance_improvement, observed_change (of the rating, as a share of that before), verdict.
    """
    columns = (
        *(m.timestamp, m.old_provider, m.old_model, m.new_provider, m.new_model, m.reason, m.triggered_by),
        *(m.status, m.validated_at, m.performance_improvement, m.observed_change, m.verdict),
    )
    found = select(*columns).where(m.agent_name == agent_name).order_by(m.timestamp.desc())
    return _frame(found, None, 0, engine, now)


def get_system_metrics(
    days: int = 30, *, engine: Engine | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """Each day of each market; the rows of the market '' hold what has none: cost, diversity, swaps.

    date, market, total_trades, wins, losses, win_rate (0–1), total_pnl (market's currency), total_cost_usd,
    avg_decision_time_seconds, agent_efficiency_score (0–1), model_diversity_index (0–1), auto_improvements,
    human_interventions.
    """
    columns = (
        *(s.date, s.market, s.total_trades, s.wins, s.losses, s.win_rate, s.total_pnl, s.total_cost_usd),
        *(s.avg_decision_time_seconds, s.agent_efficiency_score, s.model_diversity_index),
        *(s.auto_improvements, s.human_interventions),
    )
    return _frame(select(*columns).order_by(s.date, s.market), s.date, days, engine, now)


def get_agent_contribution_analysis(
    days: int = 30, *, engine: Engine | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """What each agent contributed in each market, those with the largest attributed P&L first.

    market, agent_name ('(unattributed)': trades without a contribution), total_decisions, wins, losses, win_rate
    (0–1), avg_contribution_score, total_pnl_attributed, attributed_gains, attributed_losses (market's currency).
    """
    wins, losses, decisions = (_sum(column) for column in (a.wins, a.losses, a.total_decisions))
    pnl = func.sum(a.total_pnl_attributed)
    columns = (
        *(
            a.market,
            a.agent_name,
            decisions.label("total_decisions"),
            wins.label("wins"),
            losses.label("losses"),
        ),
        _share(wins, wins + losses).label("win_rate"),
        _share(func.sum(a.avg_contribution_score * a.total_decisions), decisions).label(
            "avg_contribution_score"
        ),
        pnl.label("total_pnl_attributed"),
        *(_sum(column).label(column.key) for column in (a.attributed_gains, a.attributed_losses)),
    )
    found = select(*columns).where(_DAILY, a.agent_name != TEAM).group_by(a.market, a.agent_name)
    return _frame(found.order_by(a.market, pnl.desc(), a.agent_name), a.period_start, days, engine, now)


def get_underperforming_agents(
    min_trades: int = 10, *, engine: Engine | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """The agents that clearly do worse than the rest of their team, over the last 30 days, the worst first.

    Per market: at least `min_trades` decisions, attributed P&L below 0, and the upper end of the 95 % Wilson interval
    of the win rate below the win rate of the team's trades without that agent.
    market, agent_name, total_decisions, wins, losses, win_rate, win_rate_high, team_win_rate (0–1 each),
    total_pnl_attributed (market's currency).
    """
    zone, engine = settings.current().zone, engine or default_engine()
    refuse_unready(engine, zone)
    with reading(engine) as connection:
        found = underperformers(connection, business_day(now or utc_now(), zone), min_trades)
    rates = {"win_rate": "win_rate", "win_rate_high": "high", "team_win_rate": "others_rate"}
    found = found.assign(**{name: found[column] / 100 for name, column in rates.items()})
    counts = ["total_decisions", "wins", "losses"]
    columns = ["market", "agent_name", *counts, *rates, "total_pnl_attributed"]
    types = {"market": "str", "agent_name": "str"} | dict.fromkeys(counts, "Int64")
    types |= dict.fromkeys([*rates, "total_pnl_attributed"], "float64")
    ordered = found.sort_values(["total_pnl_attributed", "market", "agent_name"], ignore_index=True)
    return ordered[columns].astype(types)


def _sum(column: Any) -> ColumnElement[Any]:
    """A sum of the column's kind; PostgreSQL's of large integers would be no integer."""
    kind = Double if isinstance(column.type, Double) else BigInteger
    return cast(func.sum(column), kind)


def _share(part: ColumnElement[Any], whole: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(part, Double) / case((whole > 0, whole))


def _frame(
    query: Select[*tuple[Any, ...]], day: Any, days: int, engine: Engine | None, now: datetime | None
) -> pd.DataFrame:
    """The rows, of the last `days` days where `day` is the column of a day, with the types of their columns."""
    zone, engine = settings.current().zone, engine or default_engine()
    refuse_unready(engine, zone)
    if day is not None:
        today = business_day(now or utc_now(), zone)
        query = query.where(day > today - timedelta(days=days), day <= today)
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    columns = query.selected_columns
    found = pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in columns])
    return found.astype({column.name: _type(column.type) for column in columns})


def _type(kind: Any) -> str:
    return next(name for known, name in _TYPES.items() if isinstance(kind, known))
