"""Usage & cost: what the page says of the demo's calls: their cost, the one that dwarfs the others, and the budget."""

import pytest
from sqlalchemy import update

from dashboard.usage_worth import _verdict
from db.demo.agents import AGENTS, DEAR_DOLLARS
from db.engine import raise_data_version, reading
from db.queries import usage
from tests.app.test_agents import frame, opened
from tests.app.test_pages import words
from tests.app.test_quality import spec


def sent(app) -> str:
    """The rows of all charts, as far as they are text."""
    charts = app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")
    return "\n".join(
        one.data.data.decode("utf-8", "ignore") for chart in charts for one in chart.proto.datasets
    )


def test_the_cards_are_the_sums_of_the_table(open_page, demo_file):
    app = open_page("usage", demo_file)
    cost, calls, tokens, failed = app.metric
    assert [one.label for one in app.metric] == ["Cost, $", "Calls", "Tokens", "Failed calls"]
    assert all(one.delta.startswith("before: ") for one in app.metric)
    table = frame(opened(app, "usage-by-model"), "tokens")
    assert f"{table['calls'].sum():,.0f}" == calls.value and f"{table['tokens'].sum():,.0f}" == tokens.value
    assert float(cost.value.replace(",", "")) == pytest.approx(table["cost_usd"].sum(), rel=0.01)
    assert failed.value.endswith("%")


@pytest.mark.parametrize(
    "figure", ["calls", "cost_per_call", "failure_rate", "latency_p50_ms", "latency_p95_ms"]
)
def test_every_figure_by_every_split(figure, open_page, demo_file):
    app = open_page("usage", demo_file, used=figure)
    known = {"model": 4, "provider": 3, "agent_name": len(AGENTS)}
    for by, n in known.items():
        app.button_group(key="called_by").set_value(by).run()
        table = frame(opened(app, f"{figure}-by-{by}", f"usage-by-{by}"), "period")
        assert table["subject"].nunique() == n and table["value"].ge(0).all()
        assert app.query_params.get("called_by", "model") in (by, [by])
        for name in (f"{figure}-by-{by}", f"usage-by-{by}"):
            app.session_state[f"table_{name}"] = False


def test_the_call_that_dwarfs_the_others_is_named_and_the_axis_is_made_for_them(open_page, demo_file):
    app = open_page("usage", demo_file)
    chart = spec(app, '"title": "Cost, $"')
    tops = {
        one["encoding"]["y"]["scale"]["domain"][1]
        for one in chart["layer"]
        if "domain" in one.get("encoding", {}).get("y", {}).get("scale", {})
    }
    assert max(tops) < DEAR_DOLLARS / 10
    assert "shoal-think 61." in sent(app), "the value beyond the axis is told above it"
    assert "beyond the axis" in words(app)
    assert "beyond the axis" not in words(open_page("usage", demo_file, used="calls"))


def test_the_dearest_call_is_listed(open_page, demo_file):
    table = frame(open_page("usage", demo_file), "times")
    (row,) = table.to_dict("records")
    assert (row["agent_name"], row["model"], row["cost_max"]) == ("demo-rates", "shoal-think", DEAR_DOLLARS)
    assert row["times"] > 1_000


@pytest.mark.parametrize(
    ("budget", "word"),
    [("", None), ("0.001", "red-badge[:material/close: over budget]"), ("100000", "check: within budget]")],
)
def test_the_month_beside_its_budget(budget, word, open_page, demo_file, monkeypatch):
    if budget:
        monkeypatch.setenv("MONTHLY_BUDGET_USD", budget)
    told = words(open_page("usage", demo_file))
    assert "$ so far" in told and "at the end as things go" in told
    assert word in told if word else "no budget is set: MONTHLY_BUDGET_USD" in told and "budget]" not in told


def test_a_budget_that_things_go_beyond():
    """Between what was spent and what it will be, where a day of the month is to come."""
    assert "will go over budget" in _verdict(60.0, 101.0, 100.0)
    assert "close to the budget" in _verdict(60.0, 99.0, 100.0)
    assert "within budget" in _verdict(60.0, 60.0, 100.0)
    assert _verdict(60.0, 60.0, None) == ""


def test_what_a_decision_costs_is_the_agent_s_cost_by_its_trades(open_page, demo_file):
    table = frame(opened(open_page("usage", demo_file), "cost-per-decision"), "per_win")
    assert set(table["subject"]) == {agent.name for agent in AGENTS}
    assert list(table["per_decision"]) == pytest.approx(list(table["cost_usd"] / table["decisions"]))
    assert list(table["per_win"]) == pytest.approx(list(table["cost_usd"] / table["wins"]))
    assert table["model"].notna().all() and table["rating"].between(0, 100).all()


def test_calls_without_a_cost_are_told(open_page, show, demo_file, engine):
    show(demo_file)
    with engine.begin() as connection:
        none = {"cost_count": 0, "cost_usd": None, "cost_mean": None, "cost_std": None, "cost_max": None}
        connection.execute(update(usage.daily).values(none))
        raise_data_version(connection)
    app = open_page("usage", demo_file)
    assert app.metric[0].value == "–" and "calls have no known cost" in words(app)
    assert "no call cost more than ten times" in words(app)
    with reading(engine) as connection:
        assert usage.cost_by_day(
            connection, *(usage.oldest_day(connection), usage.newest_day(connection))
        ).empty
