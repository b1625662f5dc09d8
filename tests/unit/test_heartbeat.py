"""The sign of life, against a real server on the loopback address; and the file that the log goes to."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import settings
from db.errors import Refused
from jobs import logs
from jobs.heartbeat import EVERY_SECONDS, Heartbeat


@dataclass
class Server:
    """Counts the calls; answers with a status, and only once it may."""

    status: int = 200
    paths: list[str] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/secret-id"


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()
    told.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.paths.append(self.path)
            told.may_answer.wait(10)
            self.send_response(told.status)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        told.port = http.server_address[1]
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield told
        told.may_answer.set()
        http.shutdown()
        thread.join()


def test_at_most_once_a_minute(server: Server) -> None:
    now = [0.0]
    heart = Heartbeat(server.url, lambda: now[0])
    for seconds in (0, 10, EVERY_SECONDS - 1, EVERY_SECONDS, EVERY_SECONDS + 10):
        now[0] = float(seconds)
        heart.beat()
        heart.wait(10)
    assert server.paths == ["/secret-id"] * 2


def test_nobody_waits_for_a_server_that_does_not_answer(server: Server) -> None:
    server.may_answer.clear()
    now = [0.0]
    heart = Heartbeat(server.url, lambda: now[0])
    for minute in range(3):
        now[0] = minute * EVERY_SECONDS
        heart.beat()  # comes back at once, and while a call is under way there is no other
    server.may_answer.set()
    heart.wait(10)
    assert len(server.paths) == 1


@pytest.mark.parametrize("status", [404, 500])
def test_a_fault_is_logged_without_the_address(server: Server, status: int, caplog: Any) -> None:
    server.status = status
    heart = Heartbeat(server.url)
    heart.beat()
    heart.wait(10)
    (line,) = caplog.messages
    assert "HEARTBEAT_URL" in line and "secret-id" not in line


def test_nobody_there(caplog: Any) -> None:
    heart = Heartbeat("http://127.0.0.1:1/secret-id")
    heart.beat()
    heart.wait(10)
    assert "ConnectionRefusedError" in caplog.text and "secret-id" not in caplog.text


def test_without_an_address_there_is_no_call() -> None:
    heart = Heartbeat(None)
    heart.beat()
    assert heart._thread is None


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/secret-id",
        "https://user:secret-id@hc.example/x",
        "https://hc.example:secret-id",
        "https://hc.example/secret-id x",
        "https://hc.example/secret-id-é",
        "https://[::1/secret-id",
        "https:///secret-id",
    ],
)
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HEARTBEAT_URL", address)
    with pytest.raises(settings.WrongSetting, match="HEARTBEAT_URL") as wrong:
        settings.load()
    assert "secret-id" not in str(wrong.value)


def test_a_log_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match=r"LOG_FILE .*: (Not a directory|File exists)"):
        logs.set_up(settings.load(log_file=tmp_path / "file" / "below.log"))


def test_the_log_file_turns_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 1_000)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        logs.set_up(settings.load(log_file=tmp_path / "logs" / "tidemark.log"))
        for number in range(200):
            logging.getLogger("tidemark.test").info("line %s", number)
        mine = root.handlers[:]
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        for handler in mine:
            handler.close()
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == ["tidemark.log", *(f"tidemark.log.{n}" for n in range(1, 6))]
    assert "line 199" in (tmp_path / "logs" / "tidemark.log").read_text()
