"""A table as lines of equally wide characters, at most 40 columns; wide (Korean) characters count as two."""

import unicodedata
from collections.abc import Sequence

from reports.blocks import Table
from reports.splitting import NUMBER, clean, graphemes, pieces

WIDTH, GAP, NARROWEST = 40, 2, 8
Rows = list[list[str]]


def cells_wide(text: str) -> int:
    """How many columns a text takes."""
    return sum(_wide(one) for one in graphemes(text))


def _wide(grapheme: str) -> int:
    if "\ufe0f" in grapheme or unicodedata.east_asian_width(grapheme[0]) in "WF":
        return 2
    return 0 if unicodedata.category(grapheme[0]) in ("Mn", "Me", "Cf") else 1


def lines_of(table: Table) -> tuple[list[str], Rows]:
    """The lines of the head, and those of each row: in columns; below each other where columns are too wide."""
    rows = [[clean(cell).strip() for cell in row] for row in (table.head, *table.rows)]
    count = max((len(row) for row in rows), default=0)
    rows = [row + [""] * (count - len(row)) for row in rows]
    if not count:
        return [], []
    widths = [max(cells_wide(row[n]) for row in rows) for n in range(count)]
    first = min(widths[0], WIDTH - sum(widths[1:]) - GAP * (count - 1))
    if first >= max(min(widths[0], NARROWEST), _widest_number([row[0] for row in rows])):
        head, *told = [_in_columns(row, [first, *widths[1:]]) for row in rows]
        return head if any(rows[0]) else [], told
    if len(rows) == 1:
        return [], [_below_each_other([], rows[0])]
    return _below_each_other([], rows[0][:1]), [_below_each_other(rows[0], row) for row in rows[1:]]


def _widest_number(cells: Sequence[str]) -> int:
    return max((cells_wide(number) for cell in cells for number in NUMBER.findall(cell)), default=0)


def _in_columns(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Figures beside the first line of a name, which may take more."""
    name, *more = pieces(row[0], max(1, widths[0]), cells_wide) or [""]
    cells = [_padded(name, widths[0], left=True)]
    cells += [_padded(cell, width, left=False) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return [(" " * GAP).join(cells).rstrip(), *(line.rstrip() for line in more)]


def _padded(text: str, width: int, *, left: bool) -> str:
    blanks = " " * (width - cells_wide(text.rstrip()))
    return text.rstrip() + blanks if left else blanks + text


def _below_each_other(head: Sequence[str], row: Sequence[str]) -> list[str]:
    """The name, then each figure with its column's name on a line of its own."""
    told = pieces(row[0], WIDTH, cells_wide)
    for n, cell in enumerate(row[1:], 1):
        label = head[n] if n < len(head) else ""
        told += ["  " + part.strip() for part in pieces(f"{label} {cell}".strip(), WIDTH - 2, cells_wide)]
    return [line.rstrip() for line in told if line.strip()]
