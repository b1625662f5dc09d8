"""A password of the database stands on no page, in no message and on no command line, wherever it was written."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

import settings
from db import backup, client_programs
from db.engine import engine_for, refuse_unreachable
from db.errors import Refused
from reports import webhook
from reports.slack import Patience, Place, Slack, Tag
from reports.slack_faults import SlackFault
from soak.slack_server import TOKEN, WEBHOOK, fake_slack

SECRET = "hunter2-hunter2"
ADDRESSES = [
    f"postgresql://ada:{SECRET}@127.0.0.1:1/tidemark",
    f"postgresql://127.0.0.1:1/tidemark?user=ada&password={SECRET}",
    f"postgresql://ada:{SECRET}@127.0.0.1:1/tidemark?sslpassword={SECRET}",
]
addresses = pytest.mark.parametrize("address", ADDRESSES)


@addresses
def test_where_the_database_cannot_be_reached(address: str) -> None:
    with pytest.raises(Refused, match=r"127\.0\.0\.1:1/tidemark") as refused:
        refuse_unreachable(engine_for(address))
    assert SECRET not in str(refused.value)


@addresses
def test_on_the_command_line_of_a_backup(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], env: dict[str, str], **_more: Any) -> subprocess.CompletedProcess[str]:
        calls.append((command, env))
        return subprocess.CompletedProcess(command, 1, "", "no")

    monkeypatch.setattr(client_programs.subprocess, "run", run)
    monkeypatch.setattr(client_programs.shutil, "which", lambda name: name)
    with pytest.raises(Refused, match="pg_dump failed: no"):
        backup.back_up(engine_for(address), tmp_path / "copy")
    [(command, environment)] = calls
    assert SECRET not in " ".join(command)
    assert environment["PGPASSWORD"] == SECRET


# Slack's token, and the address of a webhook, which lets everybody post who knows it

SLACK_SECRETS = {
    "SLACK_BOT_TOKEN": f"xoxb-{SECRET}",
    "SLACK_WEBHOOK_URL": f"http://127.0.0.1:1/services/{SECRET}",
}


@pytest.mark.parametrize("name", SLACK_SECRETS)
def test_in_settings_and_what_is_wrong_with_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, SLACK_SECRETS[name])
    found = settings.load()
    assert SECRET not in repr(found) + str(found) + found.model_dump_json()
    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"http://hooks.example.org/{SECRET}")
    with pytest.raises(settings.WrongSetting, match="a value that is not shown") as wrong:
        settings.load()
    assert SECRET not in str(wrong.value)


@pytest.mark.parametrize("fault", ["500", "429", "cut", "nonsense", "invalid_auth", "unreachable"])
@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_by_a_delivery_that_fails(
    fault: str, way: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    patience = Patience(5, (0,), lambda _seconds: None)
    with fake_slack() as running:
        running.faults = [fault] * 9
        address = "http://127.0.0.1:1" if fault == "unreachable" else running.address
        blocks = [{"type": "divider"}]
        with pytest.raises(SlackFault) as told:
            if way == "webhook":
                webhook.post(address + WEBHOOK, "x", blocks, patience)
            else:
                slack = Slack(TOKEN, f"{address}/api/", patience)
                slack.post(Place("C0123456789"), "x", blocks, Tag("key", "mark", "0"))
    out, err = capfd.readouterr()
    assert str(told.value)
    for text in (str(told.value), repr(told.value), caplog.text, out, err):
        assert "hunter2" not in text
