"""Settings: what they take, what they say of a wrong value, and what they never show."""

import re
from datetime import time
from pathlib import Path
from typing import Any

import pytest

import settings
from settings import ROOT, Settings, WrongSetting, current, load


def test_defaults() -> None:
    found = load()
    assert (found.timezone, found.address, found.port) == ("Asia/Seoul", "127.0.0.1", 8501)
    assert found.zone.key == "Asia/Seoul"
    assert not found.exposed
    assert found.operator_password is None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TIMEZONE", "Seoul", "TIMEZONE got 'Seoul'; it takes: IANA time zone"),
        ("PORT", "0", "PORT got '0'; it takes: port"),
        ("PORT", "http", "PORT got 'http'"),
        ("LANGUAGE", "xx", "LANGUAGE got 'xx'"),
        ("AGGREGATE_AT", "25:00", "AGGREGATE_AT got '25:00'; it takes: when the daily aggregation starts"),
        ("DEMO", "perhaps", "DEMO got 'perhaps'"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL got 'LOUD'"),
        ("SLACK_WEBHOOK_URL", "http://h/secret", "SLACK_WEBHOOK_URL got a value that is not shown"),
        ("SLACK_API_URL", "http://slack.example", "SLACK_API_URL got 'http://slack.example'"),
        (
            "PUBLIC_URL",
            "tidemark.example",
            "PUBLIC_URL got 'tidemark.example'; it takes: address under which",
        ),
        ("REPORT_LANGUAGE", "de", "REPORT_LANGUAGE got 'de'; it takes: language of the digest"),
        ("DATABASE_URL", "mysql://u:secret@h/d", "DATABASE_URL got a value that is not shown"),
    ],
)
def test_wrong_value_is_named_with_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting) as wrong:
        current()
    assert str(wrong.value).startswith(told)
    assert "secret" not in str(wrong.value)
    assert wrong.value.__cause__ is None


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Seoul")
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(WrongSetting) as wrong:
        load()
    assert len(str(wrong.value).splitlines()) == 2


def test_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_PASSWORD", "hunter2")
    found = load()
    assert found.operator_password is not None
    assert found.operator_password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(found) + str(found) + found.model_dump_json()


def test_empty_password_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_PASSWORD", "")
    assert load().operator_password is None


def test_slack_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("SLACK_BOT_TOKEN", "SLACK_CHANNEL", "SLACK_WEBHOOK_URL", "PUBLIC_URL", "REPORT_LANGUAGE")
    for name in names:
        monkeypatch.setenv(name, "")
    found = load()
    assert [getattr(found, name.lower()) for name in names] == [None] * 5
    monkeypatch.setenv("PUBLIC_URL", "https://tidemark.example/")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:4101/api")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T/B/x")
    found = load()
    assert (found.public_url, found.slack_api_url) == (
        "https://tidemark.example",
        "http://127.0.0.1:4101/api/",
    )


def test_values_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "localhost, tidemark.example ,")
    monkeypatch.setenv("AGGREGATE_AT", "02:30")
    found = load()
    assert found.allowed_hosts == ("localhost", "tidemark.example")
    assert found.aggregate_at == time(2, 30)
    assert found.exposed


@pytest.mark.parametrize("values", [{"address": "0.0.0.0"}, {"allowed_hosts": ("tidemark.example",)}])
def test_exposed(values: dict[str, Any]) -> None:
    assert load(**values).exposed


def test_current_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert current() is current()
    monkeypatch.setenv("PORT", "9000")
    assert current().port == 9000


def test_values_are_read_from_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nTIMEZONE=Europe/Berlin\nOTHER=1\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    monkeypatch.setenv("PORT", "9002")
    found = load()
    assert (found.port, found.timezone) == (9002, "Europe/Berlin")


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in settings.Settings.model_fields.values())


def as_told(default: object) -> str:
    """A default as the README writes it."""
    if default is None or default == ():
        return "none"
    if isinstance(default, time):
        default = f"{default:%H:%M}"
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    if isinstance(default, bool):
        default = str(default).lower()
    return f"`{default}`".replace(f"{ROOT}/", "")


def test_the_readme_tells_every_default() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", table, re.M))
    assert told == {name.upper(): as_told(field.default) for name, field in Settings.model_fields.items()}
