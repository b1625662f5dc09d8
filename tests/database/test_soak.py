"""Short forms of `make soak`: a few faults of each kind, on both engines. What was random is told in the figures."""

from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import Engine, text

from jobs import claims, queue
from jobs.timetable import JOBS
from soak import __main__ as soak
from soak import sound
from soak.clocks import clocks
from soak.copies import backups_under_load
from soak.databases import PATH, server
from soak.evidence import Finding, line
from soak.half_way import half_way
from soak.kills import KINDS, kill
from soak.senders import send
from soak.sends import faults, sends
from soak.server_gone import server_gone
from soak.slack_server import CHANNEL, TOKEN, fake_slack
from soak.source import Source, differences
from tests.database.conftest import in_turn

ROWS = 4_000
# A loop that tries again after a second instead of ten.
QUICK = """
import sys
from datetime import timedelta
import jobs.loop, jobs.runner
from jobs.__main__ import main
jobs.loop.TICK_SECONDS, jobs.runner.BACK_OFF = 1, (timedelta(seconds=1),)
sys.exit(main(["loop"]))
"""


@pytest.fixture(autouse=True)
def client_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump of the server's own version comes first."""
    monkeypatch.setenv("PATH", PATH)


def assert_passed(finding: Finding) -> None:
    assert finding.passed, line(finding)


# These die in tests of their own.
KILLED_ELSEWHERE = ("aggregate_models", "retrain", "check_swaps")
KILLED_HERE = [kind for kind in KINDS if kind.name not in KILLED_ELSEWHERE]


@pytest.mark.parametrize(("kind", "engine_name"), in_turn(*KILLED_HERE))
def test_kill_at_random_moments(engine: Engine, tmp_path: Path, kind: Any) -> None:
    """Each on one engine; `make soak` kills each on both."""
    assert_passed(kill(kind, engine, tmp_path, kills=1, seed=20261121, rows=ROWS))


def test_senders_that_are_killed_send_once(engine: Engine) -> None:
    assert_passed(sends(engine, kills=5, seed=20261121))


def test_migration_that_fails_half_way_on_a_filled_database(engine: Engine, tmp_path: Path) -> None:
    assert_passed(half_way(engine, tmp_path, ROWS))


def test_backups_under_load_are_each_of_one_moment(
    engine: Engine, another_engine: Engine, tmp_path: Path
) -> None:
    assert_passed(backups_under_load(engine, another_engine, tmp_path, backups=2))


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_clocks_that_change_and_are_set_back(engine: Engine) -> None:
    """On one engine: what is due is worked out from moments, by the same statements on both."""
    assert_passed(clocks(engine, seed=5, days=25))


def test_server_that_is_stopped_in_mid_job(tmp_path: Path) -> None:
    # Not below pytest's own folder: each new session closes that to other users, and for root the server runs as one.
    with TemporaryDirectory(prefix="tidemark-") as folder, server(Path(folder) / "postgresql") as running:
        assert_passed(server_gone(running, tmp_path, times=1, seed=1, rows=ROWS, loop=("-c", QUICK)))


# Whether the soak would see a fault at all


@pytest.fixture
def filled(engine: Engine) -> tuple[Engine, Source]:
    source = Source.of(400)
    source.store(engine)
    sound.aggregate(engine)
    assert source.faults(engine) + source.daily_faults(engine) + sound.faults(engine) == []
    return engine, source


@pytest.mark.parametrize(
    ("engine_name", "statement", "told"),
    [
        ("sqlite", "DELETE FROM model_evaluations WHERE prediction_id = 'p7'", "1 × evaluation lost"),
        (
            "postgresql",
            "UPDATE model_evaluations SET final_score = 0 WHERE prediction_id = 'p7'",
            "1 × evaluation different",
        ),
        (
            "sqlite",
            "UPDATE model_evaluations SET prediction_id = 'q' WHERE prediction_id = 'p7'",
            "evaluation not asked for",
        ),
        ("postgresql", "DELETE FROM daily_model_performance WHERE model_id = 2", "100 × daily row lost"),
        ("sqlite", "UPDATE daily_model_performance SET total_predictions = 2", "400 × daily row different"),
    ],
)
def test_a_fault_is_seen(filled: tuple[Engine, Source], statement: str, told: str) -> None:
    engine, source = filled
    before = sound.state(engine)
    with engine.begin() as connection:
        connection.execute(text(statement))
    assert any(told in fault for fault in source.faults(engine) + source.daily_faults(engine))
    assert sound.changes(before, sound.state(engine)) != []


def test_a_message_that_came_twice_or_never_is_seen(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    with fake_slack() as slack:
        bot = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_CHANNEL": CHANNEL, "SLACK_API_URL": f"{slack.address}/api/"}
        for name, value in bot.items():
            monkeypatch.setenv(name, value)
        week = date(2026, 11, 9)
        send(sqlite_engine, week, now)
        assert faults(sqlite_engine, slack, week) == []
        slack.files.pop()
        slack.take(slack.messages[0])
        told = faults(sqlite_engine, slack, week)
    assert len(told) == 3 and told[0].startswith("its messages are") and "its pictures are" in told[2]


def test_a_doubled_row_is_seen() -> None:
    found = [("a", (1,)), ("a", (1,)), ("b", (2,))]
    assert differences("row", found, {"a": (1,), "b": (2,)}) == ["1 × row doubled, first a"]


def test_another_definition_is_seen(filled: tuple[Engine, Source]) -> None:
    engine, _source = filled
    before = sound.state(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE INDEX one_more ON models (kind)"))
    assert sound.changes(before, sound.state(engine)) == ["table models: another definition"]


def test_a_run_that_runs_for_ever_is_seen(engine: Engine) -> None:
    job, far = JOBS["aggregate_models"], datetime(2999, 1, 1, tzinfo=UTC)
    queue.request(engine, job, job.read({}), trigger="manual", by="", now=far)
    assert claims.claim(engine, "another-machine:1:2.00", far)
    assert sound.running_after_a_tick(engine) == ["1 runs are running for ever"]


def test_what_breaks_off_is_a_fault_and_told() -> None:
    finding = Finding("something")
    with finding.timed():
        raise OSError("no room")
    assert line(finding).startswith("FAIL  something")
    assert "the soak broke off: OSError: no room" in line(finding)


def test_every_part_of_the_soak_can_be_asked_for_alone() -> None:
    call = soak._parser().parse_args(["--only", *soak.PARTS])
    assert (call.minutes, call.kills) == (10, 50)
