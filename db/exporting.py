"""Tables into files: csv, csv.gz or jsonl, streamed, in the same order on every database."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Column, ColumnElement, Engine, Select, Table, collate, select

from db.clock import parse_day
from db.engine import reading
from db.errors import Refused
from db.file_kinds import is_jsonl, is_packed, refuse_other_kind
from db.progress import QUIET, Progress
from db.tables import metadata
from db.tables.models import Model
from language import _

BATCH_ROWS = 5_000

WriteRow = Callable[[list[Any]], None]


@dataclass(frozen=True)
class Exported:
    """A table that is exported; `day` is the column that `--since` and `--until` look at."""

    table: str
    order: tuple[str, ...]
    day: str | None = None


EXPORTS = {
    exported.table: exported
    for exported in (
        Exported("models", order=("name",)),
        Exported("model_evaluations", order=("day", "model_name", "prediction_id"), day="day"),
        Exported("daily_model_performance", order=("date", "model_name"), day="date"),
        Exported("verdicts", order=("week_start", "word", "subject", "metric"), day="week_start"),
    )
}


def export_table(
    engine: Engine,
    table: str,
    path: Path,
    *,
    since: date | None = None,
    until: date | None = None,
    progress: Progress = QUIET,
) -> int:
    """Writes a table, or the business days since … until of it, to a file; returns how many rows.

    The file appears when it is complete and replaces one of that name. Raises Refused.
    """
    exported = _exported(table)
    query = _query(exported, since, until, engine.dialect.name)
    names = [column.name for column in query.selected_columns]
    written = 0
    with _whole_file(path) as stream, reading(engine) as connection:
        write = _writer(stream, path, names)
        found = connection.execution_options(yield_per=BATCH_ROWS).execute(query)
        for batch in found.partitions():
            for row in batch:
                write(list(row))
            written += len(batch)
            progress(written)
    return written


def first_and_last(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    """The two days as they were typed; raises Refused."""
    first, last = (parse_day(text) if text else None for text in (since, until))
    if first and last and first > last:
        raise Refused(_("--since {since} is after --until {until}").format(since=first, until=last), status=2)
    return first, last


def _exported(table: str) -> Exported:
    if table not in EXPORTS:
        raise Refused(
            _("“{table}” cannot be exported; these can: {tables}").format(
                table=table, tables=", ".join(EXPORTS)
            ),
            status=2,
        )
    return EXPORTS[table]


def _query(exported: Exported, since: date | None, until: date | None, dialect: str) -> Select[Any]:
    """All columns of the table, the model's name beside its id, in an order that rows alone decide."""
    table: Table = metadata.tables[exported.table]
    columns: list[ColumnElement[Any]] = []
    for column in table.columns:
        columns.append(column)
        if column.name == "model_id":
            columns.append(Model.name.label("model_name"))
    query = select(*columns)
    if "model_id" in table.columns:
        query = query.join(Model, Model.id == table.c.model_id)
    if since is not None:
        query = query.where(_day_column(exported, table) >= since)
    if until is not None:
        query = query.where(_day_column(exported, table) <= until)
    return query.order_by(*(_sorted_by(table, name, dialect) for name in exported.order))


def _day_column(exported: Exported, table: Table) -> Column[Any]:
    if exported.day is None:
        raise Refused(
            _("{table} has no days: leave out --since and --until").format(table=table.name), status=2
        )
    return table.c[exported.day]


def _sorted_by(table: Table, name: str, dialect: str) -> ColumnElement[Any]:
    column: ColumnElement[Any] = Model.__table__.c.name if name == "model_name" else table.c[name]
    # SQLite compares text byte by byte; PostgreSQL in its locale, unless told so.
    return collate(column, "C") if dialect == "postgresql" and column.type.python_type is str else column


@contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    """A text file, compressed where its ending says so, that gets its name when it is complete."""
    refuse_other_kind(path)
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("wb") as raw:
            if is_packed(path):
                # Without name and time, equal rows give equal files.
                with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, _text(packed) as stream:
                    yield stream
            else:
                with _text(raw) as stream:
                    yield stream
        unfinished.replace(path)
    except OSError as error:
        raise Refused(
            _("{path} cannot be written: {why}").format(path=path, why=error.strerror or error)
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _text(raw: Any) -> TextIOWrapper:
    return TextIOWrapper(raw, encoding="utf-8", newline="")


def _writer(stream: TextIO, path: Path, names: list[str]) -> WriteRow:
    if is_jsonl(path):
        return lambda row: _write_json(stream, dict(zip(names, map(_json_value, row), strict=True)))
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(names)
    return lambda row: rows.writerow([_cell(value) for value in row])


def _write_json(stream: TextIO, row: Mapping[str, Any]) -> None:
    stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def _json_value(value: Any) -> Any:
    """Days and moments as text; the rest JSON knows."""
    if isinstance(value, datetime):
        return _moment(value)
    return value.isoformat() if isinstance(value, date) else value


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return _json_value(value)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
