"""Files as batches of raw rows, streamed: csv, jsonl and parquet, known by their endings."""

from collections.abc import Collection, Generator
from pathlib import Path

from db.errors import Refused
from db.file_kinds import is_jsonl, is_parquet, refuse_other_kind
from db.importing.csv_rows import csv_rows
from db.importing.rows import Batch, json_rows
from db.importing.streams import text_of
from language import _


def read(path: Path, nesting: Collection[str] = ()) -> Generator[Batch, None, None]:
    """The rows of a file; raises Refused when it is not what its ending says.

    Columns of `nesting` (plain names) may hold lists and objects, which become the text that they are in JSON.
    """
    if not path.is_file():
        raise Refused(_("There is no file {path}").format(path=path), status=2)
    refuse_other_kind(path)
    if is_parquet(path):
        from db.importing.parquet_rows import parquet_rows  # loading pyarrow takes longer than most imports

        yield from parquet_rows(path, nesting)
        return
    with text_of(path) as (stream, taken):
        yield from json_rows(stream, nesting) if is_jsonl(path) else csv_rows(stream, taken, path)
