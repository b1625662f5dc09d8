"""model_evaluations → daily_model_performance: what each model's predictions of a day came to (docs/metrics.md).

Its cost grows with what changed: only the (day, model) pairs that are stale are computed again, a few hundred in
a transaction.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

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
    select,
    tuple_,
)

from db.base import Timestamp
from db.engine import bookkeeping, reading, scratch, writing
from db.statistics import percentage, sample_mean, sample_std, true_count
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.upsert import UpsertFrom
from jobs.changes import RELATIVE, Changes
from jobs.job import Job, Outcome, Run
from jobs.model_days import (
    SOURCE,
    AggregateModelsParameters,
    check,
    mark_once,
    rest,
    still_stale,
    wanted_pairs,
)
from jobs.restating import lay_settled_aside, record_restated
from jobs.stale import Pair, chunk, chunks, load_chunk, mark_weeks, of_chunk, take_marks_off
from language import N_, _, ngettext

KEY = ("date", "model_id")
ROUNDS = 20  # after so many looks at what became stale meanwhile, the rest is left to the next run

daily: Table = DailyModelPerformance.__table__  # type: ignore[assignment]
e = ModelEvaluation


def aggregate_models(engine: Engine, params: AggregateModelsParameters, run: Run) -> Outcome:
    """Computes the asked days, or all that is stale and yesterday; one transaction a chunk.

    What becomes stale while it works is computed too, so that whoever joins a run gets what they asked for.
    """
    if params.only == "all" and not params.dry_run:
        with bookkeeping(engine) as connection:
            mark_once(connection, params, run)
    with reading(engine) as connection:
        waiting = wanted_pairs(connection, params, run)
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
                    written += _refresh(connection, some, run)
                    read += connection.scalar(ROWS_BEHIND) or 0
            done.update(some)
        if changes or not params.follows:
            break
        with reading(engine) as connection:
            waiting = still_stale(connection, params)
        if not waiting:
            break
    outcome = _outcome(sorted(done), read, written, changes)
    asked = params.days(run.today) if params.only in (None, "all") else None
    if done or changes or asked is None:
        return outcome
    return replace(outcome, summary=_nothing_there(*asked))


def _names(connection: Connection) -> dict[int, str]:
    return {row.id: row.name for row in connection.execute(select(Model.id, Model.name))}


JOB = Job(
    "aggregate_models",
    N_("Aggregate model evaluations"),
    aggregate_models,
    AggregateModelsParameters,
    check,
    rest,
)


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
HELD = select(daily).where(of_chunk(daily.c.model_id, daily.c.date))
UPSERT = UpsertFrom(daily, KEY, FRESH, touch=("updated_at",), rounding=RELATIVE)
_vanished = select(chunk.c.key, chunk.c.day).where(~exists().where(_in_pair(e)))
DELETE = delete(daily).where(tuple_(daily.c.model_id, daily.c.date).in_(_vanished))
ROWS_BEHIND = HELD.with_only_columns(func.coalesce(func.sum(daily.c.total_predictions), 0))


def _rehearse(connection: Connection, now: datetime, changes: Changes) -> int:
    """Notes what a refresh would change; returns the rows read."""
    fresh = connection.execute(FRESH, {"now": now}).mappings().all()
    changes.compare(daily, KEY, connection.execute(HELD).mappings(), fresh)
    return sum(row["total_predictions"] for row in fresh)


def _refresh(connection: Connection, pairs: list[Pair], run: Run) -> int:
    """Brings the chunk's rows up to date and takes its marks off; returns rows written."""
    some_settled = lay_settled_aside(connection, run.now, run.today)
    written = UPSERT.run(connection, {"now": run.now})
    written += connection.execute(DELETE).rowcount
    if some_settled and written:
        record_restated(connection, run.now, run.id)
    take_marks_off(connection, SOURCE, pairs)
    if written:
        mark_weeks(connection, daily.name, (pair.day for pair in pairs))
    return written


def _nothing_there(first: date, last: date) -> str:
    told = _("{days}: there are neither evaluations nor figures")
    return told.format(days=_span(first, last))


def _told_days(pairs: list[Pair]) -> str:
    return _span(pairs[0].day, pairs[-1].day)


def _span(first: date, last: date) -> str:
    return f"{first}" if first == last else f"{first} – {last}"


def _outcome(pairs: list[Pair], read: int, written: int, changes: Changes | None) -> Outcome:
    days, models = len({day for day, _m in pairs}), len({model for _d, model in pairs})
    covered = _("{days} of {models}").format(
        days=ngettext("{n} day", "{n} days", days), models=ngettext("{n} model", "{n} models", models)
    )
    result: dict[str, Any] = {"days": days, "models": models, "pairs": len(pairs)}
    if pairs:
        result |= {"first": str(pairs[0].day), "last": str(pairs[-1].day)}
    if changes is not None and pairs:
        told = _("{covered}: {changes}").format(covered=covered, changes=changes.summary())
        return Outcome(_("Dry run. {told}").format(told=told), read, 0, result | changes.as_json())
    if changes is not None:
        told = _("Dry run. There is nothing to compute: no evaluation, and no row.")
        return Outcome(told, result=result | changes.as_json())
    if not pairs:
        return Outcome(_("Nothing was stale."), result=result)
    told = ngettext("{n} row changed", "{n} rows changed", written)
    return Outcome(_("{covered}: {told}").format(covered=covered, told=told), read, written, result)
