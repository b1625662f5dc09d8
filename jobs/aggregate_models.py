"""model_evaluations → daily_model_performance: what each model's predictions of a day came to (metrics.md).

Its cost grows with what changed: triggers mark the (day, model) pairs whose rows came, went or moved, and only
those are computed again, a few hundred pairs in a transaction.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import Field
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)

from db.base import Day, Id, Score, Timestamp
from db.engine import reading, scratch, writing
from db.errors import Refused
from db.statistics import percentage, sample_std, true_count
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import BusinessDay, StaleMark
from db.upsert import upsert_select
from jobs.changes import Changes
from jobs.job import DayParameters, Job, Outcome, Run
from language import N_, _, ngettext


class Pair(NamedTuple):
    """A day and a model: what is stale, and what is computed, one by one."""

    day: date
    model_id: int


SOURCE = ModelEvaluation.__tablename__
CHUNK_PAIRS, CHUNK_DAYS = 500, 31

daily: Table = DailyModelPerformance.__table__  # type: ignore[assignment]
e = ModelEvaluation

scored = case((e.evaluated_at.is_not(None), e.final_score))
auto = 0.4 * e.target_accuracy_score + 0.3 * e.timing_score + 0.3 * e.risk_management_score
human = case(
    (
        e.human_evaluated_at.is_not(None),
        (e.human_rating_quality + e.human_rating_usefulness + e.human_rating_overall) / 3 * 20,
    )
)
overall = e.human_rating_overall * 20
ANCHORED = {"scored": scored, "auto": auto, "human": human, "overall": overall}

_scratch = MetaData()
chunk = Table(
    "chunk_pairs",
    _scratch,
    Column("day", Day, primary_key=True),
    Column("model_id", Integer, primary_key=True, autoincrement=False),
    *(Column(name, Score) for name in ANCHORED),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)
marks_read = Table("chunk_marks", _scratch, Column("id", Id, primary_key=True), prefixes=["TEMPORARY"])


class AggregateModelsParameters(DayParameters):
    model: str | None = Field(None, description=N_("this model only, by its name"))


def aggregate_models(engine: Engine, params: AggregateModelsParameters, run: Run) -> Outcome:
    """Computes the asked days, or all that is stale and yesterday; one transaction a chunk."""
    with reading(engine) as connection:
        pairs = _pairs(connection, params, run)
        names = {row.id: row.name for row in connection.execute(select(Model.id, Model.name))}
    changes, read, written, done = Changes(), 0, 0, 0
    for some in _chunks(pairs):
        run.progress(done / len(pairs), _told_days(some))
        with scratch(engine) if params.dry_run else writing(engine) as connection:
            _load_chunk(connection, some)
            if params.dry_run:
                changes.compare(connection, daily, _fresh(run.now), _chunk_rows(), ("date", "model_id"))
            else:
                written += _refresh(connection, run.now)
            read += connection.scalar(_rows_behind()) or 0
        done += len(some)
    changes.rename("model_id", "model", names)
    return _outcome(pairs, read, written, changes if params.dry_run else None)


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
        found = set(_stale_pairs(connection)) | set(_pairs_between(connection, yesterday, yesterday))
    return sorted(pair for pair in found if model_id in (None, pair.model_id))


def _stale_pairs(connection: Connection) -> Iterator[Pair]:
    marks = (
        select(StaleMark.day, cast(StaleMark.key, Integer)).where(StaleMark.table_name == SOURCE).distinct()
    )
    yield from (Pair(day, model_id) for day, model_id in connection.execute(marks))


def _pairs_between(connection: Connection, first: date, last: date) -> Iterator[Pair]:
    """Pairs of the range with rows in the source or in the result: seeks in the indexes, never a scan."""
    sources = exists().where(e.day == BusinessDay.day, e.model_id == Model.id)
    results = exists().where(daily.c.date == BusinessDay.day, daily.c.model_id == Model.id)
    both = select(BusinessDay.day, Model.id).join(Model, literal(True))
    rows = connection.execute(both.where(BusinessDay.day.between(first, last), sources | results))
    yield from (Pair(day, model_id) for day, model_id in rows)


def _chunks(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Neighbouring days with at most so many pairs, so that no transaction keeps others waiting for long."""
    some: list[Pair] = []
    for pair in pairs:
        if some and (len(some) >= CHUNK_PAIRS or (pair.day - some[0].day).days >= CHUNK_DAYS):
            yield some
            some = []
        some.append(pair)
    if some:
        yield some


