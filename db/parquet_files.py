"""Rows into Parquet, with the types that the database has."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from db.base import Timestamp

GROUP_ROWS = 100_000  # that are in memory at the same time, packed
_TYPES = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    datetime: pa.timestamp("us", tz="UTC"),
    date: pa.date32(),
}


@contextmanager
def parquet_into(
    raw: IO[bytes], columns: Sequence[tuple[str, Any]]
) -> Iterator[Callable[[Sequence[Sequence[Any]]], None]]:
    """Takes rows of columns (name, type in the database) for a stream that holds a Parquet file afterwards."""
    schema = pa.schema([(name, _type(kind)) for name, kind in columns])
    held: list[Any] = []

    def write(rows: Sequence[Sequence[Any]]) -> None:
        cells = zip(*rows, strict=True) if rows else ((),) * len(columns)
        arrays = [
            pa.array(map(_value, column), field.type) for column, field in zip(cells, schema, strict=True)
        ]
        held.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        if sum(batch.num_rows for batch in held) >= GROUP_ROWS:
            flush()

    def flush() -> None:
        if held:
            writer.write_table(pa.Table.from_batches(held))
            held.clear()

    with pq.ParquetWriter(raw, schema, compression="zstd") as writer:
        yield write
        flush()


def _type(kind: Any) -> Any:
    python = datetime if isinstance(kind, Timestamp) else kind.python_type
    return _TYPES.get(python, pa.string())


def _value(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
