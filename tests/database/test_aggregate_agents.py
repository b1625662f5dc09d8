"""Days, weeks and months of agents against figures worked by hand and against pandas, and what a second run does."""

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from agent_data import NOON, SEOUL, call, calls_of, drawn_trades, store, trade, trades_of
from sqlalchemy import Engine, delete, insert, select, text, update
from test_aggregate_models import Here

import settings
from db.tables.agents import (
    NO_MARKET,
    TEAM,
    UNATTRIBUTED,
    AgentPerformance,
    DailyConfidence,
    ModelEvolution,
    SystemMetric,
    TradeRecord,
)
from db.tables.operations import StaleMark
from db.tables.usage import DailyLlmUsage, LlmUsage
from jobs import claims, queue
from jobs.agent_figures import SOURCES
from jobs.aggregate_agents import aggregate_agents
from jobs.formulas.ratings import performance_rating
from jobs.job import DayParameters, Outcome
from jobs.runner import execute
from jobs.timetable import HOURLY, JOBS, timetable
from jobs.workers import this_worker

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
DAY = date(2026, 11, 18)
FIGURES = (AgentPerformance, DailyConfidence, SystemMetric, DailyLlmUsage)


def aggregate(engine: Engine, now: datetime = NOW, **params: Any) -> Outcome:
    return aggregate_agents(engine, DayParameters(**params), Here(now))


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.execute(select(table.__table__).order_by(*table.__table__.primary_key.columns))
        return [dict(row) for row in found.mappings()]


def row(engine: Engine, table: Any, **key: Any) -> dict[str, Any]:
    (found,) = (r for r in rows(engine, table) if all(r[name] == value for name, value in key.items()))
    return found


def of(engine: Engine, agent: str, period: str = "day", market: str = "KRX") -> dict[str, Any]:
    return row(engine, AgentPerformance, agent_name=agent, period=period, market=market)


def without_times(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in r.items() if name != "updated_at"} for r in found]


@pytest.fixture
def by_hand(engine: Engine) -> Engine:
    """Four closed trades and an open one.

    news has 0.6 of 0.8 = 3/4 of +80 and all of −30: 60 − 30; chart has 1/4 of +80, all of 0.0 and of −10.
    """
    trades = [
        trade(
            1,
            80.0,
            {"news": 0.6, "chart": 0.2, "idle": 0.0},
            decision_confidence=0.9,
            decision_time_seconds=4,
        ),
        trade(2, -30.0, {"news": 0.5}, decision_confidence=0.6, decision_time_seconds=8),
        trade(3, 0.0, {"chart": 1}, decision_confidence=0.5),
        trade(4, -10.0, {"chart": 0.4}),
        trade(5, None, {"news": 1.0}, decision_confidence=1.0, human_intervened=True),
        trade(6, -7.0, {}, decision_confidence=0.2),
    ]
    store(engine, TradeRecord, trades)
    return engine


def test_an_agent_by_hand(by_hand: Engine) -> None:
    aggregate(by_hand)
    news = of(by_hand, "news")
    assert (news["period_start"], news["period_end"]) == (DAY, DAY)
    assert (news["total_decisions"], news["wins"], news["losses"], news["successful_decisions"]) == (
        2,
        1,
        1,
        1,
    )
    assert news["avg_contribution_score"] == pytest.approx(0.55)
    assert news["total_pnl_attributed"] == pytest.approx(60 - 30)
    assert (news["attributed_gains"], news["attributed_losses"]) == pytest.approx((60, 30))
    # Brier: (0.9 − 1)² = 0.01 and (0.6 − 0)² = 0.36, mean 0.185.
    assert (news["confidence_count"], news["confidence_accuracy"]) == (2, pytest.approx(0.815))
    # 100 × (0.4 × 1/2 + 0.3 × 0.815 + 0.3 × 60/90)
    assert news["performance_rating"] == pytest.approx(64.45)


