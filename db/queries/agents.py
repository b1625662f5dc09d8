"""What pages ask of agent_performance, daily_confidence and system_metrics."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Double, Integer, and_, cast, func, null, select, union_all

from db.metrics import METRICS
from db.queries import usage
from db.queries.combining import as_date, periods, unfinished, with_interval
from db.queries.frames import frame
from db.tables.agents import PERIODS, TEAM, UNATTRIBUTED, AgentPerformance, DailyConfidence, SystemMetric
from db.tables.operations import BusinessDay
from db.tables.usage import DailyLlmUsage
from jobs.formulas.intervals import wilson
from jobs.formulas.ratings import performance_rating

performance = AgentPerformance.__table__
p = performance.c
EVERYBODY, NOBODY = TEAM, UNATTRIBUTED  # as pages call them
c = DailyConfidence.__table__.c
days = SystemMetric.date  # every day with a trade, a call or a swap has a row
_daily = p.period == PERIODS[0]


def _of_days() -> dict[str, Any]:
    """What the headlines are made of, by day: decided trades of all markets, and the costs of calls."""
    s, d = SystemMetric.__table__.c, DailyLlmUsage.__table__.c
    none = cast(null(), Integer), cast(null(), Double)
    trades = select(s.date, s.wins, (s.wins + s.losses).label("decided_count"))
    trades = trades.add_columns(
        none[0].label("cost_count"), none[1].label("cost_mean"), none[1].label("cost_std")
    )
    calls = select(d.date, none[0], none[0], d.cost_count, d.cost_mean, d.cost_std)
    return dict(union_all(trades, calls).subquery("agent_days").c.items())


COLUMNS = _of_days()
SUMS = ("total_decisions", "wins", "losses", "confidence_count")
MONEY = ("total_pnl_attributed", "attributed_gains", "attributed_losses")


def newest_day(connection: Connection) -> date | None:
    """The newest day with figures."""
    newest: date | None = connection.scalar(select(func.max(days)))
    return newest


def oldest_day(connection: Connection) -> date | None:
    """The oldest day with figures."""
    oldest: date | None = connection.scalar(select(func.min(days)))
    return oldest


def newest_trade(connection: Connection) -> date | None:
    """The newest day with a closed trade."""
    newest: date | None = connection.scalar(select(func.max(p.period_start)).where(_daily))
    return newest


def oldest_trade(connection: Connection) -> date | None:
    """The oldest day with a closed trade."""
    oldest: date | None = connection.scalar(select(func.min(p.period_start)).where(_daily))
    return oldest


def agents(connection: Connection) -> list[str]:
    """Every agent that took part in a closed trade, in the order that gives each its colour: by its first day."""
    first = func.min(p.period_start)
    named = and_(_daily, p.agent_name.not_in((TEAM, UNATTRIBUTED)))
    return list(
        connection.scalars(
            select(p.agent_name).where(named).group_by(p.agent_name).order_by(first, p.agent_name)
        )
    )


def markets(connection: Connection) -> list[str]:
    """The markets with closed trades, the one with most of them first."""
    n = func.sum(p.total_decisions)
    found = select(p.market).where(_daily, p.agent_name == TEAM).group_by(p.market)
    return list(connection.scalars(found.order_by(n.desc(), p.market)))


def contributions(connection: Connection, since: date, until: date, market: str) -> pd.DataFrame:
    """What each agent's part in the closed trades of a market came to, whoever gained most first.

    Columns: agent_name ('*': the trades themselves), total_decisions, wins, losses, decided, win_rate, low, high
    (Wilson; all in %), avg_contribution_score, total_pnl_attributed, attributed_gains, attributed_losses,
    confidence_count, confidence_accuracy, performance_rating.
    """
    inside = and_(_daily, p.period_start.between(since, until), p.market == market)
    rows = frame(connection, _sums(inside, p.agent_name))
    return _finished(rows).sort_values(
        ["total_pnl_attributed", "agent_name"], ascending=[False, True], ignore_index=True
    )


def performance_trend(
    connection: Connection, since: date, until: date, grain: str, today: date, market: str
) -> pd.DataFrame:
    """The same by day or ISO week: with a column period, and unfinished."""
    period = BusinessDay.week_start if grain == "week" else p.period_start
    inside = and_(_daily, p.period_start.between(since, until), p.market == market)
    rows = frame(connection, _sums(inside, p.agent_name, period.label("period")))
    rows["period"] = rows["period"].map(as_date)
    rows["unfinished"] = [unfinished(start, grain, today) for start in rows["period"]]
    return _finished(rows).sort_values(["agent_name", "period"], ignore_index=True)


def money_over_time(
    connection: Connection, since: date, until: date, grain: str, today: date, market: str
) -> pd.DataFrame:
    """Attributed P&L added up from the first period on: agent_name, period, pnl, total; a period without a trade of
    an agent adds 0 to it, before its first there is nothing."""
    rows = performance_trend(connection, since, until, grain, today, market)
    if rows.empty:
        return pd.DataFrame(columns=["period", "agent_name", "pnl", "total"])
    wide = rows.pivot(index="period", columns="agent_name", values="total_pnl_attributed")
    wide = wide.reindex(periods(since, until, grain)).rename_axis("period")
    begun = wide.notna().cummax().melt(ignore_index=False, value_name="begun")["begun"].to_numpy()
    long = wide.fillna(0.0).melt(ignore_index=False, var_name="agent_name", value_name="pnl").reset_index()
    return long.assign(total=long.groupby("agent_name")["pnl"].cumsum())[begun].reset_index(drop=True)


def confidence(connection: Connection, since: date, until: date, market: str, agent: str) -> pd.DataFrame:
    """How often trades won by how confident they were: bin, n, wins, said, won, low, high (Wilson; shares, 0–1)."""
    inside = and_(c.date.between(since, until), c.market == market, c.agent_name == agent)
    sums = (func.sum(c.trade_count), func.sum(c.win_count), func.sum(c.confidence_sum))
    names = ("n", "wins", "confidence")
    found = select(c.bin, *(column.label(name) for column, name in zip(sums, names, strict=True)))
    rows = frame(connection, found.where(inside).group_by(c.bin).order_by(c.bin)).astype(float)
    low, high = wilson(rows["wins"], rows["n"])
    return rows.assign(said=rows["confidence"] / rows["n"], won=rows["wins"] / rows["n"], low=low, high=high)


def over_markets(connection: Connection, since: date, until: date) -> pd.DataFrame:
    """Each agent's decisions over all markets: agent_name, decisions, wins, rating (mean of its ratings in each market,
    weighed by decisions: money of several currencies does not add up)."""
    return over_all_markets(
        frame(connection, _sums(_of_agents(since, until), p.agent_name, p.market)), ["agent_name"]
    )


def days_of_agents(connection: Connection, since: date, until: date) -> pd.DataFrame:
    """The sums behind each agent's days, for `over_all_markets`: agent_name, market, period_start and what adds up."""
    return frame(connection, _sums(_of_agents(since, until), p.agent_name, p.market, p.period_start))


