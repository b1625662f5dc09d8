"""Raw rows in batches, each row with its line: what every kind of file, and a program, gives to the import."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from db.importing.cells import shown
from language import _

BATCH_ROWS, BATCH_BYTES = 10_000, 8_000_000


@dataclass
class Batch:
    """Rows with the same columns: their lines, and a list of cells for each column ('' is no value).

    `headed` says that one header names the columns of all rows of the file. `unreadable` are columns of the file
    whose cells are no single values: name → what they hold.
    """

    header: tuple[str, ...]
    lines: list[int]
    cells: list[list[str]]
    broken: list[tuple[int, str, list[str]]] = field(default_factory=list)  # line, reason, raw cells
    headed: bool = False
    unreadable: Mapping[str, str] = field(default_factory=dict)


def as_columns(rows: list[list[str]], width: int) -> list[list[str]]:
    """The cells of rows, column by column."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _i in range(width)]


def json_rows(stream: Iterable[str]) -> Iterator[Batch]:
    """The objects of a JSON lines file; blank lines are none."""

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
    held = 0  # characters
    for line, found in objects:
        header = batch.header if isinstance(found, str) else tuple(found)
        full = len(rows) + len(batch.broken) >= BATCH_ROWS or held >= BATCH_BYTES
        if full or header != batch.header:
            batch.cells = as_columns(rows, len(batch.header))
            if batch.lines or batch.broken:
                yield batch
            batch, rows, held = Batch(header, [], []), [], 0
        if (reason := _broken(found)) or isinstance(found, str):
            raw = str(found)
            batch.broken.append((line, reason, [raw]))
            held += len(raw)
            continue
        batch.lines.append(line)
        row = [as_cell(value) for value in found.values()]
        rows.append(row)
        held += sum(map(len, row))
    batch.cells = as_columns(rows, len(batch.header))
    yield batch


def _broken(found: Mapping[str, Any] | str) -> str:
    """Why a line is no row; '' where it is one."""
    if isinstance(found, str):
        return _("not a JSON object")
    nested = next((name for name, value in found.items() if isinstance(value, dict | list)), None)
    return "" if nested is None else _("{name} holds a list or an object").format(name=shown(nested))


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
