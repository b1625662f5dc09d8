"""Agents in the weekly digest: money, calls and swaps, by hand; and what of them needs a person."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from agent_data import call, store, trade
from sqlalchemy import Engine, insert
from test_aggregate_models import Here
from told_weeks import BEFORE, MONDAY, WEEK, Weeks

from db.tables.agents import ModelEvolution, TradeRecord
from db.tables.usage import LlmUsage
from jobs.aggregate_agents import aggregate_agents
from jobs.job import DayParameters
from reports.context import Trouble


def noon(monday: date, k: int = 0) -> datetime:
    return datetime(monday.year, monday.month, monday.day, 3, tzinfo=UTC) + timedelta(days=k)


@pytest.fixture
def weeks(engine: Engine, tmp_path: Path) -> Weeks:
    """Four trades and three calls in the week, one of each before it."""
    made = Weeks(engine, tmp_path)
    pnl = ((100.0, {"news": 1}), (50.0, {"news": 1}), (-30.0, {"news": 1}), (-20.0, {"chart": 1}))
    trades = [trade(k, x, given, timestamp=noon(WEEK, k)) for k, (x, given) in enumerate(pnl)]
    store(engine, TradeRecord, [*trades, trade(9, -10.0, {"news": 1}, timestamp=noon(BEFORE))])
    calls = [
        call(1, timestamp=noon(WEEK), cost_usd=0.5, success=True),
        call(2, timestamp=noon(WEEK, 1), cost_usd=0.25, success=False),
        call(3, timestamp=noon(WEEK, 6)),
        call(4, timestamp=noon(BEFORE, 6), cost_usd=1.0),
    ]
    store(engine, LlmUsage, calls)
    settle(made)
    return made


def settle(made: Weeks) -> None:
    aggregate_agents(made.engine, DayParameters(), Here(MONDAY))
    made.settle()


def told(weeks: Weeks, **options: Any) -> str:
    return "\n".join(weeks.lines(**options))


def test_money_and_calls_beside_the_week_before(weeks: Weeks) -> None:
    text = told(weeks)
    assert (
        "KRX: P&L +100 (before −10.0), wins 50.0% (before 0.0%, n = 4); most news +120, least chart −20.0"
        in text
    )
    assert "LLM calls: 3 (before 1), 0.75 $ (before 1.00 $), 50.0% failed" in text
    assert "validated" not in text


def test_neither_trades_nor_calls_say_nothing(engine: Engine, tmp_path: Path) -> None:
    made = Weeks(engine, tmp_path)
    made.answers(WEEK, [8.0] * 5)
    settle(made)
    assert "Agents" not in told(made) and "LLM calls" not in told(made)


def test_a_week_without_what_the_week_before_had(weeks: Weeks) -> None:
    weeks.now = MONDAY + timedelta(weeks=1)
    weeks.answers(WEEK + timedelta(weeks=1), [8.0] * 5)
    settle(weeks)
    text = told(weeks, week=WEEK + timedelta(weeks=1))
    assert "KRX: P&L – (before +100), wins – (before 50.0%, n = 0)" in text
    assert "LLM calls: 0 (before 3), – $ (before 0.75 $)" in text


def swapped(engine: Engine, agent: str, at: datetime, **more: Any) -> int:
    row = {"agent_name": agent, "timestamp": at, "day": at.date(), "triggered_by": "automatic"}
    row |= {"old_model": "m1", "new_model": "m2", "reason": "cheaper"} | more
    with engine.begin() as connection:
        return int(
            connection.execute(insert(ModelEvolution).values(row).returning(ModelEvolution.id)).scalar_one()
        )


def test_swaps_that_were_validated_and_the_one_that_was_rolled_back(engine: Engine, weeks: Weeks) -> None:
    kept = {"status": "kept", "validated_at": noon(WEEK, 3)}
    swapped(engine, "chart", noon(WEEK, -4), **kept)
    swapped(engine, "news", noon(WEEK, -4), status="rolled_back", validated_at=noon(WEEK, 3))
    back = {"old_model": "m2", "new_model": "m1", "status": "kept", "rolls_back": noon(WEEK, -4)}
    swapped(engine, "news", noon(WEEK, 3), **back, reason="Rolled back: it fell")
    swapped(engine, "old", noon(WEEK, -14), status="kept", validated_at=noon(WEEK, -7))
    text = told(weeks)
    assert "2 swaps validated: 1 stays, 1 rolled back" in text
    assert "Needs a person: 1" in text and "news was rolled back to m1. Rolled back: it fell" in text
    assert "validated 2 swaps; rolled 1 swap back" in text


def test_what_a_person_took_back_needs_none_and_is_not_done_by_itself(engine: Engine, weeks: Weeks) -> None:
    swapped(engine, "news", noon(WEEK, 1), status="rolled_back", validated_at=noon(WEEK, 3))
    back = {"status": "kept", "rolls_back": noon(WEEK, 1), "triggered_by": "manual"}
    swapped(engine, "news", noon(WEEK, 3), **back, new_model="m1")
    text = told(weeks)
    assert "news was rolled back" not in text and "rolled 1 swap back" not in text


@pytest.mark.parametrize(
    ("budget", "line"),
    [
        (0.5, "Over budget: 1.75 $ of 0.50 $ spent this month"),
        (1.8, "Budget at risk: 1.75 $ of 1.80 $ spent this month"),
        (1_000.0, None),
        (None, None),
    ],
)
def test_the_month_s_budget(weeks: Weeks, budget: float | None, line: str | None) -> None:
    """1.75 $ of November are spent; the weekdays of the last four weeks have cost nothing as a rule."""
    weeks.values = {"monthly_budget_usd": budget}
    text = told(weeks)
    assert line in text if line else "udget" not in text


def test_who_underperforms_needs_a_person(engine: Engine, weeks: Weeks) -> None:
    bad = [trade(100 + k, -5.0, {"bad": 1}, timestamp=noon(WEEK, k % 6)) for k in range(12)]
    good = [trade(200 + k, 5.0, {"good": 1}, timestamp=noon(WEEK, k % 6)) for k in range(12)]
    store(engine, TradeRecord, bad + good)
    settle(weeks)
    text = told(weeks)
    assert "bad is underperforming. KRX: P&L −60.0; wins 0.0% of 12 (at most 24.2%)" in text
    assert "good is underperforming" not in text


def test_a_failed_job_comes_before_them(engine: Engine, weeks: Weeks) -> None:
    swapped(engine, "news", noon(WEEK, 2), status="rolled_back")
    swapped(engine, "news", noon(WEEK, 4), status="kept", rolls_back=noon(WEEK, 2), new_model="m1")
    text = told(weeks, troubles=(Trouble("match_outcomes failed", "no prices", "match_outcomes"),))
    assert text.index("match_outcomes failed") < text.index("news was rolled back")


def test_the_picture_is_of_the_market_with_most_trades(weeks: Weeks) -> None:
    message = weeks.digest(pictures=True)
    (picture,) = [block for block in message.blocks if getattr(block, "name", "") == "agents"]
    assert "P&L of agents in KRX" in picture.alt and "news" in picture.alt  # type: ignore[union-attr]


def test_a_market_that_is_quiet_now_stops_no_report(engine: Engine, weeks: Weeks) -> None:
    """It has most trades of all time, and none in the twelve weeks of the picture."""
    old = [trade(300 + k, 1.0, {"news": 1}, market="OLD", timestamp=noon(WEEK, -300)) for k in range(40)]
    store(engine, TradeRecord, old)
    settle(weeks)
    message = weeks.digest(pictures=True)
    assert not [block for block in message.blocks if getattr(block, "name", "") == "agents"]
    assert "KRX: P&L +100" in told(weeks) and "OLD" not in told(weeks)