def test_break_even_is_neither_won_nor_lost_and_missing_confidence_is_not_zero(by_hand: Engine) -> None:
    aggregate(by_hand)
    chart = of(by_hand, "chart")
    assert (chart["total_decisions"], chart["wins"], chart["losses"]) == (3, 1, 1)
    assert chart["avg_contribution_score"] == pytest.approx((0.2 + 1 + 0.4) / 3)
    assert chart["total_pnl_attributed"] == pytest.approx(20 - 10)
    # (0.9 − 1)² and (0.5 − 0)²: the trade without a confidence is in no mean.
    assert (chart["confidence_count"], chart["confidence_accuracy"]) == (2, pytest.approx(1 - 0.13))


def test_a_contribution_of_zero_takes_no_part(by_hand: Engine) -> None:
    aggregate(by_hand)
    assert {r["agent_name"] for r in rows(by_hand, AgentPerformance)} == {"news", "chart", UNATTRIBUTED, TEAM}


def test_what_nobody_did_has_a_row_without_a_rating_and_all_sums_to_the_trades(by_hand: Engine) -> None:
    aggregate(by_hand)
    nobody, team = of(by_hand, UNATTRIBUTED), of(by_hand, TEAM)
    assert (nobody["total_pnl_attributed"], nobody["performance_rating"]) == (-7, None)
    assert nobody["avg_contribution_score"] == 1
    assert (team["total_decisions"], team["wins"], team["losses"]) == (5, 1, 3)
    assert team["total_pnl_attributed"] == pytest.approx(80 - 30 - 10 - 7)
    agents = [r for r in rows(by_hand, AgentPerformance) if r["period"] == "day" and r["agent_name"] != TEAM]
    assert sum(r["total_pnl_attributed"] for r in agents) == pytest.approx(team["total_pnl_attributed"])


def test_system_metrics_by_hand(by_hand: Engine) -> None:
    swap = {"agent_name": "news", "timestamp": NOON, "day": DAY, "new_model": "m2"}
    store(
        by_hand,
        ModelEvolution,
        [
            swap | {"triggered_by": "automatic", "rolls_back": None},
            swap | {"timestamp": NOON + timedelta(hours=1), "triggered_by": "manual", "rolls_back": None},
            swap | {"timestamp": NOON + timedelta(hours=2), "triggered_by": "automatic", "rolls_back": NOON},
        ],
    )
    store(by_hand, LlmUsage, [call(1, cost_usd=0.5), call(2, cost_usd=0.25), call(3, model="m2")])
    aggregate(by_hand)
    market, own = (row(by_hand, SystemMetric, market=name) for name in ("KRX", ""))
    assert (market["total_trades"], market["wins"], market["losses"], market["win_rate"]) == (5, 1, 3, 0.25)
    assert market["total_pnl"] == pytest.approx(33)
    assert (market["decision_time_count"], market["avg_decision_time_seconds"]) == (2, pytest.approx(6))
    # 0.8 on the winning trade of 0.8 + 0.5 + 1 + 0.4 on all that somebody took part in
    assert market["agent_efficiency_score"] == pytest.approx(0.8 / 2.7)
    assert (market["human_interventions"], market["auto_improvements"]) == (1, 0)
    assert (market["total_cost_usd"], market["model_diversity_index"]) == (None, None)
    assert (own["total_trades"], own["total_pnl"], own["win_rate"]) == (0, None, None)
    assert own["total_cost_usd"] == pytest.approx(0.75)
    entropy = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)) / math.log(2)
    assert own["model_diversity_index"] == pytest.approx(entropy)
    assert (own["auto_improvements"], own["human_interventions"]) == (1, 1)  # a rollback is neither


def test_confidence_in_ten_bins(by_hand: Engine) -> None:
    store(by_hand, TradeRecord, [trade(7, 1.0, {"news": 1}, decision_confidence=1.0)])
    aggregate(by_hand)
    found = {r["bin"]: r for r in rows(by_hand, DailyConfidence) if r["agent_name"] == TEAM}
    assert {k: (r["trade_count"], r["win_count"]) for k, r in found.items()} == {
        2: (1, 0), 5: (1, 0), 6: (1, 0), 9: (2, 2),
    }  # fmt: skip
    assert found[9]["confidence_sum"] == pytest.approx(1.9)


