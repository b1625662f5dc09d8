"""Deliveries against a Slack that fails before and after it took a message: always one message and a true status."""

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update

import settings
from db.engine import reading
from db.errors import Refused
from db.tables.operations import Report
from reports import claims
from reports.blocks import Header, Item, Message, Picture, Text
from reports.deliver import Delivery, deliver, resolve, send_stored
from reports.slack import Patience
from reports.stored import from_json
from soak.slack_server import AFTER, CHANNEL, TOKEN, WEBHOOK, FakeSlack, fake_slack
from tests.messages import png

WEEK = date(2026, 11, 9)
KIND = "weekly_digest"
LATER = timedelta(minutes=6)
PICTURE = Picture("score", "AI answer score", "A line that goes up to 8.3", png(8, 4))
MESSAGE = Message("Week 46: 8.3", (Header("Week 46"), Text(("Score 8.3",))))


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with fake_slack() as running:
        yield running


class Sender:
    """A database, a Slack, and what a job does with them; nothing waits."""

    def __init__(self, engine: Engine, slack: FakeSlack, now: datetime) -> None:
        self.engine, self.slack, self.now = engine, slack, now
        self.waited: list[float] = []
        self.values: dict[str, Any] = {
            "slack_bot_token": TOKEN,
            "slack_channel": CHANNEL,
            "slack_api_url": f"{slack.address}/api/",
        }
        self.patience = Patience(15, (0, 2, 5), self.waited.append)

    def by_webhook(self) -> None:
        self.values = {"slack_webhook_url": self.slack.address + WEBHOOK}

    def send(self, message: Message = MESSAGE, **options: Any) -> Delivery:
        found = settings.load(**self.values)
        common: dict[str, Any] = {"kind": KIND, "week": WEEK, "now": self.now, "patience": self.patience}
        return deliver(self.engine, found, message, **(common | options))

    @property
    def rows(self) -> list[Any]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(Report).order_by(Report.id)))

    @property
    def row(self) -> Any:
        [row] = self.rows
        return row


@pytest.fixture
def sender(sqlite_engine: Engine, slack: FakeSlack, now: datetime) -> Sender:
    return Sender(sqlite_engine, slack, now)


def texts(slack: FakeSlack, thread: str | None = None) -> list[str]:
    return [one["text"] for one in slack.posted(thread)]


# What is sent


def test_a_digest_is_sent_once_on_both_engines(engine: Engine, slack: FakeSlack, now: datetime) -> None:
    sender = Sender(engine, slack, now)
    sent = sender.send(Message("Week 46", (*MESSAGE.blocks, PICTURE)))
    assert (sent.status, sent.reason) == ("sent", "")
    assert sent.url == sender.row.permalink and sent.url.startswith("https://example.slack.com/archives/")
    again = sender.send()
    assert (again.status, again.reason, again.url) == ("sent", "It was sent before.", sent.url)
    [message] = slack.messages
    row = sender.row
    assert (row.status, row.message_ts, row.channel_id) == ("sent", message["ts"], CHANNEL)
    assert (row.claimed_by, row.claimed_at, row.error) == (None, None, None)
    payload = message["metadata"]["event_payload"]
    assert (payload["key"], payload["mark"]) == (f"{KIND}:2026-11-09", row.mark)
    assert message["blocks"][0]["block_id"] == f"{KIND}:2026-11-09#{row.mark}/0"
    assert from_json(row.content).summary == "Week 46"
    [file] = slack.files
    assert (file["thread_ts"], file["files"][0]["title"]) == (message["ts"], "AI answer score")


def test_slack_is_never_called_inside_a_transaction(sender: Sender) -> None:
    open_ones: list[Any] = []
    event.listen(sender.engine, "begin", lambda connection: open_ones.append(connection))
    for ending in ("commit", "rollback"):
        event.listen(sender.engine, ending, lambda connection: open_ones.remove(connection))
    at_calls: list[int] = []
    answer = sender.slack.answer
    sender.slack.answer = lambda *call: at_calls.append(len(open_ones)) or answer(*call)  # type: ignore[method-assign,func-returns-value]
    sender.send(Message("Week 46", (*MESSAGE.blocks, PICTURE)))
    assert len(at_calls) >= 4 and set(at_calls) == {0}


def test_a_long_digest_goes_on_in_its_thread(sender: Sender, slack: FakeSlack) -> None:
    message = Message("200 models", [Item(f"model-{n} fell by {n}") for n in range(200)])
    assert sender.send(message).status == "sent"
    [first] = slack.posted()
    assert len(slack.posted(first["ts"])) >= 3
    assert sender.row.parts["posts"] == [one["ts"] for one in slack.messages]


