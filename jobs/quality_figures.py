"""The statements of aggregate_quality: days from evaluations and feedbacks, weeks from days (metrics.md)."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.orm import aliased

from db.base import Timestamp
from db.statistics import sample_mean, sample_std
from db.tables.operations import BusinessDay
from db.tables.quality import (
    CRITERIA,
    EVERYBODY,
    ConversationEvaluation,
    DailyAiQuality,
    FeedbackLog,
    WeeklyAiQuality,
)
from db.upsert import UpsertFrom
from jobs.changes import RELATIVE

DAY_KEY = ("date", "evaluator", "model", "channel", "topic")
WEEK_KEY = ("week_start", "evaluator")
WEEK = timedelta(weeks=1)
MIDDLE = 5.0  # of the range: squares are taken from there, so that little is lost in their difference

daily: Table = DailyAiQuality.__table__  # type: ignore[assignment]
weekly: Table = WeeklyAiQuality.__table__  # type: ignore[assignment]
e, f, d = ConversationEvaluation, FeedbackLog, DailyAiQuality.__table__.c
_days: BindParameter[Any] = bindparam("days", expanding=True)
_weeks: BindParameter[Any] = bindparam("weeks", expanding=True)
_now = bindparam("now", type_=Timestamp)


groups: Any = (
    select(e.day, e.evaluator, e.model, e.channel, e.topic).where(e.day.in_(_days)).distinct().subquery()
)


def _same_group(rows: Any) -> ColumnElement[bool]:
    mine = groups.c
    return and_(
        rows.day == mine.day,
        rows.evaluator == mine.evaluator,
        rows.model == mine.model,
        rows.channel == mine.channel,
        rows.topic == mine.topic,
    )


def _judged() -> Select[Any]:
    """What the evaluations of each day and dimension came to."""
    columns: dict[str, Any] = {
        "date": groups.c.day,
        "evaluator": groups.c.evaluator,
        "model": groups.c.model,
        "channel": groups.c.channel,
        "topic": groups.c.topic,
        "evaluation_count": func.count(),
        "avg_score": sample_mean(e.score),
        "std_score": sample_std(e.score, groups, _same_group),
    }
    for name in CRITERIA:
        mark = getattr(e, name)
        columns |= {
            f"{name}_count": func.count(mark),
            f"avg_{name}": sample_mean(mark),
            f"std_{name}": sample_std(mark, groups, _same_group),
        }
    columns |= {"likes": literal(0), "dislikes": literal(0), "updated_at": _now}
    by = (groups.c.day, groups.c.evaluator, groups.c.model, groups.c.channel, groups.c.topic)
    return (
        select(*(column.label(name) for name, column in columns.items()))
        .select_from(groups)
        .join(e, _same_group(e))
        .group_by(*by)
    )


def _liked() -> Select[Any]:
    """The likes and dislikes of each day and model, in rows of the evaluator '*'."""
    columns: dict[str, Any] = {
        "date": f.day,
        "evaluator": literal(EVERYBODY),
        "model": f.model,
        "channel": literal(""),
        "topic": literal(""),
        "evaluation_count": literal(0),
    }
    columns |= {f"{name}_count": literal(0) for name in CRITERIA}
    columns |= {
        "likes": func.count().filter(f.feedback == "like"),
        "dislikes": func.count().filter(f.feedback == "dislike"),
        "updated_at": _now,
    }
    rows = select(*(column.label(name) for name, column in columns.items()))
    return rows.where(f.day.in_(_days)).group_by(f.day, f.model)


JUDGED = _judged()
LIKED = _liked()
_HELD_DAYS = select(daily).where(d.date.in_(_days))
_UPSERTS = tuple(
    UpsertFrom(daily, DAY_KEY, rows, touch=("updated_at",), rounding=RELATIVE) for rows in (JUDGED, LIKED)
)
_judged_still = exists().where(
    e.day == d.date,
    e.evaluator == d.evaluator,
    e.model == d.model,
    e.channel == d.channel,
    e.topic == d.topic,
)
_liked_still = exists().where(f.day == d.date, f.model == d.model)
_GONE_DAYS = delete(daily).where(
    d.date.in_(_days), case((d.evaluator == EVERYBODY, ~_liked_still), else_=~_judged_still)
)


def rows_of(connection: Connection, days: list[date]) -> int:
    """How many evaluations and feedbacks these days have."""
    counts = (select(func.count()).select_from(table).where(table.day.in_(days)) for table in (e, f))
    return sum(connection.scalar(count) or 0 for count in counts)


def refresh_days(connection: Connection, days: list[date], now: datetime) -> int:
    """Brings the daily rows of these days up to date; returns how many rows changed."""
    given = {"days": days, "now": now}
    written = sum(upsert.run(connection, given) for upsert in _UPSERTS)
    return written + connection.execute(_GONE_DAYS, {"days": days}).rowcount


def held_and_fresh(connection: Connection, days: list[date], now: datetime) -> tuple[list[Any], list[Any]]:
    """The daily rows that there are, and those that there should be."""
    held = connection.execute(_HELD_DAYS, {"days": days}).mappings().all()
    given, missing = {"days": days, "now": now}, dict.fromkeys(column.name for column in daily.columns)
    fresh = [
        missing | dict(row) for rows in (JUDGED, LIKED) for row in connection.execute(rows, given).mappings()
    ]
    return list(held), fresh


def _combined(name: str) -> dict[str, ColumnElement[Any]]:
    """Count, mean and sample standard deviation of a mark over daily rows, as over the rows behind them."""
    n = d.evaluation_count if name == "score" else d[f"{name}_count"]
    mean, std = d[f"avg_{name}"], func.coalesce(d[f"std_{name}"], 0)
    total, far = func.sum(n), mean - MIDDLE
    sum_far = func.sum(n * far)
    squares = func.sum((n - 1) * std * std + n * far * far) - sum_far * sum_far / total
    spread = case((total < 2, null()), (squares > 0, func.sqrt(squares / (total - 1))), else_=0.0)
    count = "evaluation_count" if name == "score" else f"{name}_count"
    return {
        count: func.coalesce(cast(total, Integer), 0),
        f"avg_{name}": case((total > 0, MIDDLE + sum_far / total)),
        f"std_{name}": case((total > 0, spread)),
    }


def _by_week(everybody: bool) -> Select[Any]:
    """The weekly rows of each evaluator, or those of all of them together with the likes."""
    likes, dislikes = (cast(func.sum(d[name]), Integer) for name in ("likes", "dislikes"))
    columns: dict[str, Any] = {
        "week_start": BusinessDay.week_start,
        "evaluator": literal(EVERYBODY) if everybody else d.evaluator,
    }
    for name in ("score", *CRITERIA):
        columns |= _combined(name)
    columns |= {"likes": likes, "dislikes": dislikes, "updated_at": _now}
    if everybody:
        share = cast(likes, Double) / func.nullif(likes + dislikes, 0)
        parts = columns["avg_quality"] + columns["avg_accuracy"] + 10 * share
        columns |= {"feedback_score": share, "ai_index": parts / 3}
    rows = select(*(column.label(name) for name, column in columns.items())).join_from(
        daily, BusinessDay, BusinessDay.day == d.date
    )
    rows = rows.where(BusinessDay.week_start.in_(_weeks))
    if everybody:
        return rows.group_by(BusinessDay.week_start)
    return rows.where(d.evaluator != EVERYBODY).group_by(BusinessDay.week_start, d.evaluator)


_WEEKS = tuple(
    UpsertFrom(weekly, WEEK_KEY, _by_week(everybody), touch=("updated_at",), rounding=RELATIVE)
    for everybody in (False, True)
)
_week_of = (
    select(BusinessDay.week_start)
    .join(daily, BusinessDay.day == d.date)
    .where(
        BusinessDay.week_start == weekly.c.week_start,
        (weekly.c.evaluator == EVERYBODY) | (d.evaluator == weekly.c.evaluator),
    )
)
_GONE_WEEKS = delete(weekly).where(weekly.c.week_start.in_(_weeks), ~_week_of.exists())


def refresh_weeks(connection: Connection, weeks: list[date], now: datetime) -> int:
    """Brings the weekly rows up to date; returns how many rows changed."""
    given = {"weeks": weeks, "now": now}
    written = sum(upsert.run(connection, given) for upsert in _WEEKS)
    written += connection.execute(_GONE_WEEKS, {"weeks": weeks}).rowcount
    for week in sorted({*weeks, *(week + WEEK for week in weeks)}):
        connection.execute(_CHANGE, {"week": week, "before": week - WEEK})
    return written


_before = aliased(WeeklyAiQuality)
_last = (
    select(_before.avg_score)
    .where(_before.week_start == bindparam("before"), _before.evaluator == weekly.c.evaluator)
    .scalar_subquery()
)
_CHANGE = (
    update(weekly)
    .where(weekly.c.week_start == bindparam("week"))
    .values(change_pct=case((_last != 0, 100 * (weekly.c.avg_score - _last) / _last)))
)