def test_a_market_without_a_name_is_not_the_row_without_a_market(engine: Engine) -> None:
    store(engine, TradeRecord, [trade(1, 5.0, {"a": 1}, market="")])
    aggregate(engine)
    assert of(engine, "a", market=NO_MARKET)["wins"] == 1
    assert [r["market"] for r in rows(engine, SystemMetric)] == [NO_MARKET]


def test_usage_by_hand(engine: Engine) -> None:
    """Four calls: 100, 200 and 400 ms that did not fail (one of them unknown), 9,000 ms that did."""
    store(
        engine,
        LlmUsage,
        [
            call(1, response_time_ms=100, success=True, prompt_tokens=10, completion_tokens=5, tokens_used=15)
            | {"cost_usd": 1},
            call(2, response_time_ms=200, success=None, tokens_used=20, cost_usd=3, cost_computed=True),
            call(3, response_time_ms=400, success=True, prompt_tokens=7, completion_tokens=3),
            call(4, response_time_ms=9000, success=False),
        ],
    )  # fmt: skip
    aggregate(engine)
    found = row(engine, DailyLlmUsage, date=DAY)
    assert (found["calls"], found["known_count"], found["failures"]) == (4, 3, 1)
    assert (found["prompt_tokens"], found["completion_tokens"], found["tokens"]) == (17, 8, 45)
    assert (found["cost_count"], found["computed_count"], found["cost_usd"]) == (2, 1, 4)
    assert (found["cost_mean"], found["cost_max"]) == (2, 3)
    assert found["cost_std"] == pytest.approx(math.sqrt(2))
    assert (found["latency_count"], found["latency_mean_ms"]) == (3, pytest.approx(700 / 3))
    # Between ranks: 0.95 × 2 = 1.9, so 200 + 0.9 × 200.
    assert (found["latency_p50_ms"], found["latency_p95_ms"]) == (200, pytest.approx(380))


def test_what_is_unknown_in_every_call_stays_unknown(engine: Engine) -> None:
    store(engine, LlmUsage, [call(1), call(2)])
    aggregate(engine)
    found = row(engine, DailyLlmUsage, date=DAY)
    unknown = (
        "tokens",
        "prompt_tokens",
        "cost_usd",
        "cost_std",
        "latency_mean_ms",
        "latency_p50_ms",
        "latency_p95_ms",
    )
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert (found["calls"], found["known_count"], found["failures"], found["cost_count"]) == (2, 0, 0, 0)
    assert row(engine, SystemMetric, market="")["total_cost_usd"] is None


def expected(trades: list[dict[str, Any]], start: Any) -> pd.DataFrame:
    """agent_performance in pandas: `start` gives a trade's period."""
    parts = []
    for k, one in enumerate(trades):
        if one["pnl"] is None:
            continue
        given = {name: c for name, c in one["agent_contributions"].items() if c > 0} or {UNATTRIBUTED: 1.0}
        market = one["market"] or NO_MARKET
        for name, c in [*given.items(), (TEAM, float("nan"))]:
            share = 1.0 if name == TEAM else c / sum(given.values())
            parts.append(
                {
                    "trade": k,
                    "agent_name": name,
                    "market": market,
                    "period_start": start(one["day"]),
                    "contribution": c,
                    "mine": one["pnl"] * share,
                    "won": one["pnl"] > 0,
                    "lost": one["pnl"] < 0,
                    "confidence": one["decision_confidence"],
                }
            )
    frame = pd.DataFrame(parts)
    frame["confidence"] = frame["confidence"].astype(float)
    frame["brier"] = (frame["confidence"] - frame["won"]) ** 2
    groups = frame.groupby(["agent_name", "market", "period_start"])
    result = pd.DataFrame(
        {
            "total_decisions": groups.size(),
            "wins": groups["won"].sum(),
            "losses": groups["lost"].sum(),
            "avg_contribution_score": groups["contribution"].mean(),
            "total_pnl_attributed": groups["mine"].sum(),
            "attributed_gains": groups["mine"].apply(lambda x: x[x > 0].sum()),
            "attributed_losses": groups["mine"].apply(lambda x: -x[x < 0].sum()),
            "confidence_count": groups["confidence"].count(),
            "confidence_accuracy": 1 - groups["brier"].mean(),
        }
    )
    names = ("wins", "losses", "confidence_accuracy", "attributed_gains", "attributed_losses")
    result["performance_rating"] = performance_rating(*(result[name] for name in names))
    result.loc[result.index.get_level_values(0) == UNATTRIBUTED, "performance_rating"] = None
    return result


