"""The job send_digest by the real loop and runner, with a clock that is set and a Slack that fails as it is told."""

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from sqlalchemy import Engine, func, select
from test_aggregate_models import Here
from told_weeks import BEFORE, MONDAY, WEEK, Weeks, around

import settings
from db.engine import reading
from db.errors import Refused
from db.facts import HOLDS_DEMO
from db.facts import state_fact as state
from db.tables.operations import JobRun, Report, StaleMark, Verdict
from jobs import fresh_weeks, queue, runner
from jobs.alerting import Alerting
from jobs.job import Outcome, Passing
from jobs.loop import Loop
from jobs.pausing import pause
from jobs.send_digest import JOB, SendDigestParameters, send_digest
from jobs.timetable import JOBS
from reports.deliver import deliver
from reports.slack import Patience
from soak.slack_server import CHANNEL, TOKEN, FakeSlack, fake_slack
from tests.database.emulated_slack import TOKEN as EMULATED_TOKEN
from tests.database.emulated_slack import emulator

DAY, A_WEEK, MINUTE = timedelta(days=1), timedelta(weeks=1), timedelta(minutes=1)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with fake_slack() as running:
        yield running


class House:
    """A database with two weeks of answers, a clock, and the loop that looks at both."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.now = engine, MONDAY - MINUTE
        self.loop = Loop(engine, settings.current(), lambda: self.now)
        self.loop.tick()  # everything is due from here on
        self.weeks = Weeks(engine, folder, now=MONDAY)
        self.weeks.answers(BEFORE, around(7.5, 40), likes=3)
        self.weeks.answers(WEEK, around(8.3, 42), likes=9, dislikes=2)

    def at(self, moment: datetime) -> None:
        """A tick at that moment, and all that then waits is worked off."""
        self.now = moment
        self.loop.tick()
        while self.loop.work_once():
            pass

    def ask(self, **params: Any) -> Any:
        """Runs the job as asked by a person; its row when it has ended, or waits for another try."""
        asked = queue.request(self.engine, JOB, JOB.read(params), trigger="manual", by="ada", now=self.now)
        while self.loop.work_once():
            pass
        return queue.run_row(self.engine, asked.id)

    @property
    def runs(self) -> list[Any]:
        """Those of send_digest that were no slot of another's, in order."""
        mine = select(JobRun).where(JobRun.job == JOB.name, JobRun.status != "covered")
        with reading(self.engine) as connection:
            return list(connection.execute(mine.order_by(JobRun.id)))

    @property
    def reports(self) -> list[Any]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(Report).order_by(Report.id)))

    def count(self, table: Any) -> int:
        with reading(self.engine) as connection:
            return int(connection.scalar(select(func.count()).select_from(table)) or 0)


MakeHouse = Callable[[Engine], House]


