"""The whole way against an emulated Slack: blocks, pictures in the thread, changes, notes, scopes, webhook, check."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from sqlalchemy import Engine, update

import settings
from db.tables.operations import Report
from reports.__main__ import main
from reports.blocks import Message, Picture
from reports.deliver import Delivery, deliver
from reports.slack import Patience
from tests import messages
from tests.database.emulated_slack import POST_ONLY, TOKEN, Emulator, emulator

QUICK = Patience(10, (0,), lambda _seconds: None)
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("emulate")) as running:
        yield running


@pytest.fixture
def person(slack: Emulator) -> WebClient:
    """Somebody who looks into the workspace."""
    return WebClient(TOKEN, base_url=slack.api)


@pytest.fixture
def channel(person: WebClient) -> str:
    [found] = [one["id"] for one in person.conversations_list()["channels"] if one["name"] == "ai-weekly"]
    return str(found)


Send = Callable[..., Delivery]
weeks = iter(range(1000))


@pytest.fixture
def send(sqlite_engine: Engine, slack: Emulator, now: datetime) -> Send:
    """Delivers a message for a week of its own, as the settings of the test are."""
    week = date(2026, 1, 5) + next(weeks) * WEEK

    def do(message: Message = messages.ENGLISH, **options: Any) -> Delivery:
        common: dict[str, Any] = {"slack_bot_token": TOKEN, "slack_channel": "ai-weekly"}
        common |= {"slack_api_url": slack.api} | options.pop("values", {})
        found = settings.load(**common)
        fixed: dict[str, Any] = {"kind": "weekly_digest", "week": week, "patience": QUICK}
        return deliver(sqlite_engine, found, message, **(fixed | {"now": now} | options))

    return do


def newest(person: WebClient, channel: str) -> dict[str, Any]:
    found: dict[str, Any] = person.conversations_history(channel=channel, include_all_metadata=True)[
        "messages"
    ][0]
    return found


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_digest_with_its_pictures_in_its_thread(
    send: Send, person: WebClient, channel: str, language: str
) -> None:
    sent = send(messages.BOTH[language])
    assert (sent.status, sent.reason) == ("sent", "")
    assert channel in sent.url
    message = newest(person, channel)
    assert message["metadata"]["event_type"] == "tidemark_report"
    kinds = [block["type"] for block in message["blocks"]]
    assert kinds[0] == "header" and {"rich_text", "section", "actions", "divider", "context"} <= set(kinds)
    thread = person.conversations_replies(channel=channel, ts=message["ts"])["messages"][1:]
    [file] = [file for one in thread for file in one["files"]]
    picture = next(one for one in messages.BOTH[language].blocks if isinstance(one, Picture))
    assert (file["title"], file["size"]) == (picture.title, len(picture.png))


def test_sent_again_it_is_changed_and_says_so(send: Send, person: WebClient, channel: str) -> None:
    send()
    before = newest(person, channel)
    assert send(messages.KOREAN, again=True, note="Restated: 7.6").status == "sent"
    after = newest(person, channel)
    assert after["ts"] == before["ts"] and after["blocks"][0]["text"]["text"].startswith("Tidemark 46주차")
    thread = person.conversations_replies(channel=channel, ts=after["ts"])["messages"][1:]
    assert [one["text"] for one in thread if one["text"]] == ["Restated: 7.6"]
    assert send(messages.KOREAN).reason == "It was sent before."


def test_what_a_dead_sender_posted_is_found(
    send: Send, person: WebClient, channel: str, sqlite_engine: Engine, now: datetime
) -> None:
    send()
    before = newest(person, channel)
    with sqlite_engine.begin() as connection:
        dead = {"status": "sending", "claimed_by": "dead", "claimed_at": now, "message_ts": None}
        connection.execute(update(Report).values(**dead, parts={"since": 0}, channel_id=None))
    assert send(now=now + timedelta(minutes=6)).status == "sent"
    assert newest(person, channel)["ts"] == before["ts"]


def test_a_token_that_may_only_post(send: Send, person: WebClient, channel: str) -> None:
    sent = send(values={"slack_bot_token": POST_ONLY, "slack_channel": channel})
    assert sent.status == "sent"
    assert sent.reason == (
        "The picture “AI answer score” is missing: The token lacks the scope files:write. "
        "Add it under OAuth & Permissions and install the app again."
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"slack_channel": "nowhere"}, "Slack knows no channel #nowhere."),
        ({"slack_bot_token": "xoxb-unknown"}, "The token lacks the scope chat:write"),
    ],
)
def test_what_slack_refuses(send: Send, values: dict[str, str], told: str) -> None:
    failed = send(values=values)
    assert (failed.status, failed.passing) == ("failed", False)
    assert failed.reason.startswith(told)


def test_a_webhook(send: Send, person: WebClient, slack: Emulator) -> None:
    hook = {"slack_bot_token": None, "slack_channel": None, "slack_webhook_url": slack.webhook}
    assert send(values=hook).status == "sent"
    text = newest(person, "C000000001")["text"]
    assert text == messages.ENGLISH.summary


# python -m reports check


@pytest.fixture
def told(
    slack: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[str]]]:
    def do(**values: str) -> tuple[int, list[str]]:
        for name, value in ({"slack_api_url": slack.api} | values).items():
            monkeypatch.setenv(name.upper(), value)
        status = main(["check"])
        out, err = capsys.readouterr()
        assert "hunter2" not in out + err
        return status, out.splitlines()

    return do


def test_check_finds_everything_there(told: Callable[..., tuple[int, list[str]]], channel: str) -> None:
    status, lines = told(
        slack_bot_token=TOKEN, slack_channel=channel, public_url="https://tidemark.example.org/"
    )
    assert lines[0].startswith("✓ The token is valid: tidemark in the workspace Example.")
    assert lines[-2:] == ["✓ The bot is in #ai-weekly.", "✓ Links lead to https://tidemark.example.org."]
    assert status == 0


def test_check_says_what_to_do(told: Callable[..., tuple[int, list[str]]]) -> None:
    status, lines = told(slack_bot_token=TOKEN, slack_channel="#nowhere")
    assert (
        "✗ There is no channel #nowhere that the bot can see. Check SLACK_CHANNEL, invite the bot." in lines
    )
    assert lines[-1] == "· Messages name pages without links: set PUBLIC_URL to the dashboard's address."
    assert status == 1
