"""The demo's agents: its swaps are what the check decides, and its story is the same on any day."""

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, delete, select, update
from test_aggregate_models import Here

from db.clock import business_day
from db.demo.agents import DEAR_DOLLARS
from db.demo.holding import DEMO_AGENT, remove_demo
from db.demo.swapping import store_agents
from db.engine import reading, writing
from db.queries import agents, usage
from db.tables.agents import AgentAssignment, ModelEvolution
from jobs.aggregate_agents import aggregate_agents
from jobs.check_swaps import check_swaps
from jobs.job import DayParameters, Parameters
from tests import filled

h = ModelEvolution
STORY = {
    "demo-news": ["kept"],
    "demo-sentiment": ["rolled_back", "rollback"],
    "demo-risk": ["inconclusive"],
    "demo-chart": ["validating"],
}


def history(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(select(h.__table__).order_by(h.timestamp, h.id)))


def test_its_swaps_are_what_the_check_decides(demo: Engine, now: datetime) -> None:
    """Each one set back to the moment of its check: status, reason and ratings come out the same."""
    settled = [row for row in history(demo) if row.rolls_back is None and row.validated_at]
    backs = {row.rolls_back: row for row in history(demo) if row.rolls_back}
    assert [row.status for row in settled] == ["rolled_back", "kept", "inconclusive"]
    for row in settled:
        with writing(demo) as connection:
            connection.execute(delete(h).where(h.rolls_back == row.timestamp, h.agent_name == row.agent_name))
            open_again = {"status": "validating", "validated_at": None, "verdict": ""}
            connection.execute(update(h).where(h.id == row.id).values(open_again))
            held = {"model": row.new_model, "provider": row.new_provider}
            mine = AgentAssignment.agent_name == row.agent_name
            connection.execute(update(AgentAssignment).where(mine).values(held))
        found = check_swaps(demo, Parameters(dry_run=True), Here(row.validated_at)).result["swaps"]
        (told,) = [one for one in found if one["id"] == row.id]
        assert (told["status"], told["verdict"]) == (row.status, row.verdict)
        assert told["decisions"] == [row.decisions_before, row.decisions_after]
        assert (told["before"], told["after"], told["change"]) == pytest.approx(
            (row.rating_before, row.rating_after, row.observed_change)
        )
        check_swaps(demo, Parameters(), Here(row.validated_at))
        (again,) = [one for one in history(demo) if one.id == row.id]
        assert (again.difference_low, again.difference_high) == pytest.approx(
            (row.difference_low, row.difference_high)
        )
        if row.timestamp in backs:
            (back,) = [one for one in history(demo) if one.rolls_back == row.timestamp]
            ours, theirs = (
                {name: value for name, value in one._mapping.items() if name != "id"}
                for one in (back, backs[row.timestamp])
            )
            assert ours == theirs


def test_nothing_of_it_is_left(demo: Engine, now: datetime) -> None:
    aggregate_agents(demo, DayParameters(), Here(now))
    with writing(demo) as connection:
        assert agents.agents(connection) and usage.newest_day(connection)
        connection.execute(
            AgentAssignment.__table__.insert(),
            [{"agent_name": "mine", "provider": "acme", "model": "m1", "since": now}],
        )
        assert remove_demo(connection)
        assert agents.agents(connection) == [] and usage.newest_day(connection) is None
        assert list(connection.scalars(select(AgentAssignment.agent_name))) == ["mine"]
        assert connection.scalar(select(h.id)) is None


@pytest.mark.parametrize("days_later", [0, 1, 3, 6, 103])
def test_its_story_is_the_same_on_any_day(
    days_later: int, tmp_path: Path, zone: ZoneInfo, now: datetime
) -> None:
    moment = now + timedelta(days=days_later)
    engine = filled.upgraded(tmp_path / "demo.db")
    with writing(engine) as connection:
        store_agents(connection, zone, moment, 100)
    found: dict[str, list[str]] = {}
    for row in history(engine):
        found.setdefault(row.agent_name, []).append("rollback" if row.rolls_back else row.status)
    assert found == STORY
    aggregate_agents(engine, DayParameters(), Here(moment))
    today = business_day(moment, zone)
    with reading(engine) as connection:
        assigned = connection.execute(select(AgentAssignment.agent_name, AgentAssignment.model)).all()
        under = agents.underperformers(connection, today)
        dear = usage.dearest(connection, since=today - timedelta(days=29), until=today, limit=5)
    models = {row.agent_name: row.model for row in assigned}
    assert models["demo-sentiment"] == "tide-2" and models["demo-news"] == "tide-2"
    assert all(name.startswith(DEMO_AGENT) for name in models)
    assert f"{DEMO_AGENT}macro" in set(under["agent_name"])
    assert dear["cost_max"].tolist() == [DEAR_DOLLARS]
    engine.dispose()


@pytest.mark.parametrize("at", [time(0, 5), time(8, 29), time(23, 55)])
def test_at_any_hour_nothing_of_it_is_still_to_come(
    at: time, tmp_path: Path, zone: ZoneInfo, now: datetime
) -> None:
    moment = datetime.combine(business_day(now, zone), at, tzinfo=zone)
    engine = filled.upgraded(tmp_path / "demo.db")
    with writing(engine) as connection:
        store_agents(connection, zone, moment, 30)
        for column in (h.timestamp, h.validated_at, AgentAssignment.since):
            assert all(value <= moment for value in connection.scalars(select(column)) if value)
    engine.dispose()
