"""The gate in front of every route: no answer under another host name than ours or for the page of another site, no
file from who may not import.
"""

import threading
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

UPLOADS = "/_stcore/upload_file/"
MOST_SESSIONS = 1_000  # that are known to be operators' at a time; the oldest goes


class Uploaders:
    """The browser sessions that may send files; pages and routes share it."""

    def __init__(self) -> None:
        self._lock, self._sessions = threading.Lock(), dict[str, None]()

    def add(self, session: str) -> None:
        with self._lock:
            self._sessions.pop(session, None)
            self._sessions[session] = None
            if len(self._sessions) > MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]

    def __contains__(self, session: str) -> bool:
        with self._lock:
            return session in self._sessions


uploaders = Uploaders()


class KnownHosts:
    """Lets requests through whose Host is in `ALLOWED_HOSTS`, by the rule that sessions begin by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_host_allowed(Headers(scope=scope).get("host")):
            await self._app(scope, receive, send)
            return
        told = "This is not a name under which this dashboard may be opened; see ALLOWED_HOSTS."
        await PlainTextResponse(told, status_code=403)(scope, receive, send)


class KnownOrigins:
    """Lets sessions begin only from pages whose host is in `ALLOWED_HOSTS`.

    Streamlit would look up this machine's address at a host on the Internet to see whether it is the origin's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            headers = Headers(scope=scope)
            origin, host = headers.get("origin"), headers.get("host")
            if origin is not None and not _is_known(origin):
                await WebSocketClose()(scope, receive, send)  # before it was accepted: 403
                return
            if origin is not None and _place(origin) != host:  # known, so there is nothing left to look up
                scope = {**scope, "headers": list(scope["headers"])}
                del MutableHeaders(scope=scope)["origin"]
        await self._app(scope, receive, send)


def _is_known(origin: str) -> bool:
    place = _place(origin)
    return bool(place) and is_host_allowed(place)


def _place(origin: str) -> str:
    """The host, and port where it is named, of an origin; '' where it has none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:  # half of an IPv6 address
        return ""


class OperatorsFiles:
    """Takes files only of sessions that were shown the import. Streamlit takes them of every session and keeps them in
    memory, whether a page asked for one or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_strangers_file(scope):
            await self._app(scope, receive, send)
            return
        await PlainTextResponse("Only operators import files.", status_code=403)(scope, receive, send)


def _is_strangers_file(scope: Scope) -> bool:
    _before, found, after = str(scope["path"]).partition(UPLOADS)
    sends = scope["method"] not in ("GET", "HEAD", "OPTIONS")
    return bool(found) and sends and after.partition("/")[0] not in uploaders