def assert_as_in_pandas(engine: Engine, trades: list[dict[str, Any]]) -> None:
    starts = {
        "day": lambda day: day,
        "week": lambda day: day - timedelta(days=day.weekday()),
        "month": lambda day: day.replace(day=1),
    }
    held = pd.DataFrame(rows(engine, AgentPerformance))
    for period, start in starts.items():
        wanted = expected(trades, start).sort_index()
        found = (
            held[held["period"] == period].set_index(["agent_name", "market", "period_start"]).sort_index()
        )
        assert list(found.index) == list(wanted.index)
        for name in wanted:
            pd.testing.assert_series_equal(
                found[name].astype(float), wanted[name].astype(float), check_index=False, rtol=1e-9, atol=1e-9
            )


def test_days_weeks_and_months_as_in_pandas(engine: Engine) -> None:
    trades = drawn_trades(seed=1, n=600)
    store(engine, TradeRecord, trades)
    aggregate(engine)
    assert_as_in_pandas(engine, trades)


@pytest.mark.parametrize("file", ["aitrader_nasdaq100_2025", "freqtrade_backtest"])
def test_real_trades_as_in_pandas(engine: Engine, shared_data: Path, file: str) -> None:
    trades = trades_of(shared_data / f"E_trade_records__{file}.csv")
    store(engine, TradeRecord, trades)
    aggregate(engine)
    assert_as_in_pandas(engine, trades)


def test_real_calls_as_in_pandas(engine: Engine, shared_data: Path) -> None:
    calls = calls_of(shared_data / "C_llm_usage_log__aider_2024-08_2025-03.csv")
    store(engine, LlmUsage, calls)
    aggregate(engine)
    frame = pd.DataFrame(calls)
    for name in ("success", "cost_usd", "response_time_ms", "tokens_used"):
        frame[name] = frame[name].astype(float)
    fine = frame["response_time_ms"].where(frame["success"] != 0)
    groups = frame.assign(fine=fine).groupby(["day", "agent_name", "provider", "model"])
    wanted = pd.DataFrame(
        {
            "calls": groups.size(),
            "failures": groups["success"].apply(lambda x: (x == 0).sum()),
            "tokens": groups["tokens_used"].sum(min_count=1),
            "cost_usd": groups["cost_usd"].sum(min_count=1),
            "latency_mean_ms": groups["fine"].mean(),
            "latency_p50_ms": groups["fine"].quantile(0.5),
            "latency_p95_ms": groups["fine"].quantile(0.95),
        }
    ).sort_index()
    held = (
        pd.DataFrame(rows(engine, DailyLlmUsage))
        .set_index(["date", "agent_name", "provider", "model"])
        .sort_index()
    )
    assert list(held.index) == list(wanted.index)
    for name in wanted:
        pd.testing.assert_series_equal(
            held[name].astype(float),
            wanted[name].astype(float),
            check_index=False,
            check_names=False,
            rtol=1e-9,
        )


def test_percentiles_as_in_numpy(engine: Engine) -> None:
    calls = [call(k, response_time_ms=float(k * k % 97), model=f"m{k % 3}", success=True) for k in range(200)]
    store(engine, LlmUsage, calls)
    aggregate(engine)
    frame = pd.DataFrame(calls).groupby("model")["response_time_ms"]
    for found in rows(engine, DailyLlmUsage):
        wanted = frame.get_group(found["model"]).quantile([0.5, 0.95])
        assert [found["latency_p50_ms"], found["latency_p95_ms"]] == pytest.approx(list(wanted))


