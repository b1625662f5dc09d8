"""Files as batches of raw rows: csv, csv.gz and jsonl, streamed, each row with its line."""

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from db.errors import Refused
from db.file_kinds import is_jsonl, is_packed, refuse_other_kind
from language import _

BATCH_ROWS = 10_000
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass
class Batch:
    """Rows with the same columns: their lines, and a list of cells for each column ('' is no value)."""

    header: tuple[str, ...]
    lines: list[int]
    cells: list[list[str]]
    broken: list[tuple[int, str, list[str]]] = field(default_factory=list)  # line, reason, raw cells


def read(path: Path) -> Iterator[Batch]:
    """The rows of a file; raises Refused when it is not what its ending says."""
    if not path.is_file():
        raise Refused(_("There is no file {path}").format(path=path), status=2)
    refuse_other_kind(path)
    try:
        with _opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as stream:
            yield from _jsonl(stream) if is_jsonl(path) else _csv(stream, path)
    except UnicodeDecodeError as error:
        told = _("{path}, line {line}: this is not UTF-8 text ({why}). Save it as UTF-8.")
        raise Refused(told.format(path=path, line=f"{_good_lines(path) + 1:,}", why=error.reason)) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        told = _("{path} is damaged: it is no gzip file, or breaks off at once ({why})")
        if good := _good_lines(path):
            told = _("{path} is damaged: the gzip data end or break after line {line} ({why})")
        raise Refused(told.format(path=path, line=f"{good:,}", why=error)) from None
    except OSError as error:
        raise Refused(
            _("{path} cannot be read: {why}").format(path=path, why=error.strerror or error)
        ) from None


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if is_packed(path) else path.open("rb")


def _good_lines(path: Path) -> int:
    """How many lines can be read before the one that cannot; text is decoded in blocks, which know no lines."""
    good = 0
    with suppress(UnicodeDecodeError, EOFError, zlib.error, OSError), _opened(path) as raw:
        for line in raw:
            line.decode("utf-8")
            good += 1
    return good


def _csv(stream: io.TextIOWrapper, path: Path) -> Iterator[Batch]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    first = stream.readline()
    if not first.strip():
        raise Refused(_("{path} is empty: there is no header line").format(path=path))
    delimiter = max(",;\t|", key=first.count)
    try:
        names = next(csv.reader([first], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _no_csv(path, 1, error) from None
    header = tuple(name.strip() for name in names)
    if doubled := sorted({name for name in header if header.count(name) > 1}):
        raise Refused(_("{path}: the header names {names} twice").format(path=path, names=", ".join(doubled)))
    yield from _csv_rows(csv.reader(stream, delimiter=delimiter, strict=True), header, path)


def _csv_rows(reader: Any, header: tuple[str, ...], path: Path) -> Iterator[Batch]:
    """Batches of rows, the header being line 1; of a row whose quoted cell spans lines, the first counts."""
    width, line = len(header), 2
    while True:
        rows = list[list[str]]()
        try:
            rows.extend(islice(reader, BATCH_ROWS))  # of which the rows before an error stay
        except csv.Error as error:
            raise _no_csv(path, line + sum(map(_lines_taken, rows)), error) from None
        lines = _lines(rows, line, reader.line_num + 2)
        line = reader.line_num + 2
        batch = Batch(header, lines, [])
        if any(len(row) != width for row in rows):
            batch.broken = [
                (at, _("{n} cells, the header has {width}").format(n=len(row), width=width), row)
                for at, row in zip(lines, rows, strict=True)
                if len(row) not in (0, width)
            ]
            batch.lines = [at for at, row in zip(lines, rows, strict=True) if len(row) == width]
        batch.cells = _columns([row for row in rows if len(row) == width], width)
        yield batch
        if len(rows) < BATCH_ROWS:
            return


def _lines(rows: list[list[str]], first: int, after: int) -> list[int]:
    """The line that each row begins on; all rows together take the lines up to `after`."""
    if after - first == len(rows):
        return list(range(first, after))
    return list(accumulate(map(_lines_taken, rows), initial=first))[:-1]


def _lines_taken(row: list[str]) -> int:
    return 1 + sum(len(_BREAK.findall(cell)) for cell in row)


def _no_csv(path: Path, line: int, error: csv.Error) -> Refused:
    told = _("{path}, line {line}: this is no CSV ({why})")
    return Refused(told.format(path=path, line=f"{line:,}", why=error))


def _columns(rows: list[list[str]], width: int) -> list[list[str]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _i in range(width)]


def _jsonl(stream: Iterable[str]) -> Iterator[Batch]:
    def objects() -> Iterator[tuple[int, Mapping[str, Any] | str]]:
        for line, record in enumerate(stream, start=1):
            if not record.strip():
                continue
            try:
                found = json.loads(record)
            except (ValueError, RecursionError):
                found = record.rstrip("\n")
            yield line, found if isinstance(found, dict) else record.rstrip("\n")

    yield from from_objects(objects())


def from_objects(objects: Iterable[tuple[int, Mapping[str, Any] | str]]) -> Iterator[Batch]:
    """Batches of neighbouring objects that have the same keys; a string is a line that is no object."""
    batch = Batch((), [], [])
    rows: list[list[str]] = []
    for line, found in objects:
        if isinstance(found, str):
            batch.broken.append((line, _("not a JSON object"), [found]))
            continue
        header = tuple(found)
        if header != batch.header or len(rows) >= BATCH_ROWS:
            batch.cells = _columns(rows, len(batch.header))
            if batch.lines or batch.broken:
                yield batch
            batch, rows = Batch(header, [], []), []
        nested = next((name for name, value in found.items() if isinstance(value, dict | list)), None)
        if nested is not None:
            batch.broken.append(
                (line, _("{name} holds a list or an object").format(name=nested), [str(found)])
            )
            continue
        batch.lines.append(line)
        rows.append([as_cell(value) for value in found.values()])
    batch.cells = _columns(rows, len(batch.header))
    yield batch


def as_cell(value: Any) -> str:
    """A value of a program or of JSON as the text that a file would have; None and NaN are no value."""
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()  # a numpy scalar as Python's own number, truth value or time
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, default=str) if isinstance(value, dict | list | tuple) else str(value)
