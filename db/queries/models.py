"""What pages ask of daily_model_performance, and the evaluations behind it."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Subquery, and_, func, select
from sqlalchemy.orm import aliased

from db.clock import week_start
from db.metrics import METRICS, MODEL_METRICS, Metric
from db.queries.combining import as_date, figures, unfinished, with_interval
from db.queries.frames import frame
from db.tables.models import RATINGS, SCORES, DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import BusinessDay

d = DailyModelPerformance.__table__.c


def names(connection: Connection) -> list[str]:
    """Every model that has aggregated rows, oldest first: the order that gives each its colour, for good."""
    has_rows = select(d.model_id).where(d.model_id == Model.id).exists()
    return list(connection.scalars(select(Model.name).where(has_rows).order_by(Model.id)))


def expected(connection: Connection) -> list[str]:
    """The models of which data are expected: those that nobody retired, or merged into another."""
    waiting = Model.retired_at.is_(None) & Model.merged_into.is_(None)
    return list(connection.scalars(select(Model.name).where(waiting).order_by(Model.id)))


def newest_day(connection: Connection) -> date | None:
    """The newest day with aggregated rows."""
    newest: date | None = connection.scalar(select(func.max(d.date)))
    return newest


def oldest_day(connection: Connection) -> date | None:
    """The oldest day with aggregated rows."""
    oldest: date | None = connection.scalar(select(func.min(d.date)))
    return oldest


def metrics_with_data(connection: Connection, since: date, until: date) -> list[str]:
    """Names of the metrics that have at least one value in the period, in the catalogue's order."""
    sums = [
        func.sum(d[metric.count]).label(name) for name, metric in ((one.name, one) for one in MODEL_METRICS)
    ]
    row = connection.execute(select(*sums).where(d.date.between(since, until))).one()
    return [name for name, n in row._mapping.items() if n]


def trend(
    connection: Connection, metric: str, since: date, until: date, grain: str, today: date
) -> pd.DataFrame:
    """A metric per model and day or ISO week: subject, period, value, low, high, n, part, unfinished.

    Combined over the rows, never a mean of daily means. Rows only where n > 0.
    """
    chosen = METRICS[metric]
    period = BusinessDay.week_start if grain == "week" else d.date
    inside = and_(d.date.between(since, until), d[chosen.count] > 0)
    rows = frame(connection, _combined(chosen, period, inside))
    rows["period"] = rows["period"].map(as_date)
    rows["unfinished"] = [unfinished(start, grain, today) for start in rows["period"]]
    return with_interval(rows, chosen).sort_values(["subject", "period"], ignore_index=True)


def weekly(connection: Connection, metric: str, first: date, last: date) -> pd.DataFrame:
    """A metric per model and ISO week between two Mondays: subject, week, value (rates in %), std, n, part."""
    chosen = METRICS[metric]
    inside = and_(d.date.between(first, last + timedelta(days=6)), d[chosen.count] > 0)
    rows = frame(connection, _combined(chosen, BusinessDay.week_start, inside))
    rows["week"] = rows["period"].map(as_date)
    wanted = ["subject", "week", "value", "std", "n", "part"]
    return with_interval(rows, chosen).reindex(columns=wanted).sort_values(wanted[:2], ignore_index=True)


def totals(connection: Connection, metric: str, since: date, until: date) -> pd.DataFrame:
    """A metric per model over a whole period: subject, value, low, high, n, part; only models with n > 0."""
    chosen = METRICS[metric]
    inside = and_(d.date.between(since, until), d[chosen.count] > 0)
    rows = frame(connection, _combined(chosen, None, inside))
    return with_interval(rows, chosen).sort_values("subject", ignore_index=True)


def _combined(metric: Metric, period: Any, inside: Any) -> Select[*tuple[Any, ...]]:
    """Counts and sums of the daily rows, per model and (unless None) period: subject, period, n, then part or
    value and squares, the sum of squared distances from the mean: that within the days and that between them.
    """
    source: Any = DailyModelPerformance.__table__
    keys = [d.model_id]
    if period is not None:
        source = source.join(BusinessDay, BusinessDay.day == d.date)
        keys.append(period.label("period"))
    groups = select(*keys, *figures(d, metric)).select_from(source).where(inside).group_by(*keys).subquery()
    wanted = [column for column in groups.c if column.name != "model_id"]
    return select(Model.name.label("subject"), *wanted).join(groups, groups.c.model_id == Model.id)