def test_a_test_in_another_channel_does_not_use_up_the_key(sender: Sender, slack: FakeSlack) -> None:
    assert sender.send(channel="C0999999999").status == "sent"
    assert sender.send().status == "sent"
    assert len(slack.messages) == 2
    assert [row.channel for row in sender.rows] == ["C0999999999", CHANNEL]


def test_name_and_id_of_a_channel_are_one(sender: Sender, slack: FakeSlack) -> None:
    assert sender.send(channel="#ai-weekly").status == "sent"
    assert sender.send(channel=CHANNEL).reason == "It was sent before."
    assert len(slack.messages) == 1


def test_simulated_data_never_leave_this_machine(sender: Sender, slack: FakeSlack) -> None:
    sent = sender.send(Message("Week 46", MESSAGE.blocks, demo=True))
    assert sent.status == "sent" and sent.reason.startswith(
        "Simulated data are never sent to Slack. Written to"
    )
    assert slack.calls == []
    assert sender.row.channel == "file"


def test_without_slack_the_digest_is_a_file(sender: Sender) -> None:
    sender.values = {}
    sent = sender.send()
    path = settings.load().reports_dir / "weekly_digest-2026-11-09-en.html"
    assert (sent.status, sent.reason) == ("sent", f"Written to {path}.")
    assert "Score 8.3" in path.read_text(encoding="utf-8")
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("values", "options", "told"),
    [
        ({"slack_bot_token": TOKEN}, {}, "set SLACK_CHANNEL"),
        ({"slack_webhook_url": "https://hooks.example.org/x"}, {"channel": "other"}, "its own channel only"),
    ],
)
def test_where_there_is_no_way(sender: Sender, values: dict[str, Any], options: Any, told: str) -> None:
    sender.values = values
    with pytest.raises(Refused, match=told):
        sender.send(**options)
    assert sender.rows == []


# Faults


@pytest.mark.parametrize("fault", ["500", "503", "cut", *AFTER])
def test_one_message_whatever_fails(sender: Sender, slack: FakeSlack, fault: str) -> None:
    slack.faults = [fault]
    if "late" in fault:
        sender.patience = Patience(0.3, (0,), sender.waited.append)  # type: ignore[arg-type]
    assert sender.send().status == "sent"
    assert texts(slack) == ["Week 46: 8.3"]
    assert "conversations.history" in slack.calls
    assert sender.row.status == "sent"


def test_one_message_where_slack_is_late(sender: Sender, slack: FakeSlack) -> None:
    slack.faults = ["late"]
    sender.patience = Patience(0.3, (0,), sender.waited.append)  # type: ignore[arg-type]
    assert sender.send().status == "sent"
    assert texts(slack) == ["Week 46: 8.3"]


def test_a_rate_limit_is_waited_for(sender: Sender, slack: FakeSlack) -> None:
    slack.faults = ["429", "429"]
    assert sender.send().status == "sent"
    assert sender.waited == [7.0, 7.0]
    assert "conversations.history" not in slack.calls, "nothing was taken, so nothing is asked"
    slack.faults = ["429"] * 3
    failed = sender.send(week=WEEK + timedelta(days=7))
    assert (failed.status, failed.passing) == ("failed", True)
    assert failed.reason.startswith("Slack asks to wait")


def test_what_cannot_be_reached_failed_and_may_be_sent_later(sender: Sender, slack: FakeSlack) -> None:
    sender.values["slack_api_url"] = "http://127.0.0.1:9/api/"
    failed = sender.send()
    assert (failed.status, failed.passing) == ("failed", True)
    assert failed.reason == "Slack cannot be reached (ConnectionRefusedError)."
    assert sender.row.error == failed.reason
    sender.values["slack_api_url"] = f"{slack.address}/api/"
    assert sender.send().status == "sent"
    assert len(slack.messages) == 1 and sender.row.error is None


def test_a_slack_that_never_works_fails_in_the_end(sender: Sender, slack: FakeSlack) -> None:
    slack.faults = ["500"] * 9
    failed = sender.send()
    assert (failed.status, failed.passing, slack.messages) == ("failed", True, [])
    assert slack.calls.count("chat.postMessage") == 3


def test_what_slack_refuses_is_told_in_plain_words(sender: Sender, slack: FakeSlack) -> None:
    slack.faults = ["not_in_channel"]
    failed = sender.send()
    assert (failed.status, failed.passing) == ("failed", False)
    assert failed.reason == f"The bot is not in the channel: invite the bot to {CHANNEL}."


