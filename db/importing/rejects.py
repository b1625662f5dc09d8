"""The file that keeps rejected rows."""

import csv
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from db.errors import Refused
from db.spreadsheets import guarded_raw
from language import _


class RejectsFile(AbstractContextManager["RejectsFile"]):
    """Rejected rows as a CSV that can be mended and imported again: their columns, then _line and _reason.

    Raises Refused where the file cannot be written; a file appears with the first rejected row.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._header: tuple[str, ...] = ()
        self._stream: TextIO | None = None

    def add(self, header: tuple[str, ...], cells: list[str], line: int, reason: str) -> None:
        if self._path is None:
            return
        with self._telling():
            self._widen(self._path, header)
            assert self._stream is not None
            found = dict(zip(header, cells, strict=False))
            surplus = cells[len(header) :]  # of a row that has more cells than the header
            row = [guarded_raw(found.get(name, "")) for name in self._header]
            csv.writer(self._stream).writerow([*row, line, " ".join([reason, *surplus])])

    def close(self) -> None:
        """Writes what is left; nothing can be added afterwards."""
        if self._stream is not None:
            with self._telling():
                self._stream.close()

    def _widen(self, path: Path, header: tuple[str, ...]) -> None:
        """Makes room for columns that no row had until now (JSON lines may differ), copying what is there."""
        fresh = tuple(name for name in header if name not in self._header)
        if self._stream is not None and not fresh:
            return
        earlier: list[list[str]] = []
        if self._stream is not None:
            self._stream.close()
            with path.open(encoding="utf-8", newline="") as stream:
                earlier = list(csv.reader(stream))[1:]
        old, self._header = len(self._header), (*self._header, *fresh)
        # Half a character, which JSON can hold, has no UTF-8: it is kept as JSON writes it.
        self._stream = path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        rows = csv.writer(self._stream)
        rows.writerow([*map(guarded_raw, self._header), "_line", "_reason"])
        rows.writerows([*row[:old], *[""] * len(fresh), *row[old:]] for row in earlier)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            told = _("{path} cannot be written: {why}")
            raise Refused(told.format(path=self._path, why=error.strerror or error), status=2) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif self._stream is not None:
            with suppress(OSError):  # the error that came first is the one to tell
                self._stream.close()
