"""Files as batches of raw rows: csv, csv.gz and jsonl, streamed, each row with its line."""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from db.errors import Refused
from language import _

BATCH_ROWS = 10_000
ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")


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
    if not path.name.lower().endswith(ENDINGS):
        raise Refused(
            _("{path}: the ending must be one of {endings}").format(path=path, endings=", ".join(ENDINGS)),
            status=2,
        )
    line = 0
    try:
        opened: Any = gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")  # noqa: SIM115 - closed below
        with opened, io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as stream:
            batches = _jsonl(stream) if ".jsonl" in path.name.lower() else _csv(stream, path)
            for batch in batches:
                line = batch.lines[-1] if batch.lines else line
                yield batch
    except UnicodeDecodeError as error:
        raise Refused(
            _("{path} is not UTF-8 text (after line {line}: {why}). Save it as UTF-8.").format(
                path=path, line=line, why=error.reason
            )
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Refused(
            _("{path} is damaged: the gzip data end or break after line {line} ({why})").format(
                path=path, line=line, why=error
            )
        ) from None
    except csv.Error as error:
        raise Refused(
            _("{path} is no CSV after line {line}: {why}").format(path=path, line=line, why=error)
        ) from None
    except OSError as error:
        raise Refused(
            _("{path} cannot be read: {why}").format(path=path, why=error.strerror or error)
        ) from None


def _csv(stream: io.TextIOWrapper, path: Path) -> Iterator[Batch]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    first = stream.readline()
    if not first.strip():
        raise Refused(_("{path} is empty: there is no header line").format(path=path))
    delimiter = max(",;\t|", key=first.count)
    header = tuple(name.strip() for name in next(csv.reader([first], delimiter=delimiter, strict=True)))
    if doubled := sorted({name for name in header if header.count(name) > 1}):
        raise Refused(_("{path}: the header names {names} twice").format(path=path, names=", ".join(doubled)))
    yield from _csv_rows(csv.reader(stream, delimiter=delimiter, strict=True), header)


def _csv_rows(reader: Any, header: tuple[str, ...]) -> Iterator[Batch]:
    width, rows, lines = len(header), [], []
    broken: list[tuple[int, str, list[str]]] = []
    last = 0
    for row in reader:
        line, last = last + 2, reader.line_num  # a quoted cell may span lines: the row's first one counts
        if len(row) == width:
            rows.append(row)
            lines.append(line)
        elif row:
            reason = _("{n} cells, the header has {width}").format(n=len(row), width=width)
            broken.append((line, reason, row))
        if len(rows) + len(broken) >= BATCH_ROWS:
            yield Batch(header, lines, _columns(rows, width), broken)
            rows, lines, broken = [], [], []
    yield Batch(header, lines, _columns(rows, width), broken)


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
