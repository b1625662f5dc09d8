"""slack_sdk's own retry handlers, with a wait that can be chosen and a limit to how long Slack is waited for."""

import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

from slack_sdk.http_retry import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    RetryHandler,
)
from slack_sdk.http_retry.builtin_handlers import ServerErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

Wait = Callable[[float], None]
TIMES = 2
LONGEST_WAIT = 60.0  # a longer Retry-After is left to a later run


def was_never_connected(error: BaseException | None) -> bool:
    """Whether a request surely never left: refused, no such host, a certificate that is not theirs."""
    reason = getattr(error, "reason", error) if isinstance(error, URLError) else error
    return isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError)


class _Waits(RetryHandler):
    wait: Wait

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        backing_off = self.interval_calculator.calculate_sleep_duration(state.current_attempt)
        self.wait(asked_to_wait(response) or backing_off)
        state.next_attempt_requested = True
        state.increment_current_attempt()


class _Connections(_Waits, ConnectionErrorRetryHandler):
    """A connection that was cut."""


class _Servers(_Waits, ServerErrorRetryHandler):
    """500 and 503."""


class _NeverConnected(_Waits, ConnectionErrorRetryHandler):
    """A connection that never was."""

    def _can_retry(self, *, error: Exception | None = None, **_rest: Any) -> bool:
        return was_never_connected(error)


class _RateLimits(_Waits, RateLimitErrorRetryHandler):
    """429: nothing was taken, and Slack says how long to wait."""

    def _can_retry(self, *, response: HttpResponse | None = None, **_rest: Any) -> bool:
        limited = response is not None and response.status_code == 429
        return limited and asked_to_wait(response) <= LONGEST_WAIT


def asked_to_wait(response: HttpResponse | None) -> float:
    """The seconds of Retry-After; 0 where there are none."""
    headers = response.headers if response is not None else {}
    for name, values in headers.items():
        if name.lower() == "retry-after":
            told = values[0] if isinstance(values, list) else values
            return float(told) if str(told).isdigit() else 1.0
    return 0.0


def _made(kinds: list[type[_Waits]], wait: Wait) -> list[RetryHandler]:
    made: list[RetryHandler] = []
    for kind in kinds:
        handler = kind(max_retry_count=TIMES)
        handler.wait = wait
        made.append(handler)
    return made


def patient(wait: Wait) -> list[RetryHandler]:
    """For what may be done twice: whatever fails is tried again."""
    return _made([_RateLimits, _Connections, _Servers], wait)


def careful(wait: Wait) -> list[RetryHandler]:
    """For what must be done once: only what was surely not taken is tried again."""
    return _made([_RateLimits, _NeverConnected], wait)
