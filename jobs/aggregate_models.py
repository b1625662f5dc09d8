"""model_evaluations → daily_model_performance: what each model's predictions of a day came to (metrics.md).

Its cost grows with what changed: triggers mark the (day, model) pairs whose rows came, went or moved, and only
those are computed again, a few hundred pairs in a transaction.
"""

from collections.abc import Iterable, Iterator
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
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
)
from sqlalchemy.schema import CreateTable

from db.base import Day, Id, Score, Timestamp
from db.engine import reading, scratch, writing
from db.errors import Refused
from db.statistics import percentage, sample_mean, sample_std, true_count
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
ROUNDS = 20  # after so many looks at what became stale meanwhile, the rest is left to the next run

daily: Table = DailyModelPerformance.__table__  # type: ignore[assignment]
e = ModelEvaluation

SPREAD = (e.counted_score, e.auto_score, e.human_score, e.overall_score)

_scratch = MetaData()
chunk = Table(
    "chunk_pairs",
    _scratch,
    Column("day", Day, primary_key=True),
    Column("model_id", Integer, primary_key=True, autoincrement=False),
    *(Column(x.key, Score) for x in SPREAD),  # an anchor for each, see db.statistics
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
    postgresql_on_commit="DELETE ROWS",
)
marks_read = Table(
    "chunk_marks",
    _scratch,
    Column("id", Id, primary_key=True),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)


class AggregateModelsParameters(DayParameters):
    model: str | None = Field(None, description=N_("this model only, by its name"))


def aggregate_models(engine: Engine, params: AggregateModelsParameters, run: Run) -> Outcome:
    """Computes the asked days, or all that is stale and yesterday; one transaction a chunk.

    What becomes stale while it works is computed too, so that whoever joins a run gets what they asked for.
    """
    with reading(engine) as connection:
        pairs = _pairs(connection, params, run)
        names = _names(connection) if params.dry_run else {}
    changes, done, read, written = Changes(), set[Pair](), 0, 0
    waiting = pairs
    for _round in range(ROUNDS):
        for some in _chunks(waiting):
            run.progress(len(done) / len(done.union(waiting)), _told_days(some))
            with scratch(engine) if params.dry_run else writing(engine) as connection:
                _load_chunk(connection, some)
                if params.dry_run:
                    changes.compare(connection, daily, _fresh(run.now), _chunk_rows(), ("date", "model_id"))
                else:
                    written += _refresh(connection, some, run.now)
                read += connection.scalar(_rows_behind()) or 0
            done.update(some)
        if params.dry_run or params.days(run.today):
            break
        with reading(engine) as connection:
            waiting = _only(_model_id(connection, params), _stale_pairs(connection))
        if not waiting:
            break
    changes.rename("model_id", "model", names)
    return _outcome(sorted(done), read, written, changes if params.dry_run else None)


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
        found = set(_stale_pairs(connection)) | set(_pairs_between(connection, yesterday, yesterday))
    return _only(model_id, found)


def _only(model_id: int | None, pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs of one model, or all; in order, each once."""
    return sorted({pair for pair in pairs if model_id in (None, pair.model_id)})


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
        connection.execute(CreateTable(table, if_not_exists=True))
        connection.execute(delete(table))
    connection.execute(insert(chunk), [pair._asdict() for pair in pairs])
    connection.execute(chunk.update().values({x.key: _anchor(x) for x in SPREAD}))
    # Before the rows are read: a mark that comes after this stays, and so does what it stands for.
    same = and_(StaleMark.day == chunk.c.day, StaleMark.key == cast(chunk.c.model_id, StaleMark.key.type))
    mark = select(StaleMark.id).join(chunk, same).where(_marks_of(pairs))
    connection.execute(insert(marks_read).from_select(["id"], mark))


def _marks_of(pairs: list[Pair]) -> Any:
    """The marks of the chunk's days: a range that the index answers, also where statistics are missing."""
    return and_(StaleMark.table_name == SOURCE, StaleMark.day.between(pairs[0].day, pairs[-1].day))


def _anchor(x: Any) -> Any:
    row = select(x).where(e.day == chunk.c.day, e.model_id == chunk.c.model_id, x.is_not(None)).limit(1)
    # 0 where there is none yet: on PostgreSQL a value may come before the rows themselves are read.
    return func.coalesce(row.correlate(chunk).scalar_subquery(), 0.0)


def _fresh(now: datetime) -> Select[Any]:
    """The rows that the chunk's pairs should have."""
    achieved, flagged = true_count(e.target_achieved), func.count(e.target_achieved)
    breached, breach_flagged = true_count(e.support_breached), func.count(e.support_breached)
    columns = {
        "model_id": chunk.c.model_id,
        "date": chunk.c.day,
        "total_predictions": func.count(),
        "evaluated_count": func.count(e.evaluated_at),
        "scored_count": func.count(e.counted_score),
        "human_evaluated_count": func.count(e.human_evaluated_at),
        "avg_final_score": _mean(e.counted_score),
        "std_final_score": _std(e.counted_score),
        "avg_auto_score": _mean(e.auto_score),
        "std_auto_score": _std(e.auto_score),
        "auto_count": func.count(e.auto_score),
        "avg_human_score": _mean(e.human_score),
        "std_human_score": _std(e.human_score),
        "human_score_count": func.count(e.human_score),
        "avg_rating_overall": _mean(e.overall_score),
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
        "updated_at": literal(now, Timestamp),
    }
    return (
        select(*(column.label(name) for name, column in columns.items()))
        .select_from(chunk)
        .join(e, and_(e.day == chunk.c.day, e.model_id == chunk.c.model_id))
        .group_by(chunk.c.day, chunk.c.model_id)
    )


def _mean(x: Any) -> Any:
    return sample_mean(x, chunk.c[x.key])


def _std(x: Any) -> Any:
    return sample_std(x, chunk.c[x.key])


def _in_chunk() -> Any:
    return and_(daily.c.date == chunk.c.day, daily.c.model_id == chunk.c.model_id)


def _chunk_rows() -> Select[Any]:
    """The rows that the chunk's pairs have now."""
    return select(daily).join(chunk, _in_chunk())


def _refresh(connection: Connection, pairs: list[Pair], now: datetime) -> int:
    """Brings the chunk's rows up to date and takes off the marks that were read; returns rows written."""
    written = upsert_select(connection, daily, ("model_id", "date"), _fresh(now), touch=("updated_at",))
    source = exists().where(e.day == chunk.c.day, e.model_id == chunk.c.model_id)
    vanished = select(chunk.c.model_id, chunk.c.day).where(~source)
    removed = connection.execute(
        delete(daily).where(tuple_(daily.c.model_id, daily.c.date).in_(vanished))
    ).rowcount
    marks = delete(StaleMark).where(StaleMark.id.in_(select(marks_read.c.id)), _marks_of(pairs))
    connection.execute(marks)
    return written + removed


def _rows_behind() -> Select[Any]:
    """How many source rows the chunk's pairs have; counted pair by pair, each a range of the index."""
    mine = select(func.count()).where(e.day == chunk.c.day, e.model_id == chunk.c.model_id)
    return select(func.sum(mine.correlate(chunk).scalar_subquery())).select_from(chunk)


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
