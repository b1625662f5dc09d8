"""The demo's swaps: what the daily check would have made of each, and the rows of all its agents."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, insert, update

from db.clock import business_day, to_utc
from db.demo.agents import AGENTS, Agent, Row, calls, trades
from db.tables.agents import AgentAssignment, ModelEvolution, TradeRecord
from db.tables.usage import LlmUsage
from jobs.formulas.swaps import ROLLED_BACK, Decisions, Judged, decisions, judge_swap
from language import _

SWAPPED_AT, CHECKED_AT = time(8, 30), time(17, 20)
PERIOD = timedelta(days=7)
THRESHOLD = -0.1
BATCH_ROWS = 5_000


def store_agents(connection: Connection, zone: ZoneInfo, now: datetime, days: int) -> int:
    """Stores a simulated year of trades, calls and swaps; returns how many rows of sources it has."""
    backs = {agent.name: ago for agent in AGENTS if (ago := _would_be_back(agent)) is not None}
    traded = trades(zone, now, days, backs)
    connection.execute(insert(TradeRecord), traded)
    written = len(traded)
    batch: list[Row] = []
    for row in calls(zone, now, days, backs):
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            connection.execute(insert(LlmUsage), batch)
            written, batch = written + len(batch), []
    if batch:
        connection.execute(insert(LlmUsage), batch)
    return written + len(batch) + _store_swaps(connection, traded, zone, now, days)


def _would_be_back(agent: Agent) -> int | None:
    """How many days ago its swap was taken back, as the story has it."""
    return agent.swap.days_ago - PERIOD.days if agent.swap and agent.swap.skill < 0 else None


def _store_swaps(connection: Connection, traded: list[Row], zone: ZoneInfo, now: datetime, days: int) -> int:
    """History and assignments; each swap is validated at the first check after its period."""
    today, written = business_day(now, zone), 0
    for agent in AGENTS:
        runs_on, since = agent.model, to_utc(datetime.combine(today - timedelta(days=days), SWAPPED_AT), zone)
        swap = agent.swap
        if swap:
            runs_on, since = (
                swap.to,
                to_utc(datetime.combine(today - timedelta(days=swap.days_ago), SWAPPED_AT), zone),
            )
            row = _row(agent, since, zone)
            number = connection.execute(
                insert(ModelEvolution).values(row).returning(ModelEvolution.id)
            ).scalar_one()
            written += 1
            checked = to_utc(datetime.combine(business_day(since + PERIOD, zone), CHECKED_AT), zone)
            if checked <= now and _validate(connection, number, row, traded, checked, zone):
                runs_on, since = agent.model, checked
                written += 1
        held = {"provider": runs_on.provider, "model": runs_on.name, "role": agent.role, "since": since}
        connection.execute(insert(AgentAssignment), [{"agent_name": agent.name, "updated_at": since} | held])
    return written


def _row(agent: Agent, at: datetime, zone: ZoneInfo) -> Row:
    assert agent.swap is not None
    return {
        "timestamp": at,
        "day": business_day(at, zone),
        "agent_name": agent.name,
        "old_provider": agent.model.provider,
        "old_model": agent.model.name,
        "new_provider": agent.swap.to.provider,
        "new_model": agent.swap.to.name,
        "reason": agent.swap.reason,
        "triggered_by": agent.swap.by,
        "status": "validating",
        "updated_at": at,
    }


def _validate(
    connection: Connection, number: int, row: Row, traded: Iterable[Row], checked: datetime, zone: ZoneInfo
) -> bool:
    """Gives the swap its status as check_swaps would; whether it was rolled back."""
    before, after = _sides(row, traded)
    judged = judge_swap(before, after, THRESHOLD, True, seed=number)
    values = {
        "status": judged.status,
        "verdict": judged.verdict,
        "validated_at": checked,
        "updated_at": checked,
    }
    values |= _figures(judged) | {"decisions_before": len(before), "decisions_after": len(after)}
    connection.execute(update(ModelEvolution).where(ModelEvolution.id == number).values(values))
    if judged.status != ROLLED_BACK:
        return False
    back = {
        f"{new}_{what}": row[f"{old}_{what}"]
        for new, old in (("new", "old"), ("old", "new"))
        for what in WHAT
    }
    reason = _(
        "Rolled back: the rating fell from {before:.1f} to {after:.1f} ({change:+.0%}; n = {n} / {m})"
    ).format(before=judged.before, after=judged.after, change=judged.change, n=len(before), m=len(after))
    more = {
        "timestamp": checked,
        "day": business_day(checked, zone),
        "status": "kept",
        "rolls_back": row["timestamp"],
    }
    more |= {"reason": reason, "triggered_by": "automatic", "updated_at": checked}
    connection.execute(insert(ModelEvolution).values(row | back | more))
    return True


WHAT = ("provider", "model")


def _figures(judged: Judged) -> Row:
    figures = {
        "observed_change": judged.change,
        "performance_improvement": judged.change,
        "rating_before": judged.before,
        "rating_after": judged.after,
        "difference_low": judged.low,
        "difference_high": judged.high,
    }
    return {name: None if np.isnan(value) else value for name, value in figures.items()}


def _sides(row: Row, traded: Iterable[Row]) -> tuple[Decisions, Decisions]:
    """The agent's part in the closed trades of the two periods, as jobs.swap_evidence finds it."""
    at, agent = row["timestamp"], row["agent_name"]
    mine = [
        one
        for one in traded
        if one["pnl"] is not None
        and at - PERIOD <= one["timestamp"] < at + PERIOD
        and one["agent_contributions"].get(agent, 0) > 0
    ]
    amounts: defaultdict[str, list[float]] = defaultdict(list)
    for one in mine:
        amounts[one["market"]].append(abs(_pnl(one, agent)))
    usual = {market: float(np.mean(found)) or 1.0 for market, found in amounts.items()}
    before, after = ([one for one in mine if (one["timestamp"] < at) is early] for early in (True, False))
    return _side(before, agent, usual), _side(after, agent, usual)


def _side(rows: list[Row], agent: str, usual: dict[str, float]) -> Decisions:
    won = [np.nan if row["pnl"] == 0 else float(row["pnl"] > 0) for row in rows]
    accuracy = [1 - (row["decision_confidence"] - (row["pnl"] > 0)) ** 2 for row in rows]
    return decisions(won, accuracy, [_pnl(row, agent) / usual[row["market"]] for row in rows])


def _pnl(row: Row, agent: str) -> float:
    given: dict[str, Any] = row["agent_contributions"]
    return float(row["pnl"] * given[agent] / sum(given.values()))
