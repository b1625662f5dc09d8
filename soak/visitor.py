"""A browser session without a browser: speaks Streamlit's WebSocket protocol, and can send what no browser would."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

PATIENCE = 60.0  # seconds, for a page
OVER = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass
class Seen:
    """What one run of a page sent."""

    elements: list[Element] = field(default_factory=list)
    fragments: dict[str, float] = field(default_factory=dict)  # those that want to run again, in seconds
    raw: bytes = b""

    @property
    def exceptions(self) -> list[str]:
        """What Streamlit shows in place of a page, or of a part of it, that broke."""
        return [
            one.exception.type + ": " + one.exception.message
            for one in self.elements
            if one.WhichOneof("type") == "exception"
        ]

    @property
    def buttons(self) -> dict[str, str]:
        """Buttons, also of forms, that are off too: id → label."""
        return {
            one.button.id: one.button.label for one in self.elements if one.WhichOneof("type") == "button"
        }

    @property
    def texts(self) -> str:
        """Everything, as it came over the wire."""
        return self.raw.decode("utf-8", "replace")


class Visitor:
    """One session of the dashboard at a port of this machine."""

    def __init__(self, port: int, page: str = "", patience: float = PATIENCE) -> None:
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(
                f"ws://localhost:{port}/_stcore/stream",
                origin=Origin(f"http://localhost:{port}"),
                subprotocols=[Subprotocol("streamlit")],
                max_size=None,
            )
        )
        self.session, self._page, self._hash, self._patience = "", page, "", patience
        self.shown = Seen()

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def open(self, page: str | None = None, query: str = "") -> Seen:
        """Opens a page, as a click on its link does; keeps what it shows."""
        self._page, self._hash = self._page if page is None else page, ""
        self.shown = self.send(query=query)
        return self.shown

    def send(self, widgets: Iterable[WidgetState] = (), fragment: str = "", query: str = "") -> Seen:
        """Runs the page, or a fragment of it, with these widgets; returns what came back."""
        self.ask(widgets, fragment, query)
        return self._seen()

    def ask(self, widgets: Iterable[WidgetState] = (), fragment: str = "", query: str = "") -> None:
        """The same without waiting: a fragment that is not there any more has no answer."""
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash, state.page_name, state.query_string = self._hash, self._page, query
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.widget_states.widgets.extend(widgets)
        self.throw(message.SerializeToString())

    def throw(self, data: bytes | str) -> None:
        """Sends anything at all."""
        self._socket.send(data)

    def _seen(self) -> Seen:
        seen = Seen()
        for data, message in self._messages():
            seen.raw += data
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id
                seen.elements.clear()  # of a run that was broken off for this one
            elif kind == "navigation":
                self._hash = message.navigation.page_script_hash
            elif kind == "delta" and message.delta.HasField("new_element"):
                seen.elements.append(message.delta.new_element)
            elif kind == "auto_rerun":
                seen.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            elif kind == "script_finished" and message.script_finished in OVER:
                return seen
        return seen

    def _messages(self) -> Iterator[tuple[bytes, ForwardMsg]]:
        deadline = time.monotonic() + self._patience
        while True:
            data = self._socket.recv(timeout=max(0.01, deadline - time.monotonic()))
            if isinstance(data, bytes):
                yield data, ForwardMsg.FromString(data)


def pressed(button: str) -> WidgetState:
    """The press of a button, whether or not there is one."""
    return WidgetState(id=button, trigger_value=True)


def typed(widget: str, text: str) -> WidgetState:
    return WidgetState(id=widget, string_value=text)
