"""model_evaluations → daily_model_performance: what each model's predictions of a day came to (metrics.md).

Its cost grows with what changed: only the (day, model) pairs that are stale are computed again, a few hundred in
a transaction.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    select,
    tuple_,
)

from db.base import Timestamp
from db.engine import reading, scratch, writing
from db.errors import Refused
from db.statistics import percentage, sample_mean, sample_std, true_count
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import BusinessDay
from db.upsert import UpsertFrom
from jobs.changes import RELATIVE, Changes
from jobs.job import DayParameters, Job, Outcome, Run
from jobs.stale import Pair, chunk, chunks, load_chunk, mark_weeks, stale_pairs, take_marks_off
from language import N_, _, ngettext

SOURCE = ModelEvaluation.__tablename__
KEY = ("date", "model_id")
ROUNDS = 20  # after so many looks at what became stale meanwhile, the rest is left to the next run

daily: Table = DailyModelPerformance.__table__  # type: ignore[assignment]
e = ModelEvaluation


class AggregateModelsParameters(DayParameters):
    model: str | None = Field(None, description=N_("this model only, by its name"))


def aggregate_models(engine: Engine, params: AggregateModelsParameters, run: Run) -> Outcome:
    """Computes the asked days, or all that is stale and yesterday; one transaction a chunk.

    What becomes stale while it works is computed too, so that whoever joins a run gets what they asked for.
    """
    with reading(engine) as connection:
        waiting = _pairs(connection, params, run)
        changes = Changes({"model_id": ("model", _names(connection))}) if params.dry_run else None
    done, read, written = set[Pair](), 0, 0
    for _round in range(ROUNDS):
        for some in chunks(waiting):
            run.progress(len(done) / len(done.union(waiting)), _told_days(some))
            with scratch(engine) if changes else writing(engine) as connection:
                load_chunk(connection, SOURCE, some)
                if changes:
                    read += _rehearse(connection, run.now, changes)
                else:
                    written += _refresh(connection, some, run.now)
                    read += connection.scalar(ROWS_BEHIND) or 0
            done.update(some)
        if changes or params.days(run.today):
            break
        with reading(engine) as connection:
            waiting = _only(_model_id(connection, params), stale_pairs(connection, SOURCE))
        if not waiting:
            break
    return _outcome(sorted(done), read, written, changes)


def _names(connection: Connection) -> dict[int, str]:
    return {row.id: row.name for row in connection.execute(select(Model.id, Model.name))}


def _model_id(connection: Connection, params: AggregateModelsParameters) -> int | None:
    """The id of the model that was asked for, None for all; raises Refused."""
    if params.model is None:
        return None
    found = connection.scalar(select(Model.id).where(Model.name == params.model))
    if found is None:
        raise Refused(_("There is no model “{name}”").format(name=params.model), status=2)
    return found


def _check(connection: Connection, params: AggregateModelsParameters) -> None:
    _model_id(connection, params)


JOB = Job(
    "aggregate_models", N_("Aggregate model evaluations"), aggregate_models, AggregateModelsParameters, _check
)


def _pairs(connection: Connection, params: AggregateModelsParameters, run: Run) -> list[Pair]:
    """The (day, model) pairs to compute, in order."""
    model_id = _model_id(connection, params)
    asked = params.days(run.today)
    if asked:
        found = set(_pairs_between(connection, *asked))
    else:
        yesterday = run.today - timedelta(days=1)
        found = set(stale_pairs(connection, SOURCE)) | set(_pairs_between(connection, yesterday, yesterday))
        _refuse_orphans(connection, found)
    return _only(model_id, found)


def _refuse_orphans(connection: Connection, pairs: Iterable[Pair]) -> None:
    """Raises Refused where a pair has evaluations but no model: plain SQL can do that to SQLite."""
    missing = {pair.key for pair in pairs} - set(connection.scalars(select(Model.id)))
    rows = select(e.model_id).where(e.model_id.in_(missing)).distinct()
    gone = connection.scalars(rows).all() if missing else []
    if gone:
        raise Refused(
            _(
                "There are evaluations of models that are gone from the table models (id {ids}). "
                "python -m db check says what to do."
            ).format(ids=", ".join(str(model_id) for model_id in sorted(gone)))
        )


def _only(model_id: int | None, pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs of one model, or all; in order, each once."""
    return sorted({pair for pair in pairs if model_id in (None, pair.key)})


def _pairs_between(connection: Connection, first: date, last: date) -> Iterator[Pair]:
    """Pairs of the range with rows in the source or in the result: seeks in the indexes, never a scan."""
    sources = exists().where(e.day == BusinessDay.day, e.model_id == Model.id)
    results = exists().where(daily.c.date == BusinessDay.day, daily.c.model_id == Model.id)
    both = select(BusinessDay.day, Model.id).join(Model, literal(True))
    rows = connection.execute(both.where(BusinessDay.day.between(first, last), sources | results))
    yield from (Pair(day, model_id) for day, model_id in rows)


