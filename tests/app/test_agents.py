"""Agents: what the page says of the demo's trades, and its swaps, which operators take back and nobody else."""

import re
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from sqlalchemy import delete, func, select, update
from streamlit.testing.v1 import AppTest

from dashboard.period import DEFAULT_PRESET, preset
from db.clock import business_day, utc_now
from db.demo.agents import AGENTS
from db.engine import raise_data_version, reading
from db.queries import agents, usage
from db.tables.agents import AgentAssignment, AgentPerformance, ModelEvolution
from tests import filled
from tests.app.test_gate import PASSWORD, told
from tests.app.test_pages import words
from tests.app.test_quality import spec

h = ModelEvolution


def frame(app: AppTest, column: str) -> Any:
    """The table that has this column."""
    (found,) = (one.value for one in app.dataframe if column in one.value.columns)
    return found


def opened(app: AppTest, *tables: str) -> AppTest:
    for name in tables:
        app.session_state[f"table_{name}"] = True
    app.run()
    assert not app.exception
    return app


def test_what_agents_won_and_lost_sums_to_the_trades(open_page, demo_file):
    app = opened(open_page("agents", demo_file), "attribution-USD")
    (line,) = (one.value for one in app.caption if "P&L reconciled" in one.value)
    assert "difference 0 · off it: " in line
    table = frame(app, "attributed_gains").set_index("subject")["total_pnl_attributed"]
    assert table.drop("all trades").sum() == pytest.approx(table["all trades"], rel=1e-9)
    assert {agent.name for agent in AGENTS} | {"(nobody)", "all trades"} == set(table.index)
    order = spec(app, '"description": "P&L less LLM cost"')["layer"][0]["encoding"]["y"]["sort"]
    assert len(order) == len(AGENTS) + 2 and order[-2:] == ["(nobody)", "all trades"]


def test_only_where_trades_are_in_dollars_costs_are_taken_off(open_page, demo_file, own_copy, monkeypatch):
    app = opened(open_page("agents", demo_file, market="KRW"), "attribution-KRW")
    assert "net" not in frame(app, "attributed_gains")
    table = frame(opened(open_page("agents", demo_file), "attribution-USD"), "net")
    assert list(table["net"]) == pytest.approx(
        list(table["total_pnl_attributed"] - table["cost_usd"].fillna(0))
    )
    monkeypatch.setenv("USD_MARKETS", "KRW")
    st.cache_data.clear()  # as a dashboard that is started again has it
    assert "net" in frame(opened(open_page("agents", demo_file, market="KRW"), "attribution-KRW"), "net")


def test_no_dollar_is_taken_off_twice(open_page, demo_file, engine, monkeypatch):
    """Each agent's cost is split over its markets by its decisions there."""
    monkeypatch.setenv("USD_MARKETS", "USD,KRW")
    costs = {}
    for market in ("USD", "KRW"):
        table = frame(opened(open_page("agents", demo_file, market=market), f"attribution-{market}"), "net")
        costs[market] = table.set_index("subject")["cost_usd"]
    with reading(engine) as connection:
        shown = preset(DEFAULT_PRESET, agents.newest_trade(connection), agents.oldest_trade(connection))
        whole = usage.totals(connection, *shown.span, ("agent_name",)).set_index("agent_name")["cost_usd"]
    both = costs["USD"] + costs["KRW"]
    assert both.loc[whole.index].to_list() == pytest.approx(whole.to_list())
    assert both["all trades"] == pytest.approx(whole.sum())


def test_the_market_is_in_the_address(open_page, demo_file):
    app = open_page("agents", demo_file)
    assert "Who won and lost money in USD" in words(app) and "market" not in app.query_params
    app.button_group(key="market").set_value("KRW").run()
    assert "Who won and lost money in KRW" in words(app)
    assert app.query_params["market"] in ("KRW", ["KRW"])
    assert "in USD" in words(open_page("agents", demo_file, market="nowhere"))


def test_win_rates_have_an_interval_and_the_period_before(open_page, demo_file):
    app = opened(open_page("agents", demo_file), "win-rate-USD")
    (table,) = (one.value for one in app.dataframe if "previous" in one.value and "part" in one.value)
    assert set(table["subject"]) == {agent.name for agent in AGENTS}
    assert ((table["low"] < table["value"]) & (table["value"] < table["high"])).all()
    assert table["previous"].notna().all() and table["value"].is_monotonic_decreasing


def test_who_underperforms_stands_there_with_the_reason(open_page, demo_file, engine):
    app = open_page("agents", demo_file)
    with reading(engine) as connection:
        found = agents.underperformers(connection, agents.newest_day(connection))
    found = found[found["market"] == "USD"].sort_values("total_pnl_attributed")
    assert "demo-macro" in set(found["agent_name"])
    lines = [
        one.value for one in app.markdown if "orange-badge[:material/priority_high: underperf" in one.value
    ]
    assert len(lines) == len(found)
    for row, line in zip(found.to_dict("records"), lines, strict=True):
        assert f"**{row['agent_name']}**" in line and row["market"] in line
        assert f"wins {row['win_rate']:.1f}% of {row['decided']:.0f}" in line
        assert f"the others {row['others_rate']:.1f}%" in line


