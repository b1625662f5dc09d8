"""Alerts by the real loop: one message at once, one in its thread at the end, nothing else, and no tick that waits."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

import settings
from db.engine import reading
from db.facts import HOLDS_DEMO, state_fact
from db.tables.operations import JobRun, Report
from jobs.alerting import Alerting
from jobs.job import Parameters
from jobs.loop import Loop
from jobs.pausing import pause
from jobs.timetable import JOBS
from reports.slack import Patience
from soak.slack_server import CHANNEL, TOKEN, WEBHOOK, FakeSlack, fake_slack

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MORNING = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # noon in Seoul
JOB = JOBS["aggregate_models"]
Told = list[str]


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with fake_slack() as running:
        yield running


class House:
    """A loop with a clock of its own, and a Slack; job runs are written as the runner writes them."""

    def __init__(self, engine: Engine, slack: FakeSlack, **values: Any) -> None:
        self.engine, self.slack, self.now = engine, slack, MORNING
        bot = {"slack_bot_token": TOKEN, "slack_channel": CHANNEL, "slack_api_url": f"{slack.address}/api/"}
        self.settings = settings.load(**(values or bot | {"public_url": "https://tidemark.example.org"}))
        self.loop = self.another_loop()

    def another_loop(self) -> Loop:
        loop = Loop(self.engine, self.settings, lambda: self.now)
        loop.alerting = Alerting(
            self.engine, self.settings, lambda: self.now, Patience(5, (0,), lambda _seconds: None)
        )
        return loop

    def tick(self, after: timedelta = MINUTE) -> None:
        self.now += after
        self.loop.tick()
        self.loop.alerting.wait(20)

    def ended(self, status: str, **values: Any) -> None:
        run = {"job": JOB.name, "params": {}, "params_hash": Parameters().hashed(), "trigger": "manual"}
        moments = {"queued_at": self.now, "finished_at": self.now}
        with self.engine.begin() as connection:
            connection.execute(insert(JobRun).values(run | moments | {"status": status} | values))

    @property
    def told(self) -> tuple[Told, Told]:
        """What stands in the channel, and in the thread of its first message."""
        channel = self.slack.posted()
        thread = self.slack.posted(channel[0]["ts"]) if channel else []
        return [one["text"] for one in channel], [one["text"] for one in thread]


@pytest.fixture
def house(sqlite_engine: Engine, slack: FakeSlack) -> House:
    house = House(sqlite_engine, slack)
    house.tick()
    return house


FAILED, WORKS = f"🔴 {JOB.title} failed", f"🟢 {JOB.title} works again"


def test_one_message_when_it_fails_and_one_in_its_thread_when_it_works(
    engine: Engine, slack: FakeSlack
) -> None:
    house = House(engine, slack)
    house.ended("failed", error="no prices for <!channel> 000660")
    for _minute in range(3):
        house.tick()
    assert house.told == ([FAILED], [])
    blocks = json.dumps(slack.messages[0]["blocks"], ensure_ascii=False)
    assert "no prices for <\u2060!channel> 000660" in blocks
    assert "Since 2026-11-20 12:00 (Asia/Seoul)." in blocks
    assert "https://tidemark.example.org/operations" in blocks
    house.ended("failed", error="still none")
    house.tick()
    assert house.told == ([FAILED], []), "it is the same trouble"
    house.ended("succeeded")
    for _minute in range(3):
        house.tick()
    assert house.told == ([FAILED], [WORKS])
    house.ended("lost")
    house.tick()
    assert house.told == ([FAILED, FAILED], [WORKS])


@pytest.mark.parametrize("status", ["succeeded", "cancelled"])
def test_nothing_else_is_told(house: House, status: str) -> None:
    house.ended(status)
    house.ended("failed", params={"dry_run": True})
    with house.engine.begin() as connection:
        connection.execute(update(JobRun).where(JobRun.status == "failed").values(params={"dry_run": True}))
    house.tick()
    assert house.told == ([], [])


def test_overdue_by_more_than_an_hour(house: House) -> None:
    house.tick(2 * HOUR)  # a slot at 17:00 is queued, and no worker takes it
    house.tick(3 * HOUR + 2 * MINUTE)
    house.tick(50 * MINUTE)
    assert not any(JOB.title in told for told in house.told[0]), "others are due earlier"
    house.tick(30 * MINUTE)
    overdue = {one.partition(" is overdue")[0].removeprefix("🔴 ") for one in house.told[0]}
    assert JOB.title in overdue
    before = len(house.slack.messages)
    with house.engine.begin() as connection:
        done = {"status": "succeeded", "finished_at": house.now}
        connection.execute(update(JobRun).where(JobRun.status == "queued").values(done))
    house.tick()
    told = [one["text"] for one in house.slack.messages[before:]]
    assert WORKS in told and all(one["thread_ts"] for one in house.slack.messages[before:])
    assert len(told) == before


def test_a_paused_job_is_not_overdue(house: House) -> None:
    for name in JOBS:
        pause(house.engine, house.settings, name, house.now)
    house.tick(2 * DAY)
    assert house.told == ([], [])


def test_two_loops_tell_it_once(house: House) -> None:
    other = house.another_loop()
    house.ended("failed", error="no")
    house.now += MINUTE
    house.slack.working_seconds = 0.05
    for loop in (house.loop, other):
        loop.tick()
    for loop in (house.loop, other):
        loop.alerting.wait(20)
    assert house.told == ([FAILED], [])


def test_the_tick_waits_for_nothing(house: House) -> None:
    house.ended("failed", error="no")
    going = threading.Event()
    answer = house.slack.answer
    house.slack.answer = lambda *call: going.wait(20) and answer(*call)  # type: ignore[method-assign,return-value]
    house.now += MINUTE
    house.loop.tick()
    house.now += MINUTE
    house.loop.tick()  # and the second begins no second look
    assert threading.active_count() and house.slack.messages == []
    going.set()
    house.loop.alerting.wait(20)
    assert house.told == ([FAILED], [])


def test_while_slack_is_away_it_is_tried_every_ten_minutes(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.slack.faults = ["not_in_channel"] * 3
    house.ended("failed", error="no")
    for _minute in range(9):
        house.tick()
    assert house.slack.calls.count("chat.postMessage") == 1
    assert "invite the bot" in caplog.text and TOKEN not in caplog.text
    house.slack.faults = []
    house.tick(2 * MINUTE)
    assert house.told == ([FAILED], [])


def test_trouble_that_was_over_before_it_could_be_told_is_not_told(house: House) -> None:
    house.slack.faults = ["not_in_channel"]
    house.ended("failed", error="no")
    house.tick()
    house.ended("succeeded")
    house.tick(11 * MINUTE)
    assert house.told == ([], [])


def test_a_webhook_has_no_threads(sqlite_engine: Engine, slack: FakeSlack) -> None:
    house = House(sqlite_engine, slack, slack_webhook_url=slack.address + WEBHOOK)
    house.ended("failed", error="no")
    house.tick()
    house.ended("succeeded")
    house.tick()
    assert house.told == ([FAILED, WORKS], [])


def test_without_slack_and_of_a_demo_nothing_is_told(sqlite_engine: Engine, slack: FakeSlack) -> None:
    house = House(sqlite_engine, slack)
    with sqlite_engine.begin() as connection:
        state_fact(connection, HOLDS_DEMO, "yes")
    house.ended("failed", error="no")
    house.tick()
    quiet = House(sqlite_engine, slack, slack_channel=CHANNEL)
    quiet.tick()
    with reading(sqlite_engine) as connection:
        assert connection.execute(select(Report)).all() == []
    assert slack.calls == []


def test_half_of_the_settings_is_told_in_the_log(
    sqlite_engine: Engine, slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(sqlite_engine, slack, slack_bot_token=TOKEN)
    house.ended("failed", error="no")
    house.tick()
    assert "set SLACK_CHANNEL" in caplog.text


def test_each_job_is_told_of_for_itself(house: House) -> None:
    house.ended("failed", error="no")
    house.tick()

    house.ended("failed", error="no", job="aggregate_quality")
    house.tick()
    assert house.told[0] == [FAILED, f"🔴 {JOBS['aggregate_quality'].title} failed"]
