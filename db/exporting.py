"""Tables into files: csv, jsonl or parquet, streamed, in the same order on every database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Engine, Select, Table, collate, select

from db.clock import parse_day
from db.engine import reading
from db.errors import Refused
from db.export_files import rows_into
from db.progress import QUIET, Progress
from db.tables import metadata
from db.tables.models import Model
from language import _

BATCH_ROWS = 5_000


@dataclass(frozen=True)
class Exported:
    """A table that is exported; `day` is the column that `--since` and `--until` look at."""

    table: str
    order: tuple[str, ...]
    day: str | None = None


FORECASTS = ("day", "code", "model", "horizon", "predicted_at", "target_date")
EXPORTS = {
    exported.table: exported
    for exported in (
        Exported("models", order=("name",)),
        Exported("model_evaluations", order=("day", "model_name", "prediction_id"), day="day"),
        Exported("daily_model_performance", order=("date", "model_name"), day="date"),
        Exported(
            "conversation_evaluation",
            order=("day", "conversation_id", "model", "evaluator", "created_at"),
            day="day",
        ),
        Exported("feedback_log", order=("day", "conversation_id", "message_id", "created_at"), day="day"),
        Exported("daily_ai_quality", order=("date", "evaluator", "model", "channel", "topic"), day="date"),
        Exported("weekly_ai_quality", order=("week_start", "evaluator"), day="week_start"),
        Exported("price_bars", order=("code", "date"), day="date"),
        Exported("predictions", order=FORECASTS, day="day"),
        Exported("prediction_outcomes", order=FORECASTS, day="day"),
        Exported("daily_forecasts", order=("date", "model", "horizon"), day="date"),
        Exported(
            "model_performance", order=("as_of", "code", "horizon", "model", "window_days"), day="as_of"
        ),
        Exported("ensemble_weights", order=("code", "horizon", "model")),
        Exported(
            "ensemble_weight_history", order=("as_of", "run_id", "code", "horizon", "model"), day="as_of"
        ),
        Exported("training_runs", order=("trained_at", "code", "horizon", "model")),
        Exported(
            "weight_backtests", order=("run_id", "prefix", "week_start", "horizon", "rule"), day="week_start"
        ),
        Exported("trade_records", order=("day", "timestamp", "trade_id"), day="day"),
        Exported("llm_usage_log", order=("day", "timestamp", "request_id"), day="day"),
        Exported("llm_prices", order=("provider", "model", "valid_from"), day="valid_from"),
        Exported("model_evolution_history", order=("day", "agent_name", "timestamp"), day="day"),
        Exported("agent_assignments", order=("agent_name",)),
        Exported(
            "agent_performance", order=("period_start", "period", "market", "agent_name"), day="period_start"
        ),
        Exported("daily_confidence", order=("date", "market", "agent_name", "bin"), day="date"),
        Exported("daily_llm_usage", order=("date", "agent_name", "provider", "model"), day="date"),
        Exported("system_metrics", order=("date", "market"), day="date"),
        Exported("verdicts", order=("week_start", "word", "subject", "metric"), day="week_start"),
        Exported("restatements", order=("at", "table_name", "key", "column", "run")),
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
    columns = [(column.name, column.type) for column in query.selected_columns]
    of_json = [number for number, (_name, kind) in enumerate(columns) if isinstance(kind, JSON)]
    written = 0
    with rows_into(path, columns) as write, reading(engine) as connection:
        found = connection.execution_options(yield_per=BATCH_ROWS).execute(query)
        for batch in found.partitions():
            write([_with_json(row, of_json) for row in batch] if of_json else batch)
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


def _with_json(row: Sequence[Any], of_json: Sequence[int]) -> list[Any]:
    """A row whose JSON is text where it is no list and no object, since files have such text for all kinds of JSON."""
    values = list(row)
    for number in of_json:
        if values[number] is not None and not isinstance(values[number], dict | list):
            values[number] = json.dumps(values[number])
    return values


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
