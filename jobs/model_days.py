"""Which (day, model) pairs a run of aggregate_models computes."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast

from pydantic import Field
from sqlalchemy import Connection, Select, String, Table, exists, func, insert, literal, select
from sqlalchemy import cast as sql_cast

from db.errors import Refused
from db.facts import MARKED, fact, state_fact
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import BusinessDay, StaleMark
from jobs.job import DayParameters, Run
from jobs.stale import Pair, stale_pairs
from language import N_, _

SOURCE = ModelEvaluation.__tablename__

daily: Table = DailyModelPerformance.__table__  # type: ignore[assignment]
e = ModelEvaluation


class AggregateModelsParameters(DayParameters):
    model: str | None = Field(None, description=N_("this model only, by its name"))
    only: Literal["stale", "missing", "all"] | None = Field(
        None,
        description=N_(
            "stale, missing (never aggregated) or all of these days, without any of all days; "
            "where a run with all was cancelled, stale goes on with the rest"
        ),
    )

    @property
    def follows(self) -> bool:
        """Whether what becomes stale during the run is computed too: without days, and unless all else is asked."""
        return not (self.day or self.since) and self.only in (None, "stale")


def rest(params: AggregateModelsParameters) -> AggregateModelsParameters:
    """What is left of a run that was cancelled: of all that it marked, that which is still stale."""
    return params.model_copy(update={"only": "stale"}) if params.only == "all" else params


def wanted_pairs(connection: Connection, params: AggregateModelsParameters, run: Run) -> list[Pair]:
    """The (day, model) pairs to compute, in order; raises Refused."""
    model_id, days = _model_id(connection, params), _days(connection, params, run)
    if params.only == "stale" or (params.only == "all" and not params.dry_run):
        first, last = days or (date.min, date.max)
        found = {pair for pair in stale_pairs(connection, SOURCE) if first <= pair.day <= last}
    elif params.only == "missing":
        found = set(_read(connection, _never_aggregated(*days))) if days else set()
    elif days:
        found = set(_read(connection, _between(*days)))
    else:
        yesterday = run.today - timedelta(days=1)
        found = set(stale_pairs(connection, SOURCE)) | set(_read(connection, _between(yesterday, yesterday)))
    if not params.days(run.today):
        _refuse_orphans(connection, found)
    return _only(model_id, found)


def still_stale(connection: Connection, params: AggregateModelsParameters) -> list[Pair]:
    """What became stale meanwhile."""
    return _only(_model_id(connection, params), stale_pairs(connection, SOURCE))


def mark_once(connection: Connection, params: AggregateModelsParameters, run: Run) -> None:
    """Marks all asked pairs as stale, before anything is computed: what a run that ends early leaves stays marked.

    Once for a run: where it is taken up again after a crash, it goes on with the marks that are left.
    """
    days, name = _days(connection, params, run), f"{MARKED}:{run.id}"
    if days is None or (run.id is not None and fact(connection, name)):
        return
    pairs = _between(*days)
    if (model_id := _model_id(connection, params)) is not None:
        pairs = pairs.where(Model.id == model_id)
    marks = pairs.with_only_columns(literal(SOURCE), BusinessDay.day, sql_cast(Model.id, String))
    connection.execute(insert(StaleMark).from_select(["table_name", "day", "key"], marks))
    if run.id is not None:
        state_fact(connection, name, "1")


def check(connection: Connection, params: AggregateModelsParameters, _now: datetime) -> None:
    """Raises Refused for a model that does not exist."""
    _model_id(connection, params)


def _model_id(connection: Connection, params: AggregateModelsParameters) -> int | None:
    """The id of the model that was asked for, None for all; raises Refused."""
    if params.model is None:
        return None
    found = connection.scalar(select(Model.id).where(Model.name == params.model))
    if found is None:
        raise Refused(_("There is no model “{name}”").format(name=params.model), status=2)
    return found


def _days(connection: Connection, params: AggregateModelsParameters, run: Run) -> tuple[date, date] | None:
    """First and last day that were asked for; for all that is missing, or all, those with evaluations or rows."""
    asked = params.days(run.today)
    if asked or params.only not in ("missing", "all"):
        return asked
    ends = [select(function(column)) for function in (func.min, func.max) for column in (e.day, daily.c.date)]
    found = [cast("date | None", connection.scalar(end)) for end in ends]
    known = [day for day in found if day is not None]
    return (min(known), max(known)) if known else None


def _between(first: date, last: date) -> Select[*tuple[Any, ...]]:
    """Pairs of the range with rows in the source or in the result: seeks in the indexes, never a scan."""
    pairs = select(BusinessDay.day, Model.id).join(Model, literal(True))
    return pairs.where(BusinessDay.day.between(first, last), _in_source() | _in_result())


def _never_aggregated(first: date, last: date) -> Select[*tuple[Any, ...]]:
    """Pairs of the range that have evaluations and no row."""
    pairs = select(BusinessDay.day, Model.id).join(Model, literal(True))
    return pairs.where(BusinessDay.day.between(first, last), _in_source(), ~_in_result())


def _in_source() -> Any:
    return exists().where(e.day == BusinessDay.day, e.model_id == Model.id)


def _in_result() -> Any:
    return exists().where(daily.c.date == BusinessDay.day, daily.c.model_id == Model.id)


def _read(connection: Connection, pairs: Select[*tuple[Any, ...]]) -> Iterator[Pair]:
    yield from (Pair(day, model_id) for day, model_id in connection.execute(pairs))


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
