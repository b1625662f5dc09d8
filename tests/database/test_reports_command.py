"""python -m reports build and send: what they print, where to, and how they end; never a traceback."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from told_weeks import BEFORE, WEEK, Weeks, around

import reports
from db.engine import engine_for
from reports.__main__ import main
from reports.deliver import deliver
from reports.slack import Patience
from reports.stored import from_json
from soak.slack_server import CHANNEL, TOKEN, fake_slack

Tell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """Exit status, standard output and standard error of a command."""
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    monkeypatch.setitem(deliver.__kwdefaults__, "patience", Patience(5, (0, 0), lambda _seconds: None))

    def do(*call: str) -> tuple[int, str, str]:
        try:
            status = main(call)
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err and "hunter2" not in out + err
        return status, out, err

    return do


@pytest.fixture
def weeks(sqlite_engine: Engine, tmp_path: Path) -> Weeks:
    weeks = Weeks(sqlite_engine, tmp_path)
    weeks.answers(BEFORE, around(7.5, 40))
    weeks.answers(WEEK, around(8.3, 42), likes=9)
    weeks.settle()
    return weeks


def test_build_prints_the_week(told: Tell, weeks: Weeks) -> None:
    status, out, err = told("build", "--week", "2026-W46")
    assert (status, err) == (0, "")
    assert out.startswith("Tidemark, week 46 · 9 – 15 Nov 2026\n") and "(9 – 15 Nov): 8.3" in out
    assert told("build", "--week", "2026-11-12")[1].splitlines()[:-1] == out.splitlines()[:-1]
    assert (
        "- 이번주 평균 점수 (11/9–11/15): 8.3" in told("build", "--week", "2026-W46", "--language", "ko")[1]
    )


def test_build_writes_files(told: Tell, weeks: Weeks, tmp_path: Path) -> None:
    page, data = tmp_path / "digest.html", tmp_path / "digest.json"
    status, out, err = told("build", "--week", "2026-W46", "--html", str(page), "--json", str(data))
    assert (status, out.split(), err) == (0, [str(page), str(data)], "")
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>") and "data:image/png;base64," in html
    message = from_json(json.loads(data.read_text(encoding="utf-8")))
    assert message.summary.startswith("Tidemark, week 46 · 9 – 15 Nov 2026: ")


WRONG = [
    (("build", "--week", "2099-W01"), "That week is not over yet: a digest tells of finished weeks."),
    (("send", "--week", "2099-W01"), "That week is not over yet: a digest tells of finished weeks."),
    (("build", "--week", "0001-01-01"), "“0001-01-01” is not a week; write it as 2026-W46"),
    (("build", "--week", "2026-W54"), "“2026-W54” is not a week; write it as 2026-W46"),
    (("build", "--week", "soon"), "“soon” is not a week; write it as 2026-W46"),
    (("send", "--test", ""), "--test wants a channel: its name or its ID."),
    (("send", "--test", "#"), "--test wants a channel: its name or its ID."),
    (("send", "--language", "fr"), "invalid choice: 'fr'"),
    (("sent",), "invalid choice: 'sent'"),
    ((), "the following arguments are required"),
]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(("call", "why"), WRONG, ids=[" ".join(call) or "-" for call, _why in WRONG])
def test_wrong_calls(
    told: Tell, call: tuple[str, ...], why: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    status, out, err = told(*call)
    assert (status, out) == (2, "") and err.strip()
    assert language == "ko" or why in err


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_file_that_cannot_be_written(
    told: Tell, weeks: Weeks, tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    for target in (tmp_path, tmp_path / "nowhere" / "digest.html"):
        status, out, err = told("build", "--week", "2026-W46", "--html", str(target))
        assert (status, out) == (1, "") and err.startswith(str(target))


def test_a_database_that_is_not_ready(told: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    for call in (("build",), ("send",)):
        status, out, err = told(*call)
        assert status != 0 and out == "" and "python -m db upgrade" in err
    engine_for(f"sqlite:///{tmp_path / 'new.db'}").dispose()


def test_send_without_slack_writes_the_file(told: Tell, weeks: Weeks) -> None:
    status, out, err = told("send", "--week", "2026-W46")
    assert (status, err) == (0, "") and out.startswith("Sent.\nWritten to ")
    assert told("send", "--week", "2026-W46")[1] == "Sent.\nIt was sent before.\n"


def test_send_and_its_failures(told: Tell, weeks: Weeks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    assert told("send", "--week", "2026-W46")[0] == 1, "no channel is set"
    monkeypatch.setenv("SLACK_CHANNEL", CHANNEL)
    with fake_slack() as slack:
        monkeypatch.setenv("SLACK_API_URL", f"{slack.address}/api/")
        slack.faults = ["not_in_channel"]
        status, out, _err = told("send", "--week", "2026-W46")
        assert status == 1
        assert out == f"Not sent.\nThe bot is not in the channel: invite the bot to {CHANNEL}.\n"
        assert told("send", "--week", "2026-W46", "--test", "C0999999999")[0] == 0
        status, out, _err = told("send", "--week", "2026-W46")
        assert status == 0 and out.startswith("Sent.\nhttps://example.slack.com/archives/")
        assert len(slack.posted()) == 2
        assert told("send", "--week", "2026-W46", "--again")[0] == 0
        assert len(slack.posted()) == 2 and len(slack.posted(slack.posted()[1]["ts"])) == 1


def test_other_programs_send_by_a_call(told: Tell, weeks: Weeks) -> None:
    sent = reports.send_weekly(WEEK.replace(day=12), language="ko")
    assert sent.status == "sent" and "weekly_digest-2026-11-09-ko.html" in sent.reason
