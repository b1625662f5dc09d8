"""The functions with which a program of yours stores rows, instead of writing a file and importing it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

import settings
from db.clock import utc_now
from db.engine import default_engine
from db.errors import Refused
from db.importing.agent_specs import (
    AGENT_ASSIGNMENTS,
    LLM_PRICES,
    LLM_USAGE_LOG,
    MODEL_EVOLUTION_HISTORY,
    TRADE_RECORDS,
)
from db.importing.cells import Surroundings
from db.importing.columns import Spec
from db.importing.files import import_batches
from db.importing.report import Report
from db.importing.rows import from_objects
from db.importing.specs import (
    CONVERSATION_EVALUATION,
    FEEDBACK_LOG,
    MODEL_EVALUATIONS,
    PREDICTION_OUTCOMES,
    PREDICTIONS,
    PRICE_BARS,
)
from db.schema import refuse_unready
from language import _, ngettext

_TOLD = 5  # rejected rows that an error names


def store_evaluations(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores evaluations of predictions: new ones are added, those with a known key are corrected.

    A row is a mapping with the columns of `model_evaluations`; `prediction_id`, `model_name` and `predicted_at`
    identify it, and a model that is not there yet is added. A column that a row lacks is left as it is, None or
    NaN empties it. Values are Python's own: a datetime (without offset it is a wall time of `TIMEZONE`), float,
    int, bool. The same rows twice change nothing, so a program may simply send its last hours again.

    With `strict`, one row that cannot be stored is enough to raise Refused with nothing written; without it
    the good rows are stored, and the report names the others. `engine` is that of `DATABASE_URL` by default.

    >>> from datetime import datetime, timezone
    >>> report = store_evaluations(
    ...     [
    ...         {
    ...             "prediction_id": "2026-11-15/KOSPI/5d",
    ...             "model_name": "atlas-2",
    ...             "predicted_at": datetime(2026, 11, 15, 9, 30, tzinfo=timezone.utc),
    ...             "evaluated_at": datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc),
    ...             "final_score": 81.5,
    ...             "target_achieved": True,
    ...         }
    ...     ]
    ... )
    >>> print(report.summary())
    1 read: 1 new, 0 updated, 0 unchanged, 0 rejected
    """
    return _store(MODEL_EVALUATIONS, rows, engine or default_engine(), now or utc_now(), strict)


def store_conversation_evaluations(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores judgements of conversations, as `store_evaluations` does evaluations: the same rows, reports and errors.

    `conversation_id`, `model`, `evaluator` and `created_at` identify a row; `score` and the criteria are 0–10.
    """
    return _store(CONVERSATION_EVALUATION, rows, engine or default_engine(), now or utc_now(), strict)


def store_feedback(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores likes and dislikes; `conversation_id`, `message_id` and `created_at` identify a row."""
    return _store(FEEDBACK_LOG, rows, engine or default_engine(), now or utc_now(), strict)


def store_prices(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores daily prices: `code`, `date` and `close` are needed; open, high, low and volume may be there."""
    return _store(PRICE_BARS, rows, engine or default_engine(), now or utc_now(), strict)


def store_predictions(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores what models predict: `code`, `model`, `horizon` (days, or "2w"), `predicted_at`, `target_date` and
    `predicted_value`; with `base_value`, the value when it was predicted, there is a direction to hit."""
    return _store(PREDICTIONS, rows, engine or default_engine(), now or utc_now(), strict)


def store_outcomes(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores predictions whose outcome is known elsewhere than in `price_bars`: a prediction's columns,
    `actual_value` and `resolved_at`; error and direction are computed from them."""
    return _store(PREDICTION_OUTCOMES, rows, engine or default_engine(), now or utc_now(), strict)


def store_trades(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores trades: `timestamp` and `side` (buy or sell) are needed, `trade_id` identifies a row.

    `agent_contributions` is a dict agent → 0 to 1; `pnl`, in the market's currency, comes when the position is closed.
    """
    return _store(TRADE_RECORDS, rows, engine or default_engine(), now or utc_now(), strict)


def store_llm_usage(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores calls of language models; `timestamp` is needed, `request_id` identifies a row.

    A call without `cost_usd` gets it from the price book, where that has a price. `db.usage_logging` measures and
    stores calls by itself.
    """
    return _store(LLM_USAGE_LOG, rows, engine or default_engine(), now or utc_now(), strict)


def store_swaps(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores changes of the model that an agent runs on; `agent_name` and `timestamp` identify a row."""
    return _store(MODEL_EVOLUTION_HISTORY, rows, engine or default_engine(), now or utc_now(), strict)


def store_assignments(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores which model each agent runs on, and since when; `agent_name` identifies a row. Nothing goes into the
    history: `python -m db assignments FILE` writes both."""
    return _store(AGENT_ASSIGNMENTS, rows, engine or default_engine(), now or utc_now(), strict)


def store_llm_prices(
    rows: Iterable[Mapping[str, Any]],
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
    strict: bool = True,
) -> Report:
    """Stores US dollars a token (`input`, `output`, `cached`) of a `provider`'s `model`, from `valid_from` on; without
    that day, always."""
    return _store(LLM_PRICES, rows, engine or default_engine(), now or utc_now(), strict)


def _store(
    spec: Spec, rows: Iterable[Mapping[str, Any]], engine: Engine, now: datetime, strict: bool
) -> Report:
    zone = settings.current().zone
    refuse_unready(engine, zone)
    batches = from_objects(enumerate(rows, start=1), spec.nesting)
    where = Surroundings(zone, now)
    report = import_batches(engine, spec, "row", batches, where, mapping={}, filling={}, strict=strict)
    if strict and report.rejected:
        raise Refused(_told(report))
    return report


def _told(report: Report) -> str:
    """Which rows could not be stored, and why; the first few of them."""
    count = ngettext("{n} row cannot be stored", "{n} rows cannot be stored", report.rejected)
    lines = [_("{count} of {read}; nothing was written.").format(count=count, read=f"{report.read:,}")]
    for row in report.rejects[:_TOLD]:
        reason = f"{row.column}: {row.reason}" if row.column else row.reason
        lines.append(_("row {n}: {reason}").format(n=row.line, reason=reason))
    if report.rejected > _TOLD:
        lines.append(_("… and more; with strict=False the report names up to 100"))
    return "\n".join(lines)
