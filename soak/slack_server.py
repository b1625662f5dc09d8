"""A Slack that fails as it is told: before or after it took a message; what it took is all kept."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

CHANNEL = "C0123456789"
TOKEN = "xoxb-hunter2-hunter2"  # noqa: S105 - of no real workspace
WEBHOOK = "/services/T1/B1/hunter2-hunter2"
# What may become of the next post: an answer without taking it, or a fault after it was taken.
BEFORE = ("429", "500", "503", "cut", "late", "not_in_channel", "missing_scope")
AFTER = ("500 after", "503 after", "cut after", "late after", "nonsense after")
LATE_SECONDS = 0.6


class FakeSlack:
    """Its messages, files and the faults to come: `faults` for posts, `elsewhere` by method."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.elsewhere: dict[str, str] = {}
        self.calls: list[str] = []
        self.working_seconds = 0.0
        self.address = ""
        self._lock = threading.Lock()
        self._at_work = 0

    def posted(self, thread: str | None = None) -> list[dict[str, Any]]:
        """The messages of the channel, or of a thread."""
        return [one for one in self.messages if one.get("thread_ts") == thread]

    def take(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            message = {**message, "ts": f"{time.time():.0f}.{len(self.messages) + 1:06d}"}
            self.messages.append(message)
            return message

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with self._lock:
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1

    def is_quiet(self) -> bool:
        """Whether it does nothing more for a sender that was killed, as is so minutes later."""
        return self._at_work == 0

    def next_fault(self, method: str) -> str:
        with self._lock:
            self.calls.append(method)
            if method in ("chat.postMessage", "webhook"):
                return self.faults.pop(0) if self.faults else ""
            return self.elsewhere.get(method, "")

    def answer(self, method: str, call: dict[str, Any]) -> dict[str, Any]:
        """What a method that works says."""
        if method == "chat.postMessage":
            time.sleep(self.working_seconds)
            taken = self.take(_message(call))
            time.sleep(self.working_seconds)
            channel = CHANNEL if call["channel"].startswith("#") else call["channel"]
            return {"ts": taken["ts"], "channel": channel, "message": taken}
        if method in ("conversations.history", "conversations.replies"):
            thread = call.get("ts")
            files = [one for one in self.files if thread and one["thread_ts"] == thread]
            return {"messages": [*reversed(self.posted(thread)), *files]}
        others = {
            "chat.update": self._update,
            "chat.getPermalink": self._permalink,
            "auth.test": self._who,
            "conversations.list": self._channels,
            "conversations.info": self._channel,
            "files.getUploadURLExternal": self._begin_upload,
            "files.completeUploadExternal": self._end_upload,
        }
        return others[method](call)

    def _channels(self, _call: dict[str, Any]) -> dict[str, Any]:
        return {"channels": [{"id": CHANNEL, "name": "ai-weekly", "is_member": True}]}

    def _channel(self, _call: dict[str, Any]) -> dict[str, Any]:
        return {"channel": self._channels({})["channels"][0]}

    def _update(self, call: dict[str, Any]) -> dict[str, Any]:
        for one in self.messages:
            if one["ts"] == call["ts"]:
                one.update(_message(call) | {"thread_ts": one.get("thread_ts")})
                return {"ts": call["ts"], "channel": CHANNEL}
        return {"ok": False, "error": "message_not_found"}

    def _permalink(self, call: dict[str, Any]) -> dict[str, Any]:
        return {"permalink": f"https://example.slack.com/archives/{CHANNEL}/p{call['message_ts']}"}

    def _who(self, _call: dict[str, Any]) -> dict[str, Any]:
        return {"user": "tidemark", "team": "Example", "bot_id": "B1"}

    def _begin_upload(self, call: dict[str, Any]) -> dict[str, Any]:
        name = call["filename"]
        return {"file_id": name, "upload_url": f"{self.address}/upload/{name}"}

    def _end_upload(self, call: dict[str, Any]) -> dict[str, Any]:
        files = [
            {"id": one["id"], "name": one["id"], "title": one["title"]} for one in _listed(call["files"])
        ]
        self.files.append({"ts": "0", "thread_ts": call.get("thread_ts"), "files": files})
        return {"files": files}


def _message(call: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {name: _listed(call[name]) for name in ("blocks", "metadata") if name in call}
    return {"text": call.get("text", ""), "thread_ts": call.get("thread_ts"), **told}


def _listed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class _Handler(BaseHTTPRequestHandler):
    slack: FakeSlack

    def do_POST(self) -> None:
        with self.slack.at_work():
            self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/upload/"):
            return self._say(200, b"OK")
        call = _read(self.headers.get("Content-Type", ""), body)
        method = "webhook" if self.path == WEBHOOK else self.path.rpartition("/")[2]
        fault, slack = self.slack.next_fault(method), self.slack
        if fault.endswith(" after"):
            _settle(slack, method, call)
        elif not fault:
            if method == "webhook":
                slack.take(_message(call))
                return self._say(200, b"ok")
            return self._say(200, {"ok": True} | slack.answer(method, call))
        return self._fail(fault.removesuffix(" after"), method)

    def _fail(self, fault: str, method: str) -> None:
        if fault == "cut":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "late":
            time.sleep(LATE_SECONDS)
            self.close_connection = True
        elif fault == "nonsense":
            self._say(200, b"<html>a page of somebody in between</html>")
        elif fault.isdigit():
            self._say(
                int(fault), {"ok": False, "error": "ratelimited" if fault == "429" else "internal_error"}
            )
        elif method == "webhook":
            self._say(400, fault.encode())
        else:
            self._say(200, {"ok": False, "error": fault, "needed": "channels:history"})

    def _say(self, status: int, told: bytes | dict[str, Any]) -> None:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(told, bytes) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-oauth-scopes", "chat:write,files:write,channels:history,channels:read")
        if status == 429:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_parts: Any) -> None:
        """Says nothing."""


def _settle(slack: FakeSlack, method: str, call: dict[str, Any]) -> None:
    if method == "webhook":
        slack.take(_message(call))
    else:
        slack.answer(method, call)


def _read(kind: str, body: bytes) -> dict[str, Any]:
    if "json" in kind:
        found: dict[str, Any] = json.loads(body)
        return found
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_request: Any) -> None:
        """Nobody is there any more who would read the answer."""


@contextmanager
def fake_slack() -> Iterator[FakeSlack]:
    """A server of its own on a free port of this machine."""
    slack = FakeSlack()
    handler = type("Handler", (_Handler,), {"slack": slack})
    server = _Server(("127.0.0.1", 0), handler)
    slack.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()
