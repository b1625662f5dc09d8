"""The gate in front of every route: who calls under another host name than ours hears nothing."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed


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
