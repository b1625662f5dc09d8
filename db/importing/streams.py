"""Files as UTF-8 text, packed or not, in bounded memory: what cannot be read is told with its place."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from db.errors import Refused
from db.file_kinds import is_packed, refuse_other_content
from language import _

LINE_BYTES = 1_000_000  # a line that is longer is no row
_BLOCK = 1 << 16


class Lines(io.BufferedIOBase):
    """The bytes of a text file as they are read, counted, up to a line that is too long."""

    def __init__(self, raw: Any, path: Path) -> None:
        self._raw, self._path = raw, path
        self.taken = 0  # bytes
        self.breaks = 0  # lines that have ended
        self.has_apostrophe = False
        self._begun = 0  # bytes of the line that has not ended

    @property
    def name(self) -> str:
        return str(self._path)

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:
        """The next bytes; raises Refused where a line is too long to be one."""
        block: bytes = self._raw.read1(size)
        self.taken += len(block)
        last = max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._begun = self._begun + len(block) if last < 0 else len(block) - last - 1
        if self._begun > LINE_BYTES:
            told = _(
                "{path}, line {line} has more than {n} bytes: is this a text file with a row on each line?"
            )
            raise Refused(told.format(path=self._path, line=f"{self.breaks + 1:,}", n=f"{LINE_BYTES:,}"))
        self.breaks += block.count(b"\n")
        self.has_apostrophe = self.has_apostrophe or b"'" in block
        return block


@contextmanager
def text_of(path: Path) -> Iterator[tuple[TextIO, Lines]]:
    """The text of a file, and what is known of its bytes; raises Refused, with the place, where it ends early."""
    lines: Lines | None = None
    try:
        with _opened(path) as raw:
            refuse_other_content(path, raw.peek(16)[:16])
            lines = Lines(raw, path)
            with io.TextIOWrapper(lines, encoding="utf-8-sig", newline="") as stream:
                yield stream, lines
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error, lines.taken if lines else 0) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, error, lines.breaks if lines else 0) from None
    except OSError as error:
        raise Refused(
            _("{path} cannot be read: {why}").format(path=path, why=error.strerror or error)
        ) from None


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if is_packed(path) else path.open("rb")


def _not_utf8(path: Path, error: UnicodeDecodeError, taken: int) -> Refused:
    offset = taken - len(error.object) + error.start  # the decoder saw the last of the bytes taken
    line, position = _place(path, offset)
    told = _(
        "{path}, line {line}: this is not UTF-8 text (byte 0x{byte:02x}, number {position} of the line). "
        "Save it as UTF-8, or convert it, for example: iconv -f WINDOWS-1252 -t UTF-8"
    )
    byte = error.object[error.start]
    return Refused(told.format(path=path, line=f"{line:,}", byte=byte, position=f"{position:,}"))


def _place(path: Path, offset: int) -> tuple[int, int]:
    """The line of a byte, and its number in that line; both from 1."""
    line, start, seen = 1, 0, 0
    with _opened(path) as raw:
        while seen < offset and (block := raw.read(min(_BLOCK, offset - seen))):
            line += block.count(b"\n")
            start = max(start, seen + block.rfind(b"\n") + 1) if b"\n" in block else start
            seen += len(block)
    return line, offset - start + 1


def _damaged(path: Path, error: Exception, good: int) -> Refused:
    told = _("{path} is damaged: it is no gzip file, or breaks off at once ({why})")
    if good:
        told = _("{path} is damaged: the gzip data end or break after line {line} ({why})")
    told += _(". Copy or pack it again.")
    return Refused(told.format(path=path, line=f"{good:,}", why=error))
