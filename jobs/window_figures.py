"""What the outcomes of a window say of each model, code and horizon: statements, one GROUP BY over the window.

A run keeps the figures in a temporary table, so that they are computed before anybody waits for its write lock.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import aliased
from sqlalchemy.schema import CreateTable

from db.base import Day, Score, Timestamp
from db.statistics import true_count
from db.tables.forecasts import ModelPerformance, PredictionOutcome
from db.tables.operations import BusinessDay
from db.upsert import UpsertFrom
from jobs.formulas.weights import WINDOW_DAYS

KEY = ("code", "model", "horizon", "window_days", "as_of")
ROUNDING = 1e-9
FIGURES = ("code", "horizon", "model", "hit_count", "direction_count", "sample_count", "mae", "mse")

o = PredictionOutcome
performance: Table = ModelPerformance.__table__  # type: ignore[assignment]
held = Table(
    "window_figures",
    MetaData(),
    Column("code", String, primary_key=True),
    Column("horizon", Integer, primary_key=True, autoincrement=False),
    Column("model", String, primary_key=True),
    *(Column(name, Integer, nullable=False) for name in ("hit_count", "direction_count", "sample_count")),
    *(Column(name, Score, nullable=False) for name in ("mae", "mse")),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)


class Window(NamedTuple):
    """The days, both included, on which outcomes became known."""

    first: date
    last: date


def window(as_of: date) -> Window:
    return Window(as_of - timedelta(days=WINDOW_DAYS - 1), as_of)


def figures(days: Window, code: str | None = None) -> Select[Any]:
    """Of every model, or those of one code: FIGURES."""
    columns: dict[str, Any] = {
        "hit_count": true_count(o.direction_hit),
        "direction_count": func.count(o.direction_hit),
        "sample_count": func.count(),
        "mae": func.avg(o.abs_error),
        "mse": func.avg(o.abs_error * o.abs_error),
    }
    rows = select(o.code, o.horizon, o.model, *(column.label(name) for name, column in columns.items()))
    rows = rows.where(o.day.between(*days)).group_by(o.code, o.horizon, o.model)
    return rows if code is None else rows.where(o.code == code)


def hold(connection: Connection, days: Window) -> int:
    """Computes the figures into the temporary table; returns how many outcomes they are of."""
    connection.execute(CreateTable(held, if_not_exists=True))
    let_go(connection)
    connection.execute(insert(held).from_select(list(FIGURES), figures(days)))
    return int(connection.scalar(select(func.coalesce(func.sum(held.c.sample_count), 0))) or 0)


def held_figures(members: Sequence[str]) -> Select[Any]:
    """What the temporary table holds of some models: FIGURES."""
    return select(*(held.c[name] for name in FIGURES)).where(held.c.model.in_(members))


def let_go(connection: Connection) -> None:
    connection.execute(delete(held))


def _performance() -> Select[Any]:
    columns: dict[str, Any] = {
        "window_days": literal(WINDOW_DAYS),
        "as_of": bindparam("as_of", type_=Day),
        "hit_rate": cast(held.c.hit_count, Score) / func.nullif(held.c.direction_count, 0),
        "updated_at": bindparam("now", type_=Timestamp),
    }
    same = ("code", "model", "horizon", "hit_count", "direction_count", "mae", "sample_count")
    return select(*(held.c[name] for name in same), *(column.label(name) for name, column in columns.items()))


WRITE = UpsertFrom(performance, KEY, _performance(), touch=("updated_at",), rounding=ROUNDING)
_behind = exists().where(*(held.c[name] == performance.c[name] for name in ("code", "horizon", "model")))
TAKE_OUT = delete(performance).where(
    performance.c.as_of == bindparam("day", type_=Day), performance.c.window_days == WINDOW_DAYS, ~_behind
)


def write_performance(connection: Connection, as_of: date, now: Any) -> int:
    """Brings model_performance of this day in line with the figures that are held; returns how many rows changed."""
    written = WRITE.run(connection, {"as_of": as_of, "now": now})
    return written + connection.execute(TAKE_OUT, {"day": as_of}).rowcount


def pairs(days: Window, first: str, second: str) -> Select[Any]:
    """Of two members, where both predicted the same on the same business day: code, horizon, n, and the means of
    both squared errors and of their product. Of several predictions of a day the last one counts."""
    one, other, made = aliased(o), aliased(o), aliased(BusinessDay)
    any_day = aliased(BusinessDay)
    begun = select(func.max(any_day.starts_at)).where(any_day.starts_at <= one.predicted_at)
    together = and_(
        *(getattr(other, name) == getattr(one, name) for name in ("code", "horizon", "target_date")),
        other.predicted_at >= made.starts_at,
        other.predicted_at < made.ends_at,
    )
    errors = [row.predicted_value - row.actual_value for row in (one, other)]
    products = (errors[0] * errors[0], errors[1] * errors[1], errors[0] * errors[1])
    return (
        select(one.code, one.horizon, func.count(), *map(func.avg, products))
        .join_from(one, made, made.starts_at == begun.correlate(one).scalar_subquery())
        .join(other, together)
        .where(one.model == first, other.model == second)
        .where(one.day.between(*days), other.day.between(*days))
        .where(_last_of_its_day(one, made), _last_of_its_day(other, made))
        .group_by(one.code, one.horizon)
    )


def _last_of_its_day(row: Any, made: Any) -> Any:
    later = aliased(o)
    same = (
        getattr(later, name) == getattr(row, name) for name in ("code", "model", "horizon", "target_date")
    )
    return ~exists().where(*same, later.predicted_at > row.predicted_at, later.predicted_at < made.ends_at)
