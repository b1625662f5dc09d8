"""Raw rows in batches, each row with its line: what every kind of file, and a program, gives to the import."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
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


class Pairs(dict[str, Any]):
    """An object of JSON in which a name stands twice, which a dict would not tell."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Pairs(pairs)


def json_rows(stream: Iterable[str], nesting: Collection[str] = ()) -> Iterator[Batch]:
    """The objects of a JSON lines file; blank lines are none. Columns of `nesting` may hold lists and objects."""

    def objects() -> Iterator[tuple[int, Mapping[str, Any] | str]]:
        for line, record in enumerate(stream, start=1):
            if not record.strip():
                continue
            try:
                found = json.loads(record, object_pairs_hook=_object if nesting else None)
            except (ValueError, RecursionError):
                found = record.rstrip("\n")
            yield line, found if isinstance(found, dict) else record.rstrip("\n")

    yield from from_objects(objects(), nesting)


def from_objects(
    objects: Iterable[tuple[int, Mapping[str, Any] | str]], nesting: Collection[str] = ()
) -> Iterator[Batch]:
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
        if (reason := _broken(found, nesting)) or isinstance(found, str):
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


def _broken(found: Mapping[str, Any] | str, nesting: Collection[str]) -> str:
    """Why a line is no row; '' where it is one."""
    if isinstance(found, str):
        return _("not a JSON object")
    nested = next(
        (
            name
            for name, value in found.items()
            if isinstance(value, dict | list) and plain(name) not in nesting
        ),
        None,
    )
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
    return as_json(value) if isinstance(value, dict | list | tuple) else str(value)


def as_json(value: Any) -> str:
    """Lists and objects of a program or of JSON as text; what JSON has not is text in it, or the text of all."""
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(name)}: {as_json(its)}" for name, its in value.pairs) + "}"
    try:
        return json.dumps(value, default=_simple)
    except (TypeError, ValueError, RecursionError):  # a key that is no text, an object that holds itself
        return str(value)


def _simple(value: Any) -> Any:
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else str(value)


def plain(name: str) -> str:
    """A column's name as it is compared: without case, blanks and hyphens."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")
