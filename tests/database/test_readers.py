"""What programs read of agents, over rows of the aggregated tables that are written by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, insert

from db import readers
from db.tables.agents import TEAM, UNATTRIBUTED, AgentPerformance, ModelEvolution, SystemMetric
from db.tables.usage import DailyLlmUsage

NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # the 21st in Seoul
TODAY = date(2026, 11, 21)


def performance(agent: str, day: date, wins: int, losses: int, pnl: float, **others: Any) -> dict[str, Any]:
    row = {
        "agent_name": agent,
        "market": "KRX",
        "period": "day",
        "period_start": day,
        "period_end": day,
        "total_decisions": wins + losses,
        "successful_decisions": wins,
        "wins": wins,
        "losses": losses,
        "avg_contribution_score": 0.5,
        "total_pnl_attributed": pnl,
        "attributed_gains": max(pnl, 0.0),
        "attributed_losses": max(-pnl, 0.0),
        "confidence_count": 0,
        "confidence_accuracy": None,
        "performance_rating": None,
        "updated_at": NOW,
    }
    return row | others


def usage(day: date, agent: str = "scout", **others: Any) -> dict[str, Any]:
    row = {
        "date": day,
        "agent_name": agent,
        "provider": "p",
        "model": "m",
        "calls": 4,
        "known_count": 4,
        "failures": 1,
        "prompt_tokens": None,
        "completion_tokens": None,
        "tokens": 5_000_000_000,
        "cost_count": 2,
        "computed_count": 1,
        "cost_usd": 3.0,
        "cost_mean": 1.5,
        "cost_std": None,
        "cost_max": None,
        "latency_count": 3,
        "latency_mean_ms": 10.0,
        "latency_p50_ms": None,
        "latency_p95_ms": None,
        "updated_at": NOW,
    }
    return row | others


def write(engine: Engine, table: Any, *rows: dict[str, Any]) -> None:
    with engine.begin() as connection:
        connection.execute(insert(table), list(rows))


READERS = {
    "get_agent_performance": ("scout",),
    "get_llm_usage_stats": (),
    "get_model_evolution_history": ("scout",),
    "get_system_metrics": (),
    "get_agent_contribution_analysis": (),
    "get_underperforming_agents": (),
}


@pytest.mark.parametrize("name", READERS)
def test_a_frame_without_rows_has_the_columns_that_are_documented(engine: Engine, name: str) -> None:
    read = getattr(readers, name)
    found = read(*READERS[name], engine=engine, now=NOW)
    assert len(found) == 0
    told = " ".join((read.__doc__ or "").split())
    assert [column for column in found.columns if column not in told] == []
    assert "object" not in set(map(str, found.dtypes))
    assert list(read(*READERS[name]).columns) == list(found.columns)  # the engine and the moment of settings


def test_performance_of_an_agent(engine: Engine) -> None:
    days = [TODAY - timedelta(days=back) for back in (0, 29, 30)]
    write(
        engine,
        AgentPerformance,
        *(performance("scout", day, 3, 1, 2.5, performance_rating=80.0) for day in days),
        performance("scout", TODAY, 1, 0, 1.0, market="NASDAQ"),
        performance("scout", date(2026, 11, 16), 9, 9, 9.0, period="week"),
        performance("judge", TODAY, 1, 0, 1.0),
    )
    found = readers.get_agent_performance("scout", engine=engine, now=NOW)
    assert list(found["market"]) == ["KRX", "KRX", "NASDAQ"]
    assert list(found["date"]) == [pd.Timestamp(days[1]), pd.Timestamp(TODAY), pd.Timestamp(TODAY)]
    assert (found["wins"].sum(), found["wins"].dtype) == (7, "Int64")
    assert found["performance_rating"].isna().tolist() == [False, False, True]
    assert len(readers.get_agent_performance("scout", 1, engine=engine, now=NOW)) == 2


def test_usage_of_a_week(engine: Engine) -> None:
    other = usage(TODAY - timedelta(days=6), latency_count=1, latency_mean_ms=30.0, cost_usd=1.0)
    nothing = {"known_count": 0, "failures": 0, "cost_count": 0, "cost_usd": None, "tokens": None}
    unknown = usage(TODAY, "unknown", latency_count=0, latency_mean_ms=None, **nothing)
    write(engine, DailyLlmUsage, usage(TODAY), other, unknown, usage(TODAY - timedelta(days=7)))
    found = readers.get_llm_usage_stats(engine=engine, now=NOW)
    first, second = found.to_dict("records")
    assert (first["calls"], first["failure_rate"], first["tokens"]) == (8, 0.25, 10_000_000_000)
    assert (first["cost_usd"], first["avg_cost_usd"], first["latency_mean_ms"]) == (4.0, 1.0, 15.0)
    assert second["calls"] == 4
    assert all(pd.isna(second[name]) for name in ("failure_rate", "tokens", "cost_usd", "latency_mean_ms"))


def test_history_and_system(engine: Engine) -> None:
    swap = {"agent_name": "scout", "triggered_by": "manual", "new_model": "n", "day": TODAY}
    write(engine, ModelEvolution, *(swap | {"timestamp": NOW - timedelta(days=back)} for back in (400, 1)))
    found = readers.get_model_evolution_history("scout", engine=engine)
    assert list(found["timestamp"]) == [NOW - timedelta(days=1), NOW - timedelta(days=400)]
    day = {"total_trades": 3, "wins": 2, "losses": 1, "win_rate": 2 / 3, "decision_time_count": 0}
    day |= {"auto_improvements": 0, "human_interventions": 0, "updated_at": NOW}
    write(engine, SystemMetric, *({"date": TODAY, "market": market} | day for market in ("KRX", "")))
    found = readers.get_system_metrics(engine=engine, now=NOW)
    assert list(found["market"]) == ["", "KRX"]
    assert found["total_cost_usd"].isna().all()


def test_contributions_of_a_month(engine: Engine) -> None:
    yesterday = TODAY - timedelta(days=1)
    write(
        engine,
        AgentPerformance,
        performance("scout", TODAY, 3, 1, 2.0, avg_contribution_score=1.0),
        performance("scout", yesterday, 0, 1, -0.5, avg_contribution_score=0.5),
        performance("judge", TODAY, 0, 0, 0.0, total_decisions=2),
        performance(UNATTRIBUTED, TODAY, 1, 0, 9.0),
        performance(TEAM, TODAY, 4, 1, 11.0),
    )
    found = readers.get_agent_contribution_analysis(engine=engine, now=NOW)
    assert list(found["agent_name"]) == [UNATTRIBUTED, "scout", "judge"]
    scout, judge = found.to_dict("records")[1:]
    assert (scout["win_rate"], scout["avg_contribution_score"]) == (0.6, 0.9)
    assert (scout["total_pnl_attributed"], scout["attributed_gains"], scout["attributed_losses"]) == (
        1.5,
        2,
        0.5,
    )
    assert pd.isna(judge["win_rate"])


def test_who_clearly_does_worse_than_the_rest(engine: Engine) -> None:
    """Of 30 trades of the team 20 were won, 2 of 12 with the poor agent: 18 of 18 without, Wilson's end 0.448."""
    old = TODAY - timedelta(days=30)
    write(
        engine,
        AgentPerformance,
        performance(TEAM, TODAY, 20, 10, 5.0),
        performance("poor", TODAY, 2, 10, -4.0),
        performance("lucky", TODAY, 2, 10, 4.0),  # its losses are small
        performance("rare", TODAY, 0, 9, -4.0),  # 9 decisions
        performance("level", TODAY, 8, 4, -4.0),  # 12 of 18 without: level
        performance(UNATTRIBUTED, TODAY, 0, 12, -9.0),
        performance(TEAM, old, 100, 900, 0.0),
        performance("poor", TODAY, 2, 10, -4.0, market="NASDAQ"),  # it is the team
        performance(TEAM, TODAY, 2, 10, -4.0, market="NASDAQ"),
    )
    found = readers.get_underperforming_agents(engine=engine, now=NOW)
    (poor,) = found.to_dict("records")
    assert (poor["market"], poor["agent_name"], poor["team_win_rate"]) == ("KRX", "poor", 1.0)
    assert (poor["win_rate"], poor["win_rate_high"]) == pytest.approx((1 / 6, 0.448), abs=5e-4)
    several = readers.get_underperforming_agents(9, engine=engine, now=NOW)
    assert list(several["agent_name"]) == ["poor", "rare"]
    assert list(readers.get_underperforming_agents(13, engine=engine, now=NOW)["agent_name"]) == []
