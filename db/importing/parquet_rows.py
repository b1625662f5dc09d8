"""The rows of a Parquet file in batches; the number of a row stands for its line.

A value becomes the text that a CSV file would have, so that the same checks give the same report. Null and NaN
(which pandas writes where a number is missing) are no value; a timestamp with a zone is read as that moment, one
without as a wall time of `TIMEZONE`.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from db.errors import Refused
from db.importing.rows import BATCH_BYTES, BATCH_ROWS, Batch, Pairs, as_json, plain
from language import _

_CELLS = 400_000  # in a batch, at most
_BUFFER = 1 << 20  # bytes of a column that are read at once
_TOLD = 200  # characters of an error of pyarrow
_TYPES = (
    *(pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null),
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    *(pa.types.is_timestamp, pa.types.is_date),
)


def parquet_rows(path: Path, nesting: Collection[str] = ()) -> Iterator[Batch]:
    """A batch of no rows that tells the columns, then the rows; raises Refused where a file is none, or damaged."""
    with _telling(path), path.open("rb") as raw:
        file = pq.ParquetFile(raw, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True)
        fields = list(file.schema_arrow)
        nested = {field.name for field in fields if _is_nested(field.type) and plain(field.name) in nesting}
        unreadable = {
            field.name: str(field.type)
            for field in fields
            if field.name not in nested and not _is_readable(field.type)
        }
        header = tuple(field.name for field in fields if field.name not in unreadable)
        yield Batch(header, [], [[] for _name in header], headed=True, unreadable=unreadable)
        line = 1
        for batch in _batches(file, header):
            lines = list(range(line, line + batch.num_rows))
            line += batch.num_rows
            cells = [
                _nested_cells(batch.column(name)) if name in nested else _cells(batch.column(name))
                for name in header
            ]
            yield Batch(header, lines, cells, headed=True, unreadable=unreadable)


def _batches(file: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """Batches of the columns of these names, smaller ones where rows are large."""
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        each = group.total_byte_size // max(group.num_rows, 1)
        rows = min(BATCH_ROWS, _CELLS // max(len(names), 1), BATCH_BYTES // max(each, 1))
        for batch in file.iter_batches(
            max(rows, 1), row_groups=[number], columns=list(names), use_threads=False
        ):
            batch.validate(full=True)
            yield batch


def _is_readable(kind: Any) -> bool:
    """Whether the values of a type are single ones that the text of a cell can stand for."""
    if pa.types.is_dictionary(kind):
        return _is_readable(kind.value_type)
    return isinstance(kind, pa.UuidType) or any(is_type(kind) for is_type in _TYPES)


def _is_nested(kind: Any) -> bool:
    return any(is_type(kind) for is_type in (pa.types.is_struct, pa.types.is_map, pa.types.is_list))


def _nested_cells(column: Any) -> list[str]:
    """Lists and objects as JSON; a map is an object."""
    values = column.to_pylist()
    if pa.types.is_map(column.type):
        values = [value if value is None else Pairs(value) for value in values]
    return ["" if value is None else as_json(value) for value in values]


def _cells(column: Any) -> list[str]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if isinstance(kind, pa.UuidType):
        return [str(value) if value is not None else "" for value in column.to_pylist()]
    if pa.types.is_float16(kind):
        column = column.cast(pa.float32())
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
    elif pa.types.is_timestamp(kind) and kind.tz is not None:
        column = column.cast(
            pa.timestamp(kind.unit, "UTC")
        )  # no look-up of a zone that may not be known here
    text = pc.fill_null(column.cast(pa.large_string()), "")
    cells: list[str] = text.to_numpy(zero_copy_only=False).tolist()
    return cells


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Says of a file that cannot be read what is wrong with it."""
    try:
        yield
    except FileNotFoundError:
        raise Refused(_("There is no file {path}").format(path=path), status=2) from None
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:_TOLD]
        told = _("{path} is no Parquet file, or is damaged ({why}). Write it again.")
        raise Refused(told.format(path=path, why=why)) from None
