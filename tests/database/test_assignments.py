"""Which model each agent runs on, from a file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from db.__main__ import main
from db.assignments import Assignment, assign, plan, read_assignments
from db.errors import Refused
from db.tables.agents import AgentAssignment, ModelEvolution
from db.writers import store_assignments, store_swaps
from jobs.swapping import roll_back, swap
from language import speaking

NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Seoul")
FILE = """
scout: {provider: p, model: m-1, role: finds}
judge:
  model: "4.5"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "agents.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def held(engine: Engine) -> list[Any]:
    a = AgentAssignment
    with engine.connect() as connection:
        rows = select(a.agent_name, a.provider, a.model, a.role, a.since).order_by(a.agent_name)
        return [tuple(row) for row in connection.execute(rows)]


def swaps(engine: Engine) -> list[Any]:
    m = ModelEvolution
    names = (m.timestamp, m.agent_name, m.old_model, m.new_model, m.triggered_by, m.status, m.reason, m.day)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*names).order_by(m.id))]


def test_a_change_of_the_model_is_a_swap(engine: Engine, tmp_path: Path) -> None:
    wanted = read_assignments(write(tmp_path, FILE), ZONE, NOW)
    assert wanted == {"scout": Assignment("p", "m-1", "finds"), "judge": Assignment("", "4.5")}
    assert set(plan(engine, wanted).added) == {"scout", "judge"}
    assert held(engine) == []
    assign(engine, wanted, ZONE, NOW, "agents.yaml")
    assert swaps(engine) == []
    assert assign(engine, wanted, ZONE, NOW, "agents.yaml").lines() == [
        "left as it is: judge",
        "left as it is: scout",
    ]
    later = NOW + timedelta(hours=1)
    change = {"scout": Assignment("p", "m-2", "finds")}
    found = assign(engine, change, ZONE, later, "agents.yaml")
    assert found.lines() == ["changed: scout: p m-1 (finds) → p m-2 (finds)", "left as it is: judge"]
    assert assign(engine, {"judge": Assignment("", "4.5", "judges")}, ZONE, later, "x").added == {}
    assert held(engine) == [("judge", "", "4.5", "judges", NOW), ("scout", "p", "m-2", "finds", later)]
    expected = (
        "scout",
        "m-1",
        "m-2",
        "manual",
        "validating",
        "changed in agents.yaml",
        later.astimezone(ZONE).date(),
    )
    assert swaps(engine) == [(later, *expected)]


def test_a_swap_at_the_moment_of_another_one_comes_after_it(engine: Engine) -> None:
    assign(engine, {"a": Assignment("", "m")}, ZONE, NOW, "f")
    store_swaps([{"agent_name": "a", "timestamp": NOW, "triggered_by": "manual"}], engine=engine, now=NOW)
    assign(engine, {"a": Assignment("", "n")}, ZONE, NOW, "f")
    assert [row[0] for row in swaps(engine)] == [NOW, NOW + timedelta(microseconds=1)]


def test_the_command_shows_what_it_does(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path, FILE))
    assert main(["assignments", path, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "added: scout: p m-1 (finds)",
        "added: judge: 4.5",
        "Dry run: nothing was written.",
    ]
    assert held(engine) == []
    assert main(["assignments", path]) == 0
    assert len(held(engine)) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "agents.yaml holds no agents"),
        ("- scout", "agents.yaml holds no agents"),
        ("scout: m", "agents.yaml: scout has no lines like “model: …” below it"),
        ("scout: {modle: m}", "agents.yaml: scout: “modle” is not known; there are provider, model, role"),
        ("scout: {provider: p}", "agents.yaml: scout: model is missing"),
        ("scout: {model: ' '}", "agents.yaml: scout: model: “” is no name"),
        ("scout: {model: 1.10}", "agents.yaml: scout: model: 1.1 is no text: put it into quotation marks"),
        ("a: {model: m}\n'a ': {model: n}", "agents.yaml: a stands twice"),
        ("scout: {model: [m]}", "agents.yaml: scout: model: ['m'] is no name"),
        ("'*': {model: m}", "agents.yaml: *: agent_name: “*” stands for all of them together"),
        ("scout: {model: m}\nscout: {model: n}", "agents.yaml is no YAML: line 2: “scout” stands twice"),
        ("scout: {model: m", "agents.yaml is no YAML: line 1: "),
        ("scout: {model: '" + "m" * 201 + "'}", "has more than 200 characters"),
        ("a: !!python/object:os.system {}", "agents.yaml is no YAML: line 1"),
        ("[a, b]: {model: m}", "agents.yaml is no YAML: line 1"),
    ],
)
def test_a_file_of_a_wrong_shape_writes_nothing(engine: Engine, tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(Refused) as refused:
        read_assignments(path, ZONE, NOW)
    assert told in str(refused.value)
    assert main(["assignments", str(path)]) == 2
    assert held(engine) == []


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        read_assignments(tmp_path / "agents.yaml", ZONE, NOW)


def test_the_reason_is_in_the_language_of_the_command(engine: Engine) -> None:
    assign(engine, {"a": Assignment("", "m")}, ZONE, NOW, "agents.yaml")
    with speaking("ko"):
        assign(engine, {"a": Assignment("", "n")}, ZONE, NOW, "agents.yaml")
    assert "agents.yaml" in swaps(engine)[0][6]


def test_a_file_that_names_a_model_that_was_rolled_back_does_not_bring_it_back(engine: Engine) -> None:
    assign(engine, {"scout": Assignment("p", "m-1")}, ZONE, NOW, "x")
    number = swap(engine, "scout", ("p", "m-2"), "try", NOW + timedelta(hours=1), ZONE)
    roll_back(engine, number, "worse", NOW + timedelta(hours=2), ZONE)
    before, again = (
        (held(engine), swaps(engine)),
        {"scout": Assignment("p", "m-2"), "judge": Assignment("p", "x")},
    )
    with pytest.raises(Refused, match="scout was rolled back to m-1 and rests until 2026-11-28"):
        assign(engine, again, ZONE, NOW + timedelta(days=1), "agents.yaml")
    assert (held(engine), swaps(engine)) == before
    assert set(assign(engine, again, ZONE, NOW + timedelta(days=8), "agents.yaml").changed) == {"scout"}


def test_a_file_of_assignments_that_is_older_than_the_rollback_changes_nothing(engine: Engine) -> None:
    old = [{"agent_name": "scout", "provider": "p", "model": "m-2", "since": NOW}]
    store_assignments(old, engine=engine, now=NOW)
    swapped = NOW + timedelta(hours=1)
    swap(engine, "scout", ("p", "m-3"), "try", swapped, ZONE)
    before = held(engine)
    assert store_assignments(old, engine=engine, now=NOW).summary() == (
        "1 read: 0 new, 0 updated, 1 unchanged, 0 rejected"
    )
    assert held(engine) == before
    newer = [old[0] | {"since": swapped + timedelta(minutes=1)}]
    assert store_assignments(newer, engine=engine, now=swapped + timedelta(hours=1)).updated == 1