def coverage(connection: Connection, since: date, until: date) -> pd.DataFrame:
    """Evaluated of predicted per model: subject, part, whole, newest day."""
    return frame(
        connection,
        select(
            Model.name.label("subject"),
            func.sum(d.evaluated_count).label("part"),
            func.sum(d.total_predictions).label("whole"),
            func.max(d.date).label("newest"),
        )
        .select_from(DailyModelPerformance.__table__.join(Model, Model.id == d.model_id))
        .where(d.date.between(since, until))
        .group_by(Model.name)
        .order_by(Model.name),
    )


def sent(connection: Connection, first: date, last: date) -> pd.DataFrame:
    """In which ISO weeks between two Mondays a model had predictions at all: subject, week, newest day in it."""
    source = DailyModelPerformance.__table__.join(BusinessDay, BusinessDay.day == d.date)
    rows = frame(
        connection,
        select(
            Model.name.label("subject"), BusinessDay.week_start.label("week"), func.max(d.date).label("day")
        )
        .select_from(source.join(Model, Model.id == d.model_id))
        .where(d.date.between(first, last + timedelta(days=6)), d.total_predictions > 0)
        .group_by(Model.name, BusinessDay.week_start),
    )
    return rows.assign(week=rows["week"].map(as_date), day=rows["day"].map(as_date))


def head_to_head(connection: Connection, one: str, other: str, since: date, until: date) -> dict[str, Any]:
    """Two models on the scored predictions that both made: n, mean and std of the differences (one − other), how
    often each was ahead, and `weekly`, the mean difference of each ISO week that lies in the period."""
    pairs = _pairs(one, other, since, until)
    d_ = pairs.c.d
    row = connection.execute(
        select(
            func.count().label("n"),
            func.avg(d_).label("mean"),
            func.sum(d_ * d_).label("squares"),
            func.count().filter(d_ > 0).label("ahead"),
            func.count().filter(d_ < 0).label("behind"),
        )
    ).one()
    found = dict(row._mapping)
    squares, n = found.pop("squares"), row.n
    spread = max(0.0, squares - n * row.mean**2) / (n - 1) if n > 1 else None
    return found | {
        "std": None if spread is None else spread**0.5,
        "weekly": _weekly_differences(connection, pairs, since, until),
    }


def _pairs(one: str, other: str, since: date, until: date) -> Subquery:
    """Day and difference of each scored prediction that both models made."""
    mine, theirs = aliased(ModelEvaluation), aliased(ModelEvaluation)
    difference = mine.counted_score - theirs.counted_score
    ids = {name: select(Model.id).where(Model.name == name).scalar_subquery() for name in (one, other)}
    return (
        select(mine.day.label("day"), difference.label("d"))
        .join(theirs, and_(theirs.model_id == ids[other], theirs.prediction_id == mine.prediction_id))
        .where(mine.model_id == ids[one], mine.day.between(since, until), difference.is_not(None))
        .subquery()
    )


def _weekly_differences(connection: Connection, pairs: Subquery, since: date, until: date) -> list[float]:
    """Only of whole weeks: half a week would count as much as the others."""
    monday = BusinessDay.week_start
    first = week_start(since + timedelta(days=6))
    means = (
        select(func.avg(pairs.c.d))
        .join(BusinessDay, BusinessDay.day == pairs.c.day)
        .where(monday >= first, monday <= until - timedelta(days=6))
        .group_by(monday)
        .order_by(monday)
    )
    return [float(mean) for mean in connection.scalars(means)]


def evaluations(
    connection: Connection, model: str, metric: str, since: date, until: date, limit: int = 500
) -> pd.DataFrame:
    """The evaluations behind a point of a metric, worst first, those that do not count last; at most `limit`."""
    e, chosen = ModelEvaluation, METRICS[metric]
    by = ModelEvaluation.__table__.c[chosen.source]
    missing = by.is_not(None) if chosen.missing_is_worst else by.is_(None)
    shown = ("prediction_id", "predicted_at", "evaluated_at", *SCORES, "auto_score", "human_evaluated_at")
    columns = [e.__table__.c[name] for name in (*shown, *RATINGS, "target_achieved", "support_breached")]
    return frame(
        connection,
        select(*columns)
        .join(Model, Model.id == e.model_id)
        .where(Model.name == model, e.day.between(since, until))
        .order_by(missing, by.desc() if chosen.better == "down" else by, e.predicted_at, e.prediction_id)
        .limit(limit),
    )