@pytest.fixture
def make_house(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MakeHouse:
    """Its settings name the fake Slack; nothing waits, and no alert is posted beside the digest."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_CHANNEL", CHANNEL)
    monkeypatch.setenv("SLACK_API_URL", f"{slack.address}/api/")
    monkeypatch.setattr(Alerting, "look", lambda _self: None)
    monkeypatch.setattr(fresh_weeks, "LOOK_SECONDS", 0.01)
    monkeypatch.setitem(deliver.__kwdefaults__, "patience", Patience(5, (0, 0), lambda _seconds: None))
    monkeypatch.setattr("reports.sections.quality._picture", lambda _context: [])

    def make(engine: Engine) -> House:
        monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
        return House(engine, tmp_path)

    return make


@pytest.fixture
def house(sqlite_engine: Engine, make_house: MakeHouse) -> House:
    return make_house(sqlite_engine)


def said(slack: FakeSlack, number: int = 0) -> str:
    """All words of a message."""
    return json.dumps(slack.messages[number]["blocks"], ensure_ascii=False)


# When it runs


def test_monday_at_nine_by_the_loop(engine: Engine, make_house: MakeHouse, slack: FakeSlack) -> None:
    """What came since the last aggregation is in it, and it is sent once."""
    house = make_house(engine)
    house.at(MONDAY - MINUTE)
    assert house.runs == []
    house.weeks.answers(WEEK, around(9.1, 84), model="late")
    house.weeks.predictions(BEFORE, around(70, 20))
    house.weeks.predictions(WEEK, around(72, 20))
    for minutes in (0, 1, 90):
        house.at(MONDAY + minutes * MINUTE)
    run = house.runs[-1]
    assert (run.status, run.trigger, run.scheduled_for) == ("succeeded", "schedule", MONDAY), run.error
    assert len(slack.messages) == 1
    told = said(slack, -1)
    assert "Average score this week (9 – 15 Nov): 8.8" in told, "(42 · 8.3 + 84 · 9.1) / 126"
    assert "mean score 72.0 (+2.0 to the week before, n = 20 / 20)" in told
    assert "(improved, n = 126 / 40)" in told and "late: it was due" not in told
    row = house.reports[-1]
    assert (row.week_start, row.status, row.channel) == (WEEK, "sent", CHANNEL)
    assert run.result["url"] == row.permalink


def test_after_two_missed_mondays_the_newest_week_is_sent_once(house: House, slack: FakeSlack) -> None:
    house.at(MONDAY)
    first = len(slack.messages)
    house.weeks.now = away = MONDAY + 2 * A_WEEK + 2 * DAY
    house.weeks.answers(WEEK + 2 * A_WEEK, around(6, 40))
    house.at(away)
    house.at(away + MINUTE)
    assert house.runs[-1].trigger == "catch-up" and len(slack.messages) == first + 1
    told = said(slack, -1)
    assert "Tidemark, week 48 · 23 – 29 Nov 2026" in told
    assert "late: it was due Mon 30 Nov 09:00 2026" in told and "1 week before it was not sent" in told


def test_a_week_that_is_not_over_is_refused_at_once(house: House) -> None:
    house.now = MONDAY - MINUTE * 9 * 60 - MINUTE
    with pytest.raises(Refused, match="not over yet") as refused:
        house.ask(week="2026-W46")
    assert refused.value.status == 2 and house.runs == []
    house.now += MINUTE
    assert house.ask(week="2026-W46").status == "succeeded"


# What it brings up to date first


def failing(name: str, error: Exception, times: int = 99) -> tuple[str, Any]:
    """A job of the timetable that raises so often before it works."""
    job, left = JOBS[name], [times]

    def work(engine: Engine, params: Any, run: Any) -> Outcome:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return job.work(engine, params, run)

    return name, dataclasses.replace(job, work=work)


def test_an_aggregation_that_fails_is_told_on_top(
    engine: Engine, make_house: MakeHouse, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(engine)
    monkeypatch.setenv("REPORT_LANGUAGE", "en")
    monkeypatch.setenv("LANGUAGE", "ko")
    house.weeks.settle()
    house.weeks.answers(WEEK, [1, 1, 1], model="late")
    monkeypatch.setitem(JOBS, *failing("aggregate_quality", RuntimeError("no space left")))
    house.now = MONDAY
    run = house.ask()
    assert run.status == "succeeded", run.error
    told = said(slack)
    top, _title, rest = told.partition("What changed, ranked by surprise")
    assert "🔴 Needs a person: 1" in top and "Aggregate AI quality failed" in top
    assert "RuntimeError: no space left" in top, "in the language of the digest, not of the worker"
    assert "Not up to date: 9 Nov 2026, 10 Nov 2026, 11 Nov 2026." in top
    assert "Average score this week (9 – 15 Nov): 8.3" in rest


def test_an_aggregation_is_tried_again_before_the_digest(
    house: House, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BACK_OFF", (timedelta(0),))
    monkeypatch.setitem(JOBS, *failing("aggregate_quality", Passing("the disk is busy"), times=2))
    house.now = MONDAY
    assert house.ask().status == "succeeded"
    assert "Average score this week (9 – 15 Nov): 8.3" in said(slack) and "Needs a person" not in said(slack)


def test_a_paused_aggregation_stays_paused_and_is_told(house: House, slack: FakeSlack) -> None:
    house.now = MONDAY
    pause(house.engine, settings.current(), "aggregate_quality", MONDAY)
    assert house.ask().status == "succeeded"
    assert "Not up to date: 2 – 15 Nov 2026." in said(slack)


def test_the_verdicts_wait_for_the_last_rows(
    house: House, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of judge_week that is under way read what was there before: it is waited for, not joined."""
    house.now = MONDAY
    judge = JOBS["judge_week"]
    begun = queue.request(house.engine, judge, judge.read({}), trigger="manual", by="ada", now=MONDAY)
    from jobs import claims
    from jobs.workers import this_worker

    claimed = claims.claim(house.engine, this_worker(), MONDAY, begun.id)
    assert claimed
    ending = threading.Timer(
        0.5, claims.finish, (house.engine, claimed, "succeeded", MONDAY), {"message": "", "rows_written": 0}
    )
    ending.start()
    assert house.ask().status == "succeeded"
    ending.join()
    assert "(improved, n = 42 / 40)" in said(slack)


# What it does not do


def test_a_dry_run_writes_and_sends_nothing(house: House, slack: FakeSlack) -> None:
    house.now = MONDAY
    tables = (Report, StaleMark, Verdict)
    before = [house.count(table) for table in tables]
    run = house.ask(dry_run=True)
    assert run.status == "succeeded" and run.message.startswith("Dry run. Tidemark, week 46")
    assert [house.count(table) for table in tables] == before
    assert slack.calls == [] and house.count(JobRun) == 1
    assert not settings.current().reports_dir.exists()


def test_a_test_in_another_channel_does_not_use_up_the_week(house: House, slack: FakeSlack) -> None:
    house.now = MONDAY - MINUTE
    assert house.ask(channel="C0999999999", week="2026-W45").status == "succeeded"
    house.now = MONDAY + DAY
    assert house.ask(channel="C0999999999").status == "succeeded"
    assert "late" not in said(slack, 1), "nobody waited for a test"
    house.at(MONDAY + 2 * DAY)
    assert [row.channel for row in house.reports[-2:]] == ["C0999999999", CHANNEL]
    assert house.reports[-1].week_start == WEEK


def test_without_slack_it_is_a_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_CHANNEL", "SLACK_API_URL"):
        monkeypatch.delenv(name)
    house.now = MONDAY
    run = house.ask()
    file = settings.current().reports_dir / f"weekly_digest-{WEEK}-en.html"
    assert run.status == "succeeded" and run.message.endswith(f"Written to {file}.")
    assert "Average score this week" in file.read_text(encoding="utf-8")


def test_a_demo_is_never_sent(house: House, slack: FakeSlack) -> None:
    with house.engine.begin() as connection:
        state(connection, HOLDS_DEMO, "yes")
    house.now = MONDAY
    run = house.ask()
    assert run.status == "succeeded" and "Simulated data are never sent to Slack." in run.message
    assert slack.calls == []


# Faults


def test_a_passing_fault_is_tried_again_by_the_runner(
    house: House, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api/")
    house.now = MONDAY
    run = house.ask()
    assert (run.status, run.attempt) == ("queued", 2)
    assert "Slack cannot be reached" in run.message and "Tried again in 10 s." in run.message
    assert house.reports[-1].status == "failed"
    monkeypatch.setenv("SLACK_API_URL", f"{slack.address}/api/")
    house.now += 11 * timedelta(seconds=1)
    while house.loop.work_once():
        pass
    assert house.runs[-1].status == "succeeded" and house.reports[-1].status == "sent"
    assert len(slack.messages) == 1


@pytest.mark.parametrize("fault", ["cut after", "500 after", "nonsense after", "429", "503"])
def test_one_message_whatever_fails(house: House, slack: FakeSlack, fault: str) -> None:
    slack.faults = [fault]
    house.now = MONDAY
    run = house.ask()
    assert run.status == "succeeded", run.error
    assert len(slack.messages) == 1


def test_what_slack_refuses_fails_in_plain_words(house: House, slack: FakeSlack) -> None:
    slack.faults = ["not_in_channel"]
    house.now = MONDAY
    run = house.ask()
    assert run.status == "failed" and run.attempt == 1
    assert run.error == f"The bot is not in the channel: invite the bot to {CHANNEL}."
    assert house.reports[-1].status == "failed" and slack.messages == []
    assert house.ask().status == "succeeded", "once it is mended"


def test_of_two_that_race_one_sends(engine: Engine, make_house: MakeHouse, slack: FakeSlack) -> None:
    house = make_house(engine)
    house.weeks.settle()
    slack.working_seconds = 0.1
    ended: list[str] = []
    together = threading.Barrier(2)

    def send() -> None:
        together.wait()
        try:
            ended.append(send_digest(engine, SendDigestParameters(), Here(MONDAY)).summary)
        except Passing as fault:
            ended.append(str(fault))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 2 and len(slack.messages) == 1, ended


def test_its_claim_is_no_older_than_it_is(
    house: House, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aggregations took ten minutes: who looks at the claim then must not think that its sender is dead."""
    passed = [0.0]
    monkeypatch.setattr(fresh_weeks.time, "monotonic", lambda: passed[0])
    real = fresh_weeks._run

    def slow(*args: Any) -> str:
        passed[0] += 200
        return real(*args)

    monkeypatch.setattr(fresh_weeks, "_run", slow)
    seen: list[datetime] = []
    answer = slack.answer
    slack.answer = lambda *call: seen.append(house.reports[-1].claimed_at) or answer(*call)  # type: ignore[method-assign,func-returns-value]
    house.now = MONDAY
    assert house.ask().status == "succeeded"
    assert seen[0] >= MONDAY + 600 * timedelta(seconds=1)


# Again


def test_again_changes_the_message_and_says_so(
    engine: Engine, make_house: MakeHouse, slack: FakeSlack
) -> None:
    house = make_house(engine)
    house.now = MONDAY
    house.ask()
    [message] = slack.posted()
    house.weeks.answers(WEEK, around(9.1, 84), model="late")
    house.now = MONDAY + 3 * DAY
    assert "It was sent before." in house.ask().message
    assert "8.3" in said(slack)
    run = house.ask(again=True)
    assert run.status == "succeeded"
    assert [one["ts"] for one in slack.posted()] == [message["ts"]]
    told = said(slack)
    assert "Average score this week (9 – 15 Nov): 8.8" in told and "late" not in told.partition("Made")[2]
    assert [one["text"] for one in slack.posted(message["ts"])] == [
        "Sent again with the numbers as they are now."
    ]


# The whole way


@pytest.mark.xdist_group("emulate")
def test_the_whole_way_into_an_emulated_slack(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weeks = Weeks(sqlite_engine, tmp_path)
    weeks.answers(BEFORE, around(7.5, 40))
    weeks.answers(WEEK, around(8.3, 42), likes=9)
    weeks.predictions(BEFORE, around(70, 40, 4), "a", "b")
    weeks.predictions(WEEK, around(72, 40, 4), "a", "b")
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    monkeypatch.setenv("SLACK_BOT_TOKEN", EMULATED_TOKEN)
    monkeypatch.setenv("SLACK_CHANNEL", "ai-weekly")
    monkeypatch.setenv("REPORT_LANGUAGE", "ko")
    with emulator(tmp_path) as emulated:
        monkeypatch.setenv("SLACK_API_URL", emulated.api)
        sent = send_digest(sqlite_engine, SendDigestParameters(), Here(MONDAY))
        person = WebClient(EMULATED_TOKEN, base_url=emulated.api)
        [channel] = [
            one["id"] for one in person.conversations_list()["channels"] if one["name"] == "ai-weekly"
        ]
        [message] = person.conversations_history(channel=channel)["messages"]
        thread = person.conversations_replies(channel=channel, ts=message["ts"])["messages"][1:]
    assert channel in sent.result["url"]
    told = json.dumps(message["blocks"], ensure_ascii=False)
    assert "- 이번주 평균 점수 (11/9–11/15): 8.3" in told and "n = 42 / 40" in told
    assert [file["mimetype"] for one in thread for file in one["files"]] == ["image/png"] * 2


def test_the_week_of_a_form_may_be_any_of_its_days() -> None:
    assert SendDigestParameters(week="2026-W46").week == WEEK == SendDigestParameters(week="2026-11-12").week
    assert SendDigestParameters(week=date(2026, 11, 15)).week == WEEK
    for wrong in ("0001-01-01", "2026-W54", "W", "soon"):
        with pytest.raises(Refused, match="is not a"):
            SendDigestParameters(week=wrong)