def over_all_markets(sums: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """By these keys of sums: decisions, wins, rating, as `over_markets` has them."""
    numbers = [*SUMS, *MONEY, "contribution", "brier"]
    added = sums.astype(dict.fromkeys(numbers, float)).groupby([*keys, "market"])[numbers].sum(min_count=1)
    rows = _finished(added.fillna(dict.fromkeys((*SUMS, *MONEY), 0.0)).reset_index())
    weight = rows["total_decisions"].where(rows["performance_rating"].notna())
    rows = rows.assign(weight=weight, rated=weight * rows["performance_rating"])
    found = rows.groupby(keys)[["total_decisions", "wins", "weight", "rated"]].sum(min_count=1)
    found = found.assign(rating=found["rated"] / found["weight"]).rename(
        columns={"total_decisions": "decisions"}
    )
    return found[["decisions", "wins", "rating"]].reset_index()


def _of_agents(since: date, until: date) -> Any:
    return and_(_daily, p.period_start.between(since, until), p.agent_name.not_in((TEAM, UNATTRIBUTED)))


def underperformers(connection: Connection, until: date, min_trades: int = 10) -> pd.DataFrame:
    """Agents that lose money and more often than the others, over the 30 days to `until`, by market (docs/metrics.md).

    Columns of `contributions`, market, and others_rate: the win rate (in %) of the trades without that agent.
    """
    inside = and_(_daily, p.period_start.between(until - timedelta(days=29), until))
    rows = _finished(frame(connection, _sums(inside, p.agent_name, p.market)))
    team = rows[rows["agent_name"] == TEAM].set_index("market")
    mine = rows[~rows["agent_name"].isin([TEAM, UNATTRIBUTED])]
    wins = mine["market"].map(team["wins"]) - mine["wins"]
    decided = mine["market"].map(team["decided"]) - mine["decided"]
    mine = mine.assign(others_rate=100 * (wins / decided.where(decided > 0)).astype(float))
    under = (
        (mine["total_decisions"] >= min_trades)
        & (mine["total_pnl_attributed"] < 0)
        & (mine["high"] < mine["others_rate"])
    )
    return mine[under].sort_values(["market", "agent_name"], ignore_index=True)


def weekly(connection: Connection, metric: str, first: date, last: date) -> pd.DataFrame:
    """A headline per agent and ISO week between two Mondays: subject, week, value, std, n, part.

    Wins are counted over all markets.
    """
    if METRICS[metric].mean:
        return usage.weekly(connection, metric, first, last)
    rows = trend(connection, metric, first, last + timedelta(days=6), "week", last)
    wanted = ["subject", "week", "value", "std", "n", "part"]
    return rows.rename(columns={"period": "week"}).assign(std=np.nan)[wanted]


def _sums(inside: Any, *keys: Any) -> Any:
    """Sums over daily rows; a mean is weighed by what it is a mean of."""
    sums = {name: func.sum(p[name]) for name in (*SUMS, *MONEY)}
    sums["contribution"] = func.sum(p.avg_contribution_score * p.total_decisions)
    sums["brier"] = func.sum((1 - p.confidence_accuracy) * p.confidence_count)
    by = [getattr(key, "element", key) for key in keys]
    source = performance.join(BusinessDay, BusinessDay.day == p.period_start)
    found = select(*keys, *(column.label(name) for name, column in sums.items()))
    return found.select_from(source).where(inside).group_by(*by)


def _finished(rows: pd.DataFrame) -> pd.DataFrame:
    numbers = [*SUMS, *MONEY, "contribution", "brier"]
    rows = rows.astype(dict.fromkeys(numbers, float))
    decided = rows["wins"] + rows["losses"]
    low, high = wilson(rows["wins"], decided)
    confident = rows["confidence_count"]
    accuracy = 1 - rows["brier"] / confident.where(confident > 0)
    rating = performance_rating(
        rows["wins"], rows["losses"], accuracy, rows["attributed_gains"], rows["attributed_losses"]
    )
    return rows.assign(
        decided=decided,
        win_rate=100 * rows["wins"] / decided.where(decided > 0),
        low=100 * low,
        high=100 * high,
        avg_contribution_score=rows["contribution"] / rows["total_decisions"],
        confidence_accuracy=accuracy,
        performance_rating=np.where(rows["agent_name"] == UNATTRIBUTED, np.nan, rating)
        if "agent_name" in rows
        else rating,
    ).drop(columns=["contribution", "brier"])


def trend(
    connection: Connection, metric: str, since: date, until: date, grain: str, today: date
) -> pd.DataFrame:
    """A headline per agent and day or ISO week, over all markets: subject, period, value, low, high, n, part,
    unfinished."""
    chosen = METRICS[metric]
    if chosen.mean:
        return usage.metric_trend(connection, metric, since, until, grain, today)
    period = BusinessDay.week_start if grain == "week" else p.period_start
    inside = and_(
        _daily,
        p.period_start.between(since, until),
        p.agent_name.not_in((TEAM, UNATTRIBUTED)),
        p.wins + p.losses > 0,
    )
    rows = frame(connection, _sums(inside, p.agent_name.label("subject"), period.label("period")))
    rows = rows.assign(n=(rows["wins"] + rows["losses"]).astype(float), part=rows["wins"].astype(float))
    rows = with_interval(rows[["subject", "period", "n", "part"]], chosen)
    rows["period"] = rows["period"].map(as_date)
    rows["unfinished"] = [unfinished(start, grain, today) for start in rows["period"]]
    return rows.sort_values(["subject", "period"], ignore_index=True)
