"""A stranger at the open port, who speaks the browser's protocol and knows every button, but not the password."""

import http.client
import json
import random
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from agent_data import store, trade
from sqlalchemy import Engine
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from test_aggregate_models import Here
from websockets.exceptions import ConnectionClosed

import settings
from db.clock import utc_now
from db.tables.agents import TradeRecord
from jobs import queue
from jobs.aggregate_agents import aggregate_agents
from jobs.aggregate_models import JOB
from jobs.job import DayParameters
from soak import sound
from soak.dashboards import dashboard
from soak.source import Source
from soak.visitor import Seen, Visitor, pressed, typed
from tests.database.conftest import fresh

PASSWORD, DATABASE_PASSWORD, TOKEN = "correct horse battery", "hunter2-hunter2", "xoxb-no-token-at-all"
SECRETS = (PASSWORD, DATABASE_PASSWORD, TOKEN)
FORMS = ("Run aggregation", "Swap a model …")
PAGES = ("", "models", "forecasts", "agents", "usage", "quality", "operations")
UPLOAD = "/_stcore/upload_file"
BOUNDARY = "stranger"
FILE = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="../../rows.csv"\r\n\r\n'
    f"a,b\r\n--{BOUNDARY}--\r\n"
)
ROUTES = (
    "/",
    "/models",
    "/../settings.py",
    "/static/..%2f..%2fsettings.py",
    "/app/static/..%2f.env",
    "/media/..%2f..%2fsettings.py",
    "/component/x/..%2f..%2f..%2fsettings.py",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/_stcore/agent/interact",
    f"{UPLOAD}/x/y",
)


@dataclass
class House:
    """A dashboard with a password, its database with a run that waits, and all that it ever told."""

    engine: Engine
    port: int
    log: Path
    temporary: Path
    told: bytes = b""
    buttons: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    fragments: set[str] = field(default_factory=set)

    def hear(self, seen: Seen) -> Seen:
        self.told += seen.raw
        return seen

    def http(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, bytes, str]:
        """Status, body and cookie of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, {"Host": f"localhost:{self.port}", **headers})
        answer = connection.getresponse()
        found = answer.read()
        self.told += found + str(answer.getheaders()).encode()
        connection.close()
        return answer.status, found, answer.getheader("Set-Cookie") or ""

    def token(self) -> dict[str, str]:
        """The headers by which a browser shows that it is no other site's page."""
        _status, _body, cookie = self.http("GET", "/_stcore/health")
        found = re.search(r"_xsrf=([^;]+)", cookie)
        assert found
        return {"Cookie": f"_streamlit_xsrf={found[1]}", "X_Xsrftoken": found[1]}