def test_confidence_of_all_trades_and_of_one_agent(open_page, demo_file):
    app = opened(open_page("agents", demo_file), "confidence-USD")
    whole = frame(app, "said_percent")["n"].sum()
    assert frame(opened(app, "attribution-USD"), "cost_usd").iloc[-1]["total_decisions"] == whole
    app.selectbox(key="agent").set_value("demo-news").run()
    assert 0 < frame(app, "said_percent")["n"].sum() < whole
    assert app.query_params["agent"] in ("demo-news", ["demo-news"])


@pytest.mark.parametrize("figure", ["total_pnl", "win_rate", "total_cost_usd", "model_diversity_index"])
def test_every_figure_of_the_system_by_day(figure, open_page, demo_file):
    app = opened(open_page("agents", demo_file, daily=figure, period="30d"), f"system-{figure}")
    (table,) = (one.value for one in app.dataframe if list(one.value)[:3] == ["subject", "period", "value"])
    assert len(table) > 15
    if figure in ("win_rate", "model_diversity_index"):
        assert table["value"].between(0, 100 if figure == "win_rate" else 1).all()


def test_the_timeline_has_a_line_for_every_agent(open_page, demo_file):
    app = open_page("agents", demo_file)
    order = spec(app, '"height": 17')["layer"][0]["encoding"]["y"]["sort"]
    assert set(order) == {agent.name for agent in AGENTS}


def test_swaps_say_what_became_of_them_and_why(open_page, demo_file):
    table = frame(open_page("agents", demo_file), "swap")
    status = {agent: [] for agent in table["agent"]}
    for row in table.to_dict("records"):
        status[row["agent"]].append(row["status"][0])
    assert status == {
        "demo-chart": ["validating"],
        "demo-risk": ["inconclusive"],
        "demo-news": ["kept"],
        "demo-sentiment": ["rollback", "rolled_back"],
    }
    taken, back = (row for row in table.to_dict("records") if row["agent"] == "demo-sentiment")
    assert back["why"] == "clearly worse" and pd.isna(back["back"])
    assert taken["reason"].startswith("Rolled back: the rating fell from")
    n = back["what"].rsplit("n = ", 1)[1]
    assert taken["reason"].endswith(f"n = {n}"), "the row and its reason count in the same order"


def swap_form() -> None:
    from dashboard import swap_forms

    swap_forms._swap_form()


def rollback_form() -> None:
    from dashboard import swap_forms
    from dashboard.data import ask, swaps

    rows = ask(swaps.newest, limit=200)
    swap_forms._rollback_form(rows[rows["agent_name"] == "demo-chart"].to_dict("records")[0])


def swapped(engine, agent: str) -> list[tuple[str, str, str, bool]]:
    """Its history, oldest first: model, status, reason, whether it takes another one back."""
    with reading(engine) as connection:
        found = connection.execute(
            select(h.new_model, h.status, h.reason, h.rolls_back).where(h.agent_name == agent).order_by(h.id)
        )
        return [(row.new_model, row.status, row.reason, row.rolls_back is not None) for row in found]


def runs_on(engine, agent: str) -> tuple[str, str]:
    a = AgentAssignment
    with reading(engine) as connection:
        return tuple(connection.execute(select(a.provider, a.model).where(a.agent_name == agent)).one())


def fill(app: AppTest, reason: str) -> None:
    app.selectbox(key="_swap_agent").set_value("demo-filings")
    app.text_input(key="_swap_provider").set_value("acme")
    app.text_input(key="_swap_model").set_value("tide-3")
    app.text_input(key="_swap_reason").set_value(reason)
    app.button(key="_swap_press").click().run()
    assert not app.exception


def test_the_buttons_open_the_forms(open_page, demo_file, engine):
    app = open_page("agents", demo_file)
    app.button(key="_swap_now").click().run()
    assert app.button(key="_swap_press").label == "Swap" and not app.exception
    with reading(engine) as connection:
        number = connection.scalar(select(h.id).where(h.agent_name == "demo-chart"))
    app.session_state["_roll_back"] = number
    app.run()
    assert app.button(key="_rollback_press").label == "Roll back"
    assert "demo-chart gets borealis/reef-7b again" in words(app)
    assert "_rollback_press" not in {button.key for button in app.run().button}, "it asks once"


def test_a_swap_needs_a_reason_and_is_history_and_assignment_at_once(show, demo_file, engine):
    show(demo_file)
    app = AppTest.from_function(swap_form, default_timeout=60).run()
    fill(app, "  ")
    assert "needs a reason" in app.error[0].value
    assert (swapped(engine, "demo-filings"), runs_on(engine, "demo-filings")) == ([], ("acme", "tide-2"))
    fill(app, "reads tables")
    assert "It runs on acme/tide-3." in words(app)
    assert swapped(engine, "demo-filings") == [("tide-3", "validating", "reads tables", False)]
    assert runs_on(engine, "demo-filings") == ("acme", "tide-3")
    fill(app, "reads tables")
    assert "runs on tide-3 already" in told(app)
    assert len(swapped(engine, "demo-filings")) == 1