def _load_chunk(connection: Connection, pairs: list[Pair]) -> None:
    """Puts the pairs, with an anchor for each spread, and the ids of their marks into temporary tables."""
    for table in (chunk, marks_read):
        table.create(connection, checkfirst=True)
        connection.execute(delete(table))
    connection.execute(insert(chunk), [pair._asdict() for pair in pairs])
    if connection.dialect.name == "sqlite":  # PostgreSQL's stddev_samp needs no anchors
        connection.execute(chunk.update().values({name: _anchor(x) for name, x in ANCHORED.items()}))
    # Before the rows are read: a mark that comes after this stays, and so does what it stands for.
    mark = select(StaleMark.id).join(
        chunk, and_(StaleMark.day == chunk.c.day, StaleMark.key == cast(chunk.c.model_id, StaleMark.key.type))
    )
    connection.execute(insert(marks_read).from_select(["id"], mark.where(StaleMark.table_name == SOURCE)))


def _anchor(x: Any) -> Any:
    row = select(x).where(e.day == chunk.c.day, e.model_id == chunk.c.model_id, x.is_not(None)).limit(1)
    return row.correlate(chunk).scalar_subquery()


def _fresh(now: datetime) -> Select[Any]:
    """The rows that the chunk's pairs should have."""
    achieved, flagged = true_count(e.target_achieved), func.count(e.target_achieved)
    breached, breach_flagged = true_count(e.support_breached), func.count(e.support_breached)
    columns = {
        "model_id": chunk.c.model_id,
        "date": chunk.c.day,
        "total_predictions": func.count(),
        "evaluated_count": func.count(e.evaluated_at),
        "scored_count": func.count(scored),
        "human_evaluated_count": func.count(e.human_evaluated_at),
        "avg_final_score": func.avg(scored),
        "std_final_score": sample_std(scored, _kept("scored")),
        "avg_auto_score": func.avg(auto),
        "std_auto_score": sample_std(auto, _kept("auto")),
        "auto_count": func.count(auto),
        "avg_human_score": func.avg(human),
        "std_human_score": sample_std(human, _kept("human")),
        "human_score_count": func.count(human),
        "avg_rating_overall": func.avg(overall),
        "std_rating_overall": sample_std(overall, _kept("overall")),
        "rating_overall_count": func.count(overall),
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
        "updated_at": literal(now, Timestamp),
    }
    return (
        select(*(column.label(name) for name, column in columns.items()))
        .select_from(chunk)
        .join(e, and_(e.day == chunk.c.day, e.model_id == chunk.c.model_id))
        .group_by(chunk.c.day, chunk.c.model_id)
    )


def _kept(name: str) -> Any:
    return chunk.c[name]


def _in_chunk() -> Any:
    return and_(daily.c.date == chunk.c.day, daily.c.model_id == chunk.c.model_id)


def _chunk_rows() -> Select[Any]:
    """The rows that the chunk's pairs have now."""
    return select(daily).join(chunk, _in_chunk())


def _refresh(connection: Connection, now: datetime) -> int:
    """Brings the chunk's rows up to date and takes off the marks that were read; returns rows written."""
    written = upsert_select(connection, daily, ("model_id", "date"), _fresh(now), touch=("updated_at",))
    source = exists().where(e.day == daily.c.date, e.model_id == daily.c.model_id)
    vanished = delete(daily).where(exists().where(_in_chunk()), ~source)
    removed = connection.execute(vanished).rowcount
    connection.execute(delete(StaleMark).where(StaleMark.id.in_(select(marks_read.c.id))))
    return written + removed


def _rows_behind() -> Select[Any]:
    here = and_(e.day == chunk.c.day, e.model_id == chunk.c.model_id)
    return select(func.count()).select_from(chunk).join(e, here)


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