@pytest.fixture(scope="module")
def outside() -> Iterator[socket.socket]:
    """The way to all other hosts: a proxy that answers nobody, and notes who called."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture(scope="module")
def engine(postgresql_server: Engine, postgresql_template: str) -> Iterator[Engine]:
    """On one engine, as no stranger comes as far as that: the one whose address holds a password too."""
    yield from fresh(postgresql_server, f"TEMPLATE {postgresql_template}")


@pytest.fixture(scope="module")
def house(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, outside: socket.socket
) -> Iterator[House]:
    """One for all visitors."""
    folder = tmp_path_factory.mktemp("outside")
    source = Source.of(400)
    source.store(engine)
    trades = [trade(k, 10.0, {"news": 1}, timestamp=utc_now() - timedelta(days=2)) for k in range(3)]
    store(engine, TradeRecord, trades)
    sound.aggregate(engine)
    aggregated = aggregate_agents(engine, DayParameters(), Here(utc_now()))
    assert aggregated.rows_written
    queue.request(engine, JOB, JOB.read({}), trigger="manual", by="ada", now=utc_now())
    temporary = folder / "temporary"
    temporary.mkdir()
    also = {"OPERATOR_PASSWORD": PASSWORD, "SLACK_BOT_TOKEN": TOKEN, "TMPDIR": str(temporary)}
    proxy = f"http://127.0.0.1:{outside.getsockname()[1]}"
    also |= {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "localhost,127.0.0.1"}
    with_password = engine.url.set(password=DATABASE_PASSWORD)
    also["DATABASE_URL"] = with_password.render_as_string(hide_password=False)
    log = folder / "log.txt"
    with dashboard(engine, log, also) as port:
        yield House(engine, port, log, temporary)


def ids(seen: Seen, kind: str) -> list[str]:
    found = [getattr(one, kind) for one in seen.elements if one.WhichOneof("type") == kind]
    return [one.id for one in found if one.id]


def button(seen: Seen, label: str) -> str:
    return next(id for id, text in seen.buttons.items() if text == label)


def unlock(house: House, visitor: Visitor, password: str) -> Seen:
    seen = visitor.open("")
    field_ = next(id for id in ids(seen, "text_input"))
    return house.hear(visitor.send([typed(field_, password), pressed(button(seen, "Unlock actions"))]))


def learn(house: House, operator: Visitor) -> None:
    """What an operator's session shows: the ids of all buttons, also in the dialog and beside a chosen run."""
    chosen = json.dumps({"selection": {"rows": [0], "columns": [], "cells": []}})
    for page in PAGES:
        seen = house.hear(operator.open(page))
        openers = [button(seen, label) for label in FORMS if label in seen.buttons.values()]
        found = [seen, *(house.hear(operator.send([pressed(id)])) for id in openers)]
        tables = [WidgetState(id=id, string_value=chosen) for id in ids(seen, "dataframe")]
        found.append(house.hear(operator.send(tables)))
        for one in found:
            house.buttons.update(one.buttons)
            house.labels.update(one.buttons.values())
            house.fragments.update(one.fragments)


def believed(house: House) -> Iterator[list[WidgetState]]:
    """What would make an operator of a session, if a browser were believed; with every button pressed."""
    everything = [pressed(id) for id in sorted(house.buttons)]
    yield everything
    for id in ("_operator", "$$ID-0-_operator"):
        yield [WidgetState(id=id, bool_value=True), *everything]
        yield [WidgetState(id=id, json_value="true"), *everything]


def break_in(house: House, visitor: Visitor) -> None:
    for page in PAGES:
        own = house.hear(visitor.open(page, query="operator=true&_operator=1&run=1"))
        for widgets in believed(house):
            house.hear(visitor.send(widgets))
        for fragment in sorted(house.fragments | own.fragments.keys()):
            visitor.ask(map(pressed, sorted(house.buttons)), fragment)
    for id in sorted(house.buttons):
        house.hear(visitor.send([pressed(id)]))


def test_no_message_of_a_stranger_does_anything(house: House) -> None:
    with Visitor(house.port) as operator, Visitor(house.port) as visitor:
        unlock(house, operator, PASSWORD)
        learn(house, operator)
        assert house.labels >= {
            "Run aggregation",
            "Preview",
            "Run",
            "Run now",
            "Pause",
            "Stop",
            "Cancel",
            "Swap",
        }
        before = sound.state(house.engine)
        unlock(house, visitor, "wrong horse")
        break_in(house, visitor)
        assert sound.changes(before, sound.state(house.engine)) == []
        # The same message from an operator does something, so it is the password that stood in the way.
        operator.send([pressed(button(operator.open("operations"), "Pause"))])
        assert sound.changes(before, sound.state(house.engine)) != []
    nothing_was_told(house)