def test_a_rollback_needs_a_reason_and_gives_the_model_from_before(show, demo_file, engine):
    show(demo_file)
    app = AppTest.from_function(rollback_form, default_timeout=60).run()
    before = swapped(engine, "demo-chart")
    app.button(key="_rollback_press").click().run()
    assert "needs a reason" in app.error[0].value and swapped(engine, "demo-chart") == before
    app.text_input(key="_rollback_reason").set_value("answers in prose")
    app.button(key="_rollback_press").click().run()
    first, back = swapped(engine, "demo-chart")
    assert first[:2] == ("tide-mini", "rolled_back")
    assert back == ("reef-7b", "kept", "answers in prose", True)
    assert runs_on(engine, "demo-chart") == ("borealis", "reef-7b")


def test_what_was_pressed_is_on_the_page_at_once(open_page, demo_file, engine):
    app = open_page("agents", demo_file)
    n = len(frame(app, "swap"))
    fill(AppTest.from_function(swap_form, default_timeout=60).run(), "reads tables")
    table = frame(app.run(), "swap")
    assert len(table) == n + 1 and table.iloc[0]["reason"] == "reads tables"


def test_who_is_no_operator_swaps_nothing(open_page, show, demo_file, engine, monkeypatch):
    show(demo_file)
    forms = [AppTest.from_function(form, default_timeout=60).run() for form in (swap_form, rollback_form)]
    monkeypatch.setenv("OPERATOR_PASSWORD", PASSWORD)
    before = [swapped(engine, agent) for agent in ("demo-filings", "demo-chart")]
    fill(forms[0], "reads tables")
    forms[1].text_input(key="_rollback_reason").set_value("why not")
    forms[1].button(key="_rollback_press").click().run()
    assert all("password" in told(form).lower() for form in forms)
    assert [swapped(engine, agent) for agent in ("demo-filings", "demo-chart")] == before
    app = open_page("agents", demo_file)
    assert app.button(key="_swap_now").disabled
    assert frame(app, "swap")["back"].isna().all()


def test_swaps_without_any_trade_are_told_all_the_same(open_page, tmp_path):
    engine = filled.upgraded(tmp_path / "own.db")
    row = {"agent_name": "news *b*", "timestamp": utc_now(), "triggered_by": "manual", "new_model": "m2"}
    with engine.begin() as connection:
        connection.execute(ModelEvolution.__table__.insert(), [row | {"reason": "cheaper"}])
    engine.dispose()
    app = open_page("agents", tmp_path / "own.db")
    assert "Nothing has been aggregated yet" in words(app)
    assert list(frame(app, "swap")["agent"]) == ["news *b*"]


def needs(app: AppTest) -> list[str]:
    return [one.value for one in app.markdown if "-badge[:material/" in one.value and " **" in one.value]


def test_overview_says_what_of_agents_waits_for_somebody(open_page, show, demo_file, engine, monkeypatch):
    show(demo_file)
    told = "\n".join(needs(open_page("overview", demo_file)))
    assert " is underperforming**" in told
    assert "was rolled back" not in told and "udget" not in told
    with engine.begin() as connection:
        newest = connection.scalar(select(func.max(h.id)).where(h.rolls_back.is_not(None)))
        moved = {"timestamp": utc_now(), "day": business_day(utc_now(), filled.SEOUL)}
        connection.execute(update(h).where(h.id == newest).values(moved))
        raise_data_version(connection)
    monkeypatch.setenv("MONTHLY_BUDGET_USD", "0.001")
    told = "\n".join(needs(open_page("overview", demo_file)))
    assert "orange-badge[:material/undo: rolled back] **demo-sentiment was rolled back to tide-2**" in told
    assert "the rating fell from" in told
    # On the first day of a month nothing may be spent yet.
    assert re.search(r"payments: budget\] \*\*(Over budget|Budget at risk)\*\*", told)
    assert "of 0.00100 \\$" in told


def test_overview_is_silent_where_agents_have_nothing(open_page, show, demo_file, engine):
    show(demo_file)
    with engine.begin() as connection:
        connection.execute(delete(h))
        connection.execute(delete(agents.performance))
        raise_data_version(connection)
    told = "\n".join(needs(open_page("overview", demo_file)))
    assert "underperforming" not in told and "rolled back" not in told


def test_a_market_that_is_quiet_in_the_period_says_so(open_page, show, demo_file, engine):
    show(demo_file)
    with engine.begin() as connection:
        recent = AgentPerformance.period_start >= utc_now().date() - timedelta(days=120)
        connection.execute(delete(AgentPerformance).where(AgentPerformance.market == "KRW", recent))
        raise_data_version(connection)
    app = open_page("agents", demo_file, market="KRW")
    told = words(app)
    assert "no closed trade in this period" in told and "no trade was won or lost in this period" in told