def test_without_the_history_scope_nobody_knows(sender: Sender, slack: FakeSlack) -> None:
    slack.faults, slack.elsewhere = ["cut after"], {"conversations.history": "missing_scope"}
    unknown = sender.send()
    assert (unknown.status, unknown.passing) == ("unknown", False)
    assert "channels:history" in unknown.reason and "Look into the channel" in unknown.reason
    assert sender.send(again=True).status == "unknown", "nothing is sent by itself"
    assert len(slack.messages) == 1
    resolve(sender.engine, sender.row.id, "there", sender.now)
    assert sender.send().reason == "It was sent before."
    with pytest.raises(Refused, match="known how it stands"):
        resolve(sender.engine, sender.row.id, "again", sender.now)
    with pytest.raises(Refused, match="no report 99"):
        resolve(sender.engine, 99, "there", sender.now)


def test_people_may_say_send_it_again(sender: Sender, slack: FakeSlack) -> None:
    slack.faults, slack.elsewhere = ["cut"], {"conversations.history": "missing_scope"}
    assert sender.send().status == "unknown"
    resolve(sender.engine, sender.row.id, "again", sender.now)
    sent = send_stored(sender.engine, settings.load(**sender.values), sender.row.id, sender.now)
    assert (sent.status, texts(slack)) == ("sent", ["Week 46: 8.3"])


def test_while_history_is_away_nothing_is_sent(sender: Sender, slack: FakeSlack) -> None:
    slack.faults, slack.elsewhere = ["cut after"], {"conversations.history": "500"}
    waiting = sender.send()
    assert (waiting.status, waiting.passing) == ("sending", True)
    assert sender.send().status == "sending"
    slack.elsewhere = {}
    assert sender.send().status == "sent", "and it need not wait until somebody counts as dead"
    assert len(slack.messages) == 1


# Two senders