def _fresh() -> Select[Any]:
    """The rows that the chunk's pairs should have."""
    achieved, flagged = true_count(e.target_achieved), func.count(e.target_achieved)
    breached, breach_flagged = true_count(e.support_breached), func.count(e.support_breached)
    columns = {
        "model_id": chunk.c.key,
        "date": chunk.c.day,
        "total_predictions": func.count(),
        "evaluated_count": func.count(e.evaluated_at),
        "scored_count": func.count(e.counted_score),
        "human_evaluated_count": func.count(e.human_evaluated_at),
        "avg_final_score": sample_mean(e.counted_score),
        "std_final_score": _std(e.counted_score),
        "avg_auto_score": sample_mean(e.auto_score),
        "std_auto_score": _std(e.auto_score),
        "auto_count": func.count(e.auto_score),
        "avg_human_score": sample_mean(e.human_score),
        "std_human_score": _std(e.human_score),
        "human_score_count": func.count(e.human_score),
        "avg_rating_overall": sample_mean(e.overall_score),
        "std_rating_overall": _std(e.overall_score),
        "rating_overall_count": func.count(e.overall_score),
        "avg_target_accuracy": func.avg(e.target_accuracy_score),
        "target_accuracy_count": func.count(e.target_accuracy_score),
        "avg_timing_score": func.avg(e.timing_score),
        "timing_count": func.count(e.timing_score),
        "avg_risk_management": func.avg(e.risk_management_score),
        "risk_management_count": func.count(e.risk_management_score),
        "target_achieved_rate": percentage(achieved, flagged),
        "target_achieved_count": achieved,
        "target_flag_count": flagged,
        "support_breach_rate": percentage(breached, breach_flagged),
        "support_breached_count": breached,
        "breach_flag_count": breach_flagged,
        "updated_at": bindparam("now", type_=Timestamp),
    }
    return (
        select(*(column.label(name) for name, column in columns.items()))
        .select_from(chunk)
        .join(e, _in_pair(e))
        .group_by(chunk.c.day, chunk.c.key)
    )


def _std(x: Any) -> ColumnElement[Any]:
    return sample_std(x, chunk, _in_pair)


def _in_pair(rows: Any) -> ColumnElement[bool]:
    """The evaluations of the chunk's pair."""
    return and_(rows.day == chunk.c.day, rows.model_id == chunk.c.key)


# Built once: to build them takes as long as a small day's rows.
FRESH = _fresh()
HELD = select(daily).join(chunk, and_(daily.c.date == chunk.c.day, daily.c.model_id == chunk.c.key))
UPSERT = UpsertFrom(daily, KEY, FRESH, touch=("updated_at",), rounding=RELATIVE)
_vanished = select(chunk.c.key, chunk.c.day).where(~exists().where(_in_pair(e)))
DELETE = delete(daily).where(tuple_(daily.c.model_id, daily.c.date).in_(_vanished))
ROWS_BEHIND = HELD.with_only_columns(func.coalesce(func.sum(daily.c.total_predictions), 0))


def _rehearse(connection: Connection, now: datetime, changes: Changes) -> int:
    """Notes what a refresh would change; returns the rows read."""
    fresh = connection.execute(FRESH, {"now": now}).mappings().all()
    changes.compare(daily, KEY, connection.execute(HELD).mappings(), fresh)
    return sum(row["total_predictions"] for row in fresh)


def _refresh(connection: Connection, pairs: list[Pair], now: datetime) -> int:
    """Brings the chunk's rows up to date and takes its marks off; returns rows written."""
    written = UPSERT.run(connection, {"now": now})
    written += connection.execute(DELETE).rowcount
    take_marks_off(connection, SOURCE, pairs)
    if written:
        mark_weeks(connection, daily.name, (pair.day for pair in pairs))
    return written


def _told_days(pairs: list[Pair]) -> str:
    first, last = pairs[0].day, pairs[-1].day
    return f"{first}" if first == last else f"{first} – {last}"


def _outcome(pairs: list[Pair], read: int, written: int, changes: Changes | None) -> Outcome:
    days, models = len({day for day, _m in pairs}), len({model for _d, model in pairs})
    covered = _("{days} of {models}").format(
        days=ngettext("{n} day", "{n} days", days), models=ngettext("{n} model", "{n} models", models)
    )
    result: dict[str, Any] = {"days": days, "models": models, "pairs": len(pairs)}
    if pairs:
        result |= {"first": str(pairs[0].day), "last": str(pairs[-1].day)}
    if changes is not None:
        told = _("{covered}: {changes}").format(covered=covered, changes=changes.summary())
        return Outcome(_("Dry run. {told}").format(told=told), read, 0, result | changes.as_json())
    if not pairs:
        return Outcome(_("Nothing was stale."), result=result)
    told = ngettext("{n} row changed", "{n} rows changed", written)
    return Outcome(_("{covered}: {told}").format(covered=covered, told=told), read, written, result)