def test_the_order_of_rows_does_not_matter(engine: Engine, another_engine: Engine) -> None:
    trades = drawn_trades(seed=2, n=200)
    store(engine, TradeRecord, trades)
    store(another_engine, TradeRecord, trades[::-1])
    aggregate(engine)
    aggregate(another_engine)
    for table in FIGURES:
        one, other = (without_times(rows(found, table)) for found in (engine, another_engine))
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            for name, value in mine.items():
                number = isinstance(value, float)
                assert value == (pytest.approx(theirs[name], rel=1e-9, abs=1e-6) if number else theirs[name])


def test_twice_changes_nothing_and_takes_the_marks_off(by_hand: Engine) -> None:
    store(by_hand, LlmUsage, [call(1, cost_usd=1)])
    assert aggregate(by_hand).rows_written > 0
    before = {table: rows(by_hand, table) for table in FIGURES}
    later = NOW + timedelta(hours=1)
    assert aggregate(by_hand, later).rows_written == 0
    assert aggregate(by_hand, later, day=DAY).rows_written == 0
    assert {table: rows(by_hand, table) for table in FIGURES} == before
    with by_hand.connect() as connection:
        left = connection.execute(select(StaleMark).where(StaleMark.table_name.in_(SOURCES))).all()
    assert left == []


def test_what_goes_or_is_corrected_goes_from_the_figures(by_hand: Engine) -> None:
    aggregate(by_hand)
    with by_hand.begin() as connection:
        connection.execute(delete(TradeRecord).where(TradeRecord.trade_id != "t2"))
        connection.execute(update(TradeRecord).values(pnl=4.0))
    aggregate(by_hand)
    assert {r["agent_name"] for r in rows(by_hand, AgentPerformance)} == {"news", TEAM}
    assert [of(by_hand, "news", period)["total_pnl_attributed"] for period in ("day", "week", "month")] == [
        4,
        4,
        4,
    ]
    with by_hand.begin() as connection:
        connection.execute(delete(TradeRecord))
    aggregate(by_hand)
    assert [rows(by_hand, table) for table in FIGURES] == [[], [], [], []]


def test_a_dry_run_writes_nothing_and_says_what_would_come(by_hand: Engine) -> None:
    outcome = aggregate(by_hand, dry_run=True)
    assert [rows(by_hand, table) for table in FIGURES] == [[], [], [], []]
    assert outcome.result["added"] == 4
    assert outcome.summary == "Dry run. 1 day: 4 rows would be added, 0 changed, 0 removed"


def test_rows_that_come_by_plain_sql_count_too(engine: Engine) -> None:
    """Without a day, and with contributions that are no numbers: these take no part."""
    given = '{"a": 0.5, "b": "0.5", "c": true, "*": 1}'
    zone = "+00" if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO trade_records (trade_id, timestamp, market, side, pnl, agent_contributions) "
                f"VALUES ('x', '2026-11-18 03:00:00{zone}', 'KRX', 'sell', 5, '{given}')".replace(":", "\\:")
            )
        )
    aggregate(engine)
    found = {
        r["agent_name"]: r["total_pnl_attributed"]
        for r in rows(engine, AgentPerformance)
        if r["period"] == "day"
    }
    assert found == {"a": 5, TEAM: 5}


def test_contributions_that_are_no_object_are_refused_by_the_database(engine: Engine) -> None:
    with pytest.raises(Exception, match="agent_contributions"), engine.begin() as connection:
        connection.execute(insert(TradeRecord), [trade(1, 5.0, [1, 2])])  # type: ignore[arg-type]


def test_an_hourly_run_that_changed_nothing_is_followed_by_nothing(by_hand: Engine) -> None:
    """Of twenty-four a day few have anything to do; the first one here had."""
    asked = {entry.job.name for entry in timetable(settings.load()) if entry.hourly}
    assert asked == set(HOURLY)
    jobs = []
    for _turn in range(2):
        job = JOBS["aggregate_agents"]
        queue.request(by_hand, job, job.read({}), trigger="schedule", by="", now=NOW)
        while claimed := claims.claim(by_hand, this_worker(), NOW):
            assert execute(by_hand, claimed, SEOUL, lambda: NOW) == "succeeded"
            jobs.append(claimed.job)
    assert jobs == ["aggregate_agents", "judge_week", "aggregate_agents"]
