"""The rows of a CSV file in batches, each row with its line."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, TextIO

from db.errors import Refused
from db.importing.cells import shown
from db.importing.rows import BATCH_BYTES, BATCH_ROWS, Batch, as_columns
from db.importing.streams import LINE_BYTES, Lines
from db.spreadsheets import unguarded
from language import _

CELL_CHARACTERS = 2 * LINE_BYTES  # of a quoted cell that spans lines; the rejects file keeps a line in one
_AT_ONCE = 25  # rows between two looks at how many bytes there are
_TOLD = 5  # columns that are named twice
_BREAK = re.compile(r"\r\n|\r|\n")


def csv_rows(stream: TextIO, taken: Lines, path: Path) -> Iterator[Batch]:
    """Batches of the rows below a header; raises Refused where the file is no CSV."""
    csv.field_size_limit(CELL_CHARACTERS)
    first = stream.readline()
    if not first.strip():
        told = _("{path} is empty: there is no header line")
        if first:
            told = _("{path}: line 1 is blank; the first line must name the columns")
        raise Refused(told.format(path=path))
    delimiter = max(",;\t|", key=first.count)
    header = _header(first, delimiter, path)
    yield from _rows(csv.reader(stream, delimiter=delimiter, strict=True), taken, header, path)


def _header(first: str, delimiter: str, path: Path) -> tuple[str, ...]:
    if "\0" in first:
        told = _(
            "{path}, line 1: this is not UTF-8 text, it holds NUL characters (UTF-16?). Save it as UTF-8."
        )
        raise Refused(told.format(path=path))
    try:
        names = next(csv.reader([first], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _no_csv(path, 1, error) from None
    header = tuple(unguarded(name.strip()) or f"unnamed_{n}" for n, name in enumerate(names, start=1))
    if len(set(header)) < len(header):
        doubled = sorted(name for name, times in Counter(header).items() if times > 1)
        named = ", ".join(map(shown, doubled[:_TOLD])) + (", …" if doubled[_TOLD:] else "")
        raise Refused(
            _("{path}: the header names {names} twice; rename or remove one of them").format(
                path=path, names=named
            )
        )
    return header


def _rows(reader: Any, taken: Lines, header: tuple[str, ...], path: Path) -> Iterator[Batch]:
    """Batches of rows, the header being line 1; of a row whose quoted cell spans lines, the first counts."""
    width, line = len(header), 2
    while True:
        rows = list[list[str]]()
        try:
            whole = _fill(rows, reader, taken)
        except csv.Error as error:
            raise _no_csv(path, line + sum(map(_lines_taken, rows)), error) from None
        lines = _lines(rows, line, reader.line_num + 2)
        line = reader.line_num + 2
        batch = Batch(header, lines, [], headed=True)
        if any(len(row) != width for row in rows):
            batch.broken = [
                (at, _("{n} cells, the header has {width}").format(n=len(row), width=width), row)
                for at, row in zip(lines, rows, strict=True)
                if len(row) not in (0, width)
            ]
            batch.lines = [at for at, row in zip(lines, rows, strict=True) if len(row) == width]
        batch.cells = as_columns([row for row in rows if len(row) == width], width)
        if taken.has_apostrophe:
            batch.cells = [list(map(unguarded, cells)) for cells in batch.cells]
        yield batch
        if whole:
            return


def _fill(rows: list[list[str]], reader: Any, taken: Lines) -> bool:
    """Adds the rows of a batch, of which those before an error stay; returns whether the file has ended."""
    begun = taken.taken
    while len(rows) < BATCH_ROWS and taken.taken - begun < BATCH_BYTES:
        before = len(rows)
        rows.extend(islice(reader, _AT_ONCE))
        if len(rows) - before < _AT_ONCE:
            return True
    return False


def _lines(rows: list[list[str]], first: int, after: int) -> list[int]:
    """The line that each row begins on; all rows together take the lines up to `after`."""
    if after - first == len(rows):
        return list(range(first, after))
    return list(accumulate(map(_lines_taken, rows), initial=first))[:-1]


def _lines_taken(row: list[str]) -> int:
    return 1 + sum(len(_BREAK.findall(cell)) for cell in row)


def _no_csv(path: Path, line: int, error: csv.Error) -> Refused:
    if "field limit" in str(error):
        told = _("{path}, line {line}: a cell has more than {n} characters; is a quote left open?")
        return Refused(told.format(path=path, line=f"{line:,}", n=f"{CELL_CHARACTERS:,}"))
    told = _("{path}, line {line}: this is no CSV ({why}). Mend the quotes of that row.")
    return Refused(told.format(path=path, line=f"{line:,}", why=error))
