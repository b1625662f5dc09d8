"""A sign of life to another service, which sounds the alarm when it stays away (a dead man's switch)."""

import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException

log = logging.getLogger("tidemark.heartbeat")

EVERY_SECONDS, WAIT_SECONDS = 60.0, 5.0


class Heartbeat:
    """Calls an address at most once a minute, in a thread of its own: no job waits for it, and no fault ends the loop.

    The address may hold a secret, so it is never in the log. `clock` counts seconds.
    """

    def __init__(self, url: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._clock = url, clock
        self._last: float | None = None
        self._thread: threading.Thread | None = None

    def beat(self) -> None:
        """Says that the loop is alive, unless it was said lately or is still being said."""
        if not self._url or (self._thread is not None and self._thread.is_alive()):
            return
        if self._last is not None and self._clock() - self._last < EVERY_SECONDS:
            return
        self._last = self._clock()
        self._thread = threading.Thread(target=self._call, name="heartbeat", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until a call under way has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _call(self) -> None:
        assert self._url
        request = urllib.request.Request(self._url, headers={"User-Agent": "tidemark"})  # noqa: S310 - the scheme is checked
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310
                answer.read(1)
        except (HTTPException, OSError, ValueError) as error:
            log.warning("HEARTBEAT_URL could not be called: %s", _why(error))


def _why(error: Exception) -> str:
    """What went wrong, in words that hold nothing of the address."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the answer was {error.code}"
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no answer within {WAIT_SECONDS:.0f} seconds"
    told = getattr(reason, "strerror", None)
    return f"{type(reason).__name__}: {told}" if told else type(reason).__name__
