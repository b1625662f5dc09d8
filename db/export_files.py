"""The files that tables are written to: csv, jsonl or parquet, complete or not there at all."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, TextIO

from db.errors import Refused
from db.file_kinds import is_jsonl, is_packed, is_parquet, refuse_other_kind
from db.spreadsheets import guarded
from language import _

Rows = Sequence[Sequence[Any]]
WriteRows = Callable[[Rows], None]


@contextmanager
def rows_into(path: Path, columns: Sequence[tuple[str, Any]]) -> Iterator[WriteRows]:
    """Takes rows of columns (name, type in the database) for a file that gets its name when it is complete.

    The ending says what kind of file it is. Raises Refused where it cannot be written.
    """
    refuse_other_kind(path)
    names = [name for name, _type in columns]
    with _whole_file(path) as raw:
        if is_parquet(path):
            from db.parquet_files import parquet_into  # loading pyarrow takes longer than most exports

            with parquet_into(raw, columns) as write:
                yield write
        elif is_packed(path):
            # Without name and time, equal rows give equal files.
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, _text(packed) as stream:
                yield _writer(stream, path, names)
        else:
            with _text(raw) as stream:
                yield _writer(stream, path, names)


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[bytes]]:
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("wb") as raw:
            yield raw
        unfinished.replace(path)
    except OSError as error:
        raise Refused(
            _("{path} cannot be written: {why}").format(path=path, why=error.strerror or error)
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _text(raw: Any) -> TextIOWrapper:
    return TextIOWrapper(raw, encoding="utf-8", newline="")


def _writer(stream: TextIO, path: Path, names: list[str]) -> WriteRows:
    if is_jsonl(path):
        return lambda rows: stream.writelines(_json_line(names, row) for row in rows)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    return lambda rows: writer.writerows([_cell(value) for value in row] for row in rows)


def _json_line(names: list[str], row: Sequence[Any]) -> str:
    found = dict(zip(names, map(_json_value, row), strict=True))
    return json.dumps(found, ensure_ascii=False) + "\n"


def _json_value(value: Any) -> Any:
    """Days and moments as text; the rest JSON knows."""
    if isinstance(value, datetime):
        return _moment(value)
    return value.isoformat() if isinstance(value, date) else value


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return _json_value(value)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
