"""What pages ask of agents, calls and swaps: by hand, and against pandas over rows drawn at random."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from agent_data import NOON, call, drawn_trades, store, trade
from sqlalchemy import Engine, insert
from test_aggregate_models import Here

from db.engine import reading
from db.queries import agent_models, agents, budget, swaps, usage
from db.tables.agents import AgentAssignment, ModelEvolution, TradeRecord
from db.tables.usage import LlmUsage
from jobs.aggregate_agents import aggregate_agents
from jobs.formulas.intervals import wilson
from jobs.job import DayParameters

TODAY = date(2026, 11, 18)
NOW = NOON + timedelta(hours=6)
DAY = timedelta(days=1)
FIRST = TODAY - 13 * DAY
SPAN = {"since": FIRST, "until": TODAY}


def aggregate(engine: Engine) -> None:
    aggregate_agents(engine, DayParameters(), Here(NOW))


def ask(engine: Engine, query: Any, **asked: Any) -> Any:
    with reading(engine) as connection:
        return query(connection, **asked)


@pytest.fixture
def drawn(engine: Engine) -> pd.DataFrame:
    """Random trades; the part of each agent in each closed one, some to a row."""
    rows = drawn_trades(7, 500)
    store(engine, TradeRecord, rows)
    aggregate(engine)
    parts = []
    for row in rows:
        given = {name: share for name, share in row["agent_contributions"].items() if share > 0}
        if row["pnl"] is None or not FIRST <= row["day"] <= TODAY:
            continue
        total = sum(given.values())
        for name, share in (given or {agents.NOBODY: 1.0}).items():
            pnl = row["pnl"] * share / (total or 1.0)
            parts.append(row | {"agent_name": name, "share": share, "mine": pnl})
        parts.append(row | {"agent_name": agents.EVERYBODY, "share": np.nan, "mine": row["pnl"]})
    return pd.DataFrame(parts)


@pytest.mark.parametrize("market", ["KRX", "NASDAQ"])
def test_contributions_are_those_of_pandas(engine: Engine, drawn: pd.DataFrame, market: str) -> None:
    found = ask(engine, agents.contributions, market=market, **SPAN).set_index("agent_name")
    mine = drawn[drawn["market"] == market]
    groups = mine.groupby("agent_name")
    assert set(found.index) == set(groups.groups)
    won, lost = (mine[sign].groupby("agent_name").size() for sign in (mine["pnl"] > 0, mine["pnl"] < 0))
    wins, losses = (side.reindex(found.index).fillna(0) for side in (won, lost))
    assert list(found["total_decisions"]) == list(groups.size().reindex(found.index))
    assert list(found["wins"]) == list(wins) and list(found["losses"]) == list(losses)
    assert list(found["win_rate"]) == pytest.approx(list(100 * wins / (wins + losses)))
    low, high = wilson(wins, wins + losses)
    assert list(found["low"]) == pytest.approx(list(100 * low))
    assert list(found["high"]) == pytest.approx(list(100 * high))
    money = groups["mine"].sum().reindex(found.index)
    assert list(found["total_pnl_attributed"]) == pytest.approx(list(money), rel=1e-9, abs=1e-6)
    sure = mine[mine["decision_confidence"].notna()].astype({"decision_confidence": float})
    brier = ((sure["decision_confidence"] - (sure["pnl"] > 0)) ** 2).groupby(sure["agent_name"]).mean()
    assert list(found["confidence_accuracy"]) == pytest.approx(list(1 - brier.reindex(found.index)))


def test_money_over_time_ends_with_the_sum_whatever_the_step(engine: Engine, drawn: pd.DataFrame) -> None:
    whole = ask(engine, agents.contributions, market="KRX", **SPAN).set_index("agent_name")
    first, last = date(2026, 11, 2), TODAY  # the week runs over the days
    for grain, since in (("day", FIRST), ("week", first)):
        rows = ask(
            engine, agents.money_over_time, since=since, until=last, grain=grain, today=TODAY, market="KRX"
        )
        periods = rows.groupby("agent_name")["period"].agg(["nunique", "min", "max"])
        assert periods.loc["*", "nunique"] == (14 if grain == "day" else 3)
        # Each line begins with its agent's first trade, and has no gap after it.
        step = 1 if grain == "day" else 7
        assert all(
            (row["max"] - row["min"]).days == step * (row["nunique"] - 1) for _k, row in periods.iterrows()
        )
        if grain == "day":
            ends = rows.groupby("agent_name")["total"].last()
            money = whole["total_pnl_attributed"].reindex(ends.index)
            assert list(ends) == pytest.approx(list(money), rel=1e-9, abs=1e-6)
        added = rows.groupby("agent_name")["pnl"].cumsum()
        assert list(rows["total"]) == pytest.approx(list(added))


def test_confidence_in_tenths(engine: Engine, drawn: pd.DataFrame) -> None:
    found = ask(engine, agents.confidence, market="KRX", agent="agent-1", **SPAN).set_index("bin")
    mine = drawn[(drawn["market"] == "KRX") & (drawn["agent_name"] == "agent-1")]
    mine = mine[mine["decision_confidence"].notna()].astype({"decision_confidence": float})
    bins = np.minimum((mine["decision_confidence"] * 10 + 1e-9).astype(int), 9)
    assert dict(found["n"]) == dict(mine.groupby(bins).size())
    assert dict(found["wins"]) == dict((mine["pnl"] > 0).groupby(bins).sum())
    assert dict(found["said"]) == pytest.approx(dict(mine["decision_confidence"].groupby(bins).mean()))


def test_agents_and_markets_in_order(engine: Engine, drawn: pd.DataFrame) -> None:
    names = ask(engine, agents.agents)
    assert sorted(names) == [f"agent-{k}" for k in range(5)]
    markets = ask(engine, agents.markets)
    assert set(markets) == {"KRX", "NASDAQ", "(unknown)"}


def test_over_markets_weighs_ratings_by_decisions(engine: Engine, drawn: pd.DataFrame) -> None:
    found = ask(engine, agents.over_markets, **SPAN).set_index("agent_name")
    parts = [
        ask(engine, agents.contributions, market=market, **SPAN).assign(market=market)
        for market in ask(engine, agents.markets)
    ]
    rows = pd.concat(parts)
    rows = rows[rows["performance_rating"].notna()]
    for name, mine in rows.groupby("agent_name"):
        if name == agents.EVERYBODY:
            assert name not in found.index
            continue
        expected = np.average(mine["performance_rating"], weights=mine["total_decisions"])
        assert found.loc[name, "rating"] == pytest.approx(expected)
        assert found.loc[name, "decisions"] == mine["total_decisions"].sum()


def losing(n: int, wins: int, first: int, agent: str = "bad", **more: Any) -> list[dict[str, Any]]:
    """Its trades, a day apart at most; each loss is twice a win."""
    rows = []
    for k in range(n):
        at = NOON - (k % 28) * DAY
        rows.append(trade(first + k, 1.0 if k < wins else -2.0, {agent: 1}, timestamp=at, **more))
    return rows


def test_who_underperforms(engine: Engine) -> None:
    store(
        engine,
        TradeRecord,
        [
            *losing(10, 1, 0, "bad"),
            *losing(9, 0, 100, "few"),
            *losing(30, 14, 200, "unlucky"),
            *losing(30, 20, 300, "good"),
            *losing(10, 1, 400, "abroad", market="NYSE"),
        ],
    )
    aggregate(engine)
    (row,) = ask(engine, agents.underperformers, until=TODAY).to_dict("records")
    assert (row["agent_name"], row["market"], row["decided"]) == ("bad", "KRX", 10)
    # 34 wins of the 69 trades of the others in KRX; alone in its market nobody is worse than the others.
    assert row["others_rate"] == pytest.approx(100 * 34 / 69)
    assert ask(engine, agents.underperformers, until=TODAY, min_trades=11).empty
    assert ask(engine, agents.underperformers, until=TODAY - 60 * DAY).empty
    assert list(ask(engine, agents.underperformers, until=TODAY)["agent_name"]) == ["bad"]
    assert ask(engine, agents.underperformers, until=TODAY + 40 * DAY).empty, "old figures call nobody"


def test_attention_of_an_empty_database(engine: Engine) -> None:
    assert ask(engine, agents.underperformers, until=TODAY).empty
    given = {"today": TODAY, "budget": 1.0, "warning": 0.9}
    assert ask(engine, budget.budget_at_risk, **given) is None


@pytest.fixture
def called(engine: Engine) -> pd.DataFrame:
    """Random calls of three agents on three models of two providers; some without a cost, or a latency."""
    random = np.random.default_rng(3)
    rows = []
    for k in range(400):
        model = int(random.integers(0, 3))
        row = call(
            k,
            timestamp=NOON - float(random.uniform(0, 20)) * DAY,
            agent_name=f"a{random.integers(0, 3)}",
            provider=f"p{model % 2}",
            model=f"m{model}",
            tokens_used=None if random.random() < 0.2 else int(random.integers(1, 1_000)),
            cost_usd=None if random.random() < 0.2 else round(float(random.random()), 6),
            response_time_ms=None if random.random() < 0.2 else round(float(random.uniform(1, 9_000)), 1),
            success=None if random.random() < 0.2 else bool(random.random() < 0.8),
        )
        rows.append(row)
    store(engine, LlmUsage, rows)
    aggregate(engine)
    frame = pd.DataFrame(rows)
    return frame[frame["day"].between(FIRST, TODAY)]


@pytest.mark.parametrize("dimensions", [(), ("model",), ("agent_name", "provider")])
def test_totals_are_those_of_pandas(
    engine: Engine, called: pd.DataFrame, dimensions: tuple[str, ...]
) -> None:
    found = ask(engine, usage.totals, dimensions=dimensions, **SPAN)
    keys = list(dimensions) or [np.zeros(len(called))]
    for key, mine in called.groupby(keys):
        row = found.iloc[0]
        if dimensions:
            row = found.set_index(list(dimensions)).loc[key if len(dimensions) > 1 else key[0]]
        cost, known = mine["cost_usd"].dropna().astype(float), mine["success"].dropna().astype(bool)
        answered = mine[mine["success"].ne(False)]["response_time_ms"].dropna()
        assert (row["calls"], row["cost_count"], row["latency_count"]) == (
            len(mine),
            len(cost),
            len(answered),
        )
        assert row["cost_usd"] == pytest.approx(cost.sum()) and row["cost_max"] == pytest.approx(cost.max())
        assert row["cost_per_call"] == pytest.approx(cost.mean())
        assert row["failure_rate"] == pytest.approx(100 * (~known).mean())
        assert row["latency_mean_ms"] == pytest.approx(answered.astype(float).mean())
        assert row["tokens"] == mine["tokens_used"].dropna().sum()
    assert list(found["cost_usd"]) == sorted(found["cost_usd"], reverse=True)


def test_trend_and_days_sum_to_the_totals(engine: Engine, called: pd.DataFrame) -> None:
    whole = ask(engine, usage.totals, dimensions=("model",), **SPAN).set_index("model")
    for grain in ("day", "week"):
        rows = ask(engine, usage.trend, grain=grain, today=TODAY, dimension="model", **SPAN)
        sums = rows.groupby("subject")[["calls", "cost_usd", "tokens"]].sum()
        for name in sums.columns:
            assert list(sums[name]) == pytest.approx(list(whole[name].reindex(sums.index)))
        assert set(rows[rows["unfinished"]]["period"]) <= {TODAY, date(2026, 11, 16)}
    days = ask(engine, usage.cost_by_day, first=FIRST, last=TODAY)
    expected = called[called["cost_usd"].notna()].astype({"cost_usd": float}).groupby("day")["cost_usd"].sum()
    assert dict(zip(days["date"], days["cost_usd"], strict=True)) == pytest.approx(dict(expected))


def test_daily_percentiles_are_those_of_pandas(engine: Engine, called: pd.DataFrame) -> None:
    found = ask(engine, usage.latencies, **SPAN).set_index(["date", *usage.DIMENSIONS])
    fine = called[(called["success"].ne(False)) & called["response_time_ms"].notna()]
    groups = fine.astype({"response_time_ms": float}).groupby(["day", *usage.DIMENSIONS])["response_time_ms"]
    for name, p in (("latency_p50_ms", 0.5), ("latency_p95_ms", 0.95)):
        assert dict(found[name]) == pytest.approx(dict(groups.quantile(p)))
    assert dict(found["latency_count"]) == dict(groups.count())


def test_the_dearest_calls_against_the_usual_one_of_their_model(engine: Engine) -> None:
    calls = [call(k, cost_usd=0.1, timestamp=NOON - k * DAY) for k in range(10)]
    calls += [call(50, cost_usd=5.0, timestamp=NOON - 2 * DAY), call(51, cost_usd=0.9)]
    calls += [call(60, cost_usd=9.0, model="alone"), call(61, cost_usd=None, model="free")]
    store(engine, LlmUsage, calls)
    aggregate(engine)
    (row,) = ask(engine, usage.dearest, limit=5, **SPAN).to_dict("records")
    assert (row["date"], row["model"], row["cost_max"], row["calls"]) == (TODAY - 2 * DAY, "m1", 5.0, 2)
    assert row["times"] == pytest.approx(5.0 / ((10 * 0.1 + 0.9) / 11))
    assert ask(engine, usage.dearest, limit=0, **SPAN).empty


def swapped(number: int, agent: str, days_ago: float, old: str, new: str, **more: Any) -> dict[str, Any]:
    at = NOON - days_ago * DAY
    row = {"id": number, "agent_name": agent, "timestamp": at, "day": at.date(), "triggered_by": "manual"}
    row |= {"old_provider": "acme", "new_provider": "acme", "old_model": old, "new_model": new}
    return row | {"status": "validating", "rolls_back": None} | more


def test_stretches_are_what_ran_from_swap_to_swap(engine: Engine) -> None:
    store(
        engine,
        ModelEvolution,
        [
            swapped(1, "news", 20, "", "m1"),
            swapped(2, "news", 8, "m1", "m2", status="rolled_back"),
            swapped(
                3, "news", 1, "m2", "m1", status="kept", triggered_by="automatic", rolls_back=NOON - 8 * DAY
            ),
            swapped(4, "late", 3, "m1", "m2"),
        ],
    )
    with engine.begin() as connection:
        rows = [("news", "m1", 1), ("late", "m2", 3), ("calm", "m9", 90), ("new", "m5", -1)]
        connection.execute(
            insert(AgentAssignment),
            [
                {"agent_name": name, "provider": "acme", "model": model, "since": NOON - ago * DAY}
                for name, model, ago in rows
            ],
        )
    since, until = NOON - 14 * DAY, NOON
    found = ask(engine, swaps.stretches, since=since, until=until)
    told = [
        (row.agent_name, row.model, (row.begun - NOON) / DAY, (row.ended - NOON) / DAY, row.swap)
        for row in found.astype({"swap": object}).where(found.notna(), None).itertuples()
    ]
    assert told == [
        ("calm", "m9", -14, 0, None),
        ("late", "m1", -14, -3, None),
        ("late", "m2", -3, 0, 4),
        ("news", "m1", -14, -8, 1),
        ("news", "m2", -8, -1, 2),
        ("news", "m1", -1, 0, 3),
    ]
    newest = ask(engine, swaps.newest, limit=10).set_index("id")["can_roll_back"]
    assert dict(newest) == {1: False, 2: False, 3: False, 4: True}
    assert ask(engine, swaps.rolled_back, since=since, until=until)["agent_name"].tolist() == ["news"]


def test_stretches_of_nothing(engine: Engine) -> None:
    assert ask(engine, swaps.stretches, since=NOON - DAY, until=NOON).empty
    assert ask(engine, swaps.newest, limit=10).empty


def test_decisions_are_those_of_the_model_at_the_end_of_their_day(engine: Engine) -> None:
    """Three days on m1, then m2: its wins, its rating and what its calls cost stand apart."""
    at = {k: NOON - k * DAY for k in range(6)}
    store(
        engine,
        TradeRecord,
        [trade(k, 5.0 if k > 2 else -5.0, {"news": 1.0}, timestamp=at[k]) for k in range(6)]
        + [trade(10, 3.0, {"calm": 1.0}, timestamp=at[4], market="US")],
    )
    store(engine, ModelEvolution, [swapped(1, "news", 2.1, "m1", "m2")])
    costs = [("m1", 4, 0.5), ("m1", 3, 0.25), ("m2", 1, 2.0), ("m9", 1, 7.0)]
    rows = [
        call(k, timestamp=at[day], agent_name="news", provider="acme", model=model, cost_usd=cost)
        for k, (model, day, cost) in enumerate(costs)
    ]
    store(engine, LlmUsage, [*rows, call(9, timestamp=at[4], agent_name="calm", cost_usd=1.5)])
    aggregate(engine)
    found = ask(engine, agent_models.by_model, since=TODAY - 10 * DAY, until=TODAY, zone="Asia/Seoul")
    told = {
        (row["agent_name"], row["model"]): (row["decisions"], row["wins"], row["rating"], row["cost_usd"])
        for row in found.to_dict("records")
    }
    assert told == {
        ("calm", ""): (1, 1, 100, 1.5),
        ("news", "m1"): (3, 3, 100, 0.75),
        ("news", "m2"): (3, 0, 0, 2.0),
    }
    whole = ask(engine, agents.over_markets, since=TODAY - 10 * DAY, until=TODAY).set_index("agent_name")
    assert whole["decisions"].to_dict() == {"calm": 1, "news": 6}


def test_a_market_without_a_trade_has_no_lines(engine: Engine) -> None:
    rows = ask(engine, agents.money_over_time, grain="week", today=TODAY, market="nowhere", **SPAN)
    assert rows.empty and list(rows.columns) == ["period", "agent_name", "pnl", "total"]


def test_a_dear_model_hides_no_dear_call_of_a_cheap_one(engine: Engine) -> None:
    calls = [
        call(100 * day + k, model="dear", agent_name=f"a{k}", cost_usd=2.0, timestamp=NOON - day * DAY)
        for day in range(14)
        for k in range(20)
    ]
    calls += [
        call(9_000 + day, model="cheap", cost_usd=0.001, timestamp=NOON - day * DAY) for day in range(14)
    ]
    store(engine, LlmUsage, [*calls, call(9_999, model="cheap", cost_usd=0.5)])
    aggregate(engine)
    (row,) = ask(engine, usage.dearest, limit=5, **SPAN).to_dict("records")
    assert (row["model"], row["times"]) == ("cheap", pytest.approx(500))
