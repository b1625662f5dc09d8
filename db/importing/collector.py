"""Python's cyclic garbage collector while rows stream through."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

# Rows make no cycles, yet at the usual threshold the collector walks all of them again and again: a sixth of the
# time of an import. This one still bounds what the cycles of other threads may hold.
RARELY = (100_000, 50, 100)

_lock = Lock()
_usual: list[tuple[int, int, int]] = []  # one for each import that runs now


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Lets the collector run more rarely until the last import that runs in this process has ended."""
    with _lock:
        _usual.append(_usual[0] if _usual else gc.get_threshold())
        gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        with _lock:
            usual = _usual.pop()
            if not _usual:
                gc.set_threshold(*usual)
