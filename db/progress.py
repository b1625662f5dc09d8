"""How far long work is, for whoever watches."""

import sys
import time

from language import _

SECONDS_BETWEEN_LINES = 5


class Progress:
    """What long work tells while it goes on; nobody watches this one."""

    def __call__(self, rows: int) -> None:
        """So many rows are done."""

    def waits(self) -> None:
        """Another writer holds the database."""

    def wrote(self, rows: int) -> None:
        """So many rows are written, and stay whatever happens."""


QUIET = Progress()


class ProgressLine(Progress):
    """A running count on standard error: one line that changes on a terminal, now and then a line elsewhere."""

    def __init__(self, what: str) -> None:
        self._what, self._terminal, self._last = what, sys.stderr.isatty(), time.monotonic()

    def __call__(self, rows: int) -> None:
        now = time.monotonic()
        line = _("{what}: {n} rows").format(what=self._what, n=f"{rows:,}")
        if self._terminal:
            self._write(f"\r{line}")
        elif now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            self._write(f"{line}\n")

    def waits(self) -> None:
        self.end()
        self._write(_("waiting for another writer …") + "\n")

    def end(self) -> None:
        if self._terminal:
            self._write("\r\033[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