def test_what_is_no_message_at_all_ends_a_session_and_no_other(house: House) -> None:
    chance = random.Random(1)
    message = BackMsg()
    message.rerun_script.widget_states.widgets.extend([pressed("x"), typed("y", "z")])
    message.rerun_script.page_name = "operations"
    before = sound.state(house.engine)
    with Visitor(house.port) as bystander:
        for thrown in (*fuzzed(message.SerializeToString(), chance), "text", *commands()):
            with Visitor(house.port) as visitor, suppress(ConnectionClosed, TimeoutError):
                visitor.throw(thrown)
                visitor.throw(thrown)
        for page in PAGES:
            assert house.hear(bystander.open(page)).exceptions == []
    assert sound.changes(before, sound.state(house.engine)) == []
    nothing_was_told(house)


def fuzzed(whole: bytes, chance: random.Random) -> Iterator[bytes]:
    for n in range(20):
        yield chance.randbytes(n * n)
        broken = bytearray(whole)
        broken[chance.randrange(len(whole))] = chance.randrange(256)
        yield bytes(broken)


def commands() -> Iterator[bytes]:
    """What the protocol has for developers."""
    for name in (
        "debug_shutdown_runtime",
        "debug_disconnect_websocket",
        "clear_cache",
        "set_run_on_save",
        "stop_script",
    ):
        yield BackMsg(**{name: True}).SerializeToString()


def test_no_file_of_a_stranger_is_kept(house: House) -> None:
    with Visitor(house.port) as visitor:
        visitor.open("")
        before = (sound.state(house.engine), files(settings.ROOT))
        path, kind = f"{UPLOAD}/{visitor.session}/one", f"multipart/form-data; boundary={BOUNDARY}"
        token = house.token()
        assert house.http("PUT", path, FILE, Content_Type=kind, **token)[0] == 403
        for method in ("PUT", "POST", "DELETE"):
            for target in (
                path,
                f"{UPLOAD}/nobody/one",
                f"{UPLOAD}/..%2f..%2fdata/one",
                "/",
                "/_stcore/stream",
            ):
                for also in ({}, token):
                    answer = house.http(method, target, FILE, Content_Type=kind, **also)
                    assert answer[0] in (400, 403, 404, 405)
        assert (sound.state(house.engine), files(settings.ROOT)) == before
    assert files(house.temporary) == set()
    for method, route in product(("GET", "HEAD", "OPTIONS", "POST"), ROUTES):
        house.http(method, route)
    nothing_was_told(house)


def files(folder: Path) -> set[Path]:
    """What is in a folder, but for what Python and the tools write by themselves."""
    return {
        path
        for path in folder.rglob("*")
        if not any(part[0] == "." or part == "__pycache__" for part in path.parts)
    }


STRANGE = [
    ("evil.example", "http://evil.example:{port}"),
    ("localhost", "http://evil.example:{port}"),
    ("localhost@evil.example", "http://localhost@evil.example:{port}"),
    ("localhost", "null"),
    ("localhost", "http://localhost.evil.example"),
    ("localhost", "http://[evil"),
]


def test_another_host_or_origin_hears_nothing(house: House, outside: socket.socket) -> None:
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
    handshake["Sec_WebSocket_Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    for host, origin in STRANGE:
        names = {"Host": f"{host}:{house.port}", "Origin": origin.format(port=house.port)}
        assert house.http("GET", "/_stcore/stream", **names, **handshake)[0] == 403
    # Behind a proxy the host may have lost its port, or its name.
    names = {"Host": f"localhost:{house.port}", "Origin": "https://localhost:8443"}
    assert house.http("GET", "/_stcore/stream", **names, **handshake)[0] == 101
    with pytest.raises(BlockingIOError):
        outside.accept()  # nobody was asked who we are
    for route in ROUTES:
        status, body, _cookie = house.http("GET", route, Host=f"evil.example:{house.port}")
        assert (status, b"ALLOWED_HOSTS" in body) == (403, True), route
    assert house.http("GET", "/")[0] == house.http("GET", "/", Host="127.0.0.1")[0] == 200


def nothing_was_told(house: House) -> None:
    """No secret is in anything that was sent, or in the log."""
    everything = house.told + house.log.read_bytes()
    assert [secret for secret in SECRETS if secret.encode() in everything] == []