def test_of_two_that_race_one_wins(engine: Engine, slack: FakeSlack, now: datetime) -> None:
    sender = Sender(engine, slack, now)
    slack.working_seconds = 0.1
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(sender.send().status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(slack.messages) == 1
    assert sorted(found) == ["sending", "sending", "sending", "sent"]


def test_a_living_sender_is_left_alone_and_a_dead_one_followed(sender: Sender, slack: FakeSlack) -> None:
    held: dict[str, Any] = {"kind": KIND, "week": WEEK, "channel": CHANNEL, "again": False}
    assert isinstance(claims.claim(sender.engine, MESSAGE, **held, now=sender.now), claims.Claim)
    assert sender.send().reason == "Another process is sending it."
    sent = sender.send(now=sender.now + LATER)
    assert (sent.status, len(slack.messages)) == ("sent", 1)
    assert slack.calls[0] == "conversations.history", "Slack is asked before anything is sent"


def test_what_a_dead_sender_posted_is_found_and_brought_up_to_date(sender: Sender, slack: FakeSlack) -> None:
    assert sender.send().status == "sent"
    with sender.engine.begin() as connection:  # as if it had been killed before it wrote down anything
        row = {"status": "sending", "claimed_by": "x", "claimed_at": sender.now, "message_ts": None}
        parts = {"since": sender.now.timestamp()}
        connection.execute(update(Report).values(**row, parts=parts, channel_id=None))
    newer = Message("Week 46: 8.4", MESSAGE.blocks)
    assert sender.send(newer, now=sender.now + LATER).status == "sent"
    assert texts(slack) == ["Week 46: 8.4"]
    assert from_json(sender.row.content) == newer


def test_who_lost_its_row_stops(sender: Sender, slack: FakeSlack) -> None:
    answer = sender.slack.answer

    def taken_away(method: str, call: dict[str, Any]) -> dict[str, Any]:
        with sender.engine.begin() as connection:
            connection.execute(update(Report).values(claimed_by="another"))
        return answer(method, call)

    slack.answer = taken_away  # type: ignore[method-assign]
    assert sender.send(Message("x", (*MESSAGE.blocks, PICTURE))).reason == "Another process is sending it."
    assert sender.row.claimed_by == "another" and slack.files == []


# Sent again


def test_again_changes_the_message_and_says_so_in_its_thread(sender: Sender, slack: FakeSlack) -> None:
    sender.send()
    again = sender.send(
        Message("Week 46: 8.4", MESSAGE.blocks), again=True, note="Restated: 8.3 → 8.4 <!here>"
    )
    assert again.status == "sent"
    [message] = slack.posted()
    assert message["text"] == "Week 46: 8.4" and message["blocks"][0]["block_id"].endswith("/0/r1")
    assert texts(slack, message["ts"]) == ["Restated: 8.3 → 8.4 &lt;\u2060!here&gt;"]
    sender.send(again=True)
    assert texts(slack, message["ts"])[1:] == ["Sent again with the numbers as they are now."]
    assert len(slack.messages) == 3


def test_again_that_fails_goes_on_where_it_was(sender: Sender, slack: FakeSlack) -> None:
    sender.send()
    slack.faults = ["not_in_channel"]
    assert sender.send(again=True, note="Restated").status == "failed"
    assert sender.send(note="Restated").status == "sent"
    assert len(slack.posted()) == 1
    assert texts(slack, slack.posted()[0]["ts"]) == ["Restated"]


def test_what_got_shorter_is_taken_back_from_the_thread(sender: Sender, slack: FakeSlack) -> None:
    sender.send(Message("many", [Item(f"model-{n}") for n in range(60)]))
    first = slack.posted()[0]["ts"]
    sender.send(again=True)
    assert texts(slack, first)[0] == "Not needed any more: see the message above."


def test_a_message_that_people_deleted_is_posted_anew(sender: Sender, slack: FakeSlack) -> None:
    sender.send()
    slack.messages.clear()
    assert sender.send(again=True).status == "sent"
    assert texts(slack) == ["Week 46: 8.3"]


# Pictures


def test_pictures_are_uploaded_once_and_anew_where_they_changed(sender: Sender, slack: FakeSlack) -> None:
    message = Message("Week 46", (*MESSAGE.blocks, PICTURE))
    sender.send(message)
    sender.send(message, again=True)
    assert len(slack.files) == 1
    other = Picture("score", "AI answer score", "", png(9, 4))
    sender.send(Message("Week 46", (*MESSAGE.blocks, other)), again=True)
    assert len(slack.files) == 2


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_a_picture_that_fails_is_told_and_fails_nothing(
    sender: Sender, slack: FakeSlack, method: str
) -> None:
    message = Message("Week 46", (*MESSAGE.blocks, PICTURE))
    slack.elsewhere = {method: "missing_scope"}
    sent = sender.send(message)
    assert sent.status == "sent" and sent.reason.startswith("The picture “AI answer score” is missing: ")
    assert sender.row.error == sent.reason
    slack.elsewhere = {}
    assert sender.send(message, again=True).reason == ""
    assert len(slack.files) == 1 and sender.row.error is None


def test_a_picture_that_arrived_unseen_is_not_sent_twice(sender: Sender, slack: FakeSlack) -> None:
    message = Message("Week 46", (*MESSAGE.blocks, PICTURE))
    slack.elsewhere = {"files.completeUploadExternal": "cut after"}
    assert "is missing: The connection to Slack broke off" in sender.send(message).reason
    slack.elsewhere = {}
    sender.send(message, again=True)
    assert len(slack.files) == 1


# Webhook


def test_a_webhook_posts_once(sender: Sender, slack: FakeSlack) -> None:
    sender.by_webhook()
    assert sender.send(Message("Week 46: 8.3", (*MESSAGE.blocks, PICTURE))).status == "sent"
    assert sender.send().reason == "It was sent before."
    assert texts(slack) == ["Week 46: 8.3"] and slack.files == []
    assert sender.send(again=True).status == "sent"
    assert len(slack.messages) == 2, "it can change nothing, so a person's wish is another message"


@pytest.mark.parametrize("fault", ["500", "cut after", "500 after", "nonsense after"])
def test_after_a_webhook_failed_only_people_can_look(sender: Sender, slack: FakeSlack, fault: str) -> None:
    sender.by_webhook()
    slack.faults = [fault]
    unknown = sender.send()
    assert (unknown.status, unknown.passing) == ("unknown", False)
    before = len(slack.messages)
    assert sender.send().status == "unknown"
    assert len(slack.messages) == before


def test_a_webhook_whose_sender_died_is_not_known(sender: Sender, slack: FakeSlack) -> None:
    sender.by_webhook()
    held: dict[str, Any] = {"kind": KIND, "week": WEEK, "channel": "webhook", "again": False}
    claims.claim(sender.engine, MESSAGE, **held, now=sender.now)
    assert sender.send(now=sender.now + LATER).status == "unknown"
    assert slack.messages == []


def test_a_webhook_is_limited_and_goes_on_where_it_was(sender: Sender, slack: FakeSlack) -> None:
    sender.by_webhook()
    message = Message("many", [Item(f"model-{n}") for n in range(60)])
    slack.faults = ["", "429", "429", "429"]
    failed = sender.send(message)
    assert (failed.status, failed.passing, len(slack.messages)) == ("failed", True, 1)
    assert sender.send(message).status == "sent"
    assert len(slack.messages) == 2


def test_what_a_webhook_refuses_is_told_in_plain_words(sender: Sender, slack: FakeSlack) -> None:
    sender.by_webhook()
    slack.faults = ["no_service"]
    failed = sender.send()
    assert (failed.status, failed.passing) == ("failed", False)
    assert failed.reason.startswith("The incoming webhook is gone. Make a new one")
