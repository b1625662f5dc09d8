"""What pages ask of daily_ai_quality and weekly_ai_quality."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from db.clock import week_start
from db.metrics import METRICS, QUALITY_METRICS, Metric
from db.queries.combining import as_date, figures, unfinished, with_interval
from db.queries.frames import frame
from db.tables.operations import BusinessDay
from db.tables.quality import EVERYBODY, DailyAiQuality, WeeklyAiQuality

daily = DailyAiQuality.__table__
d, w = daily.c, WeeklyAiQuality.__table__.c
COLUMNS: dict[str, Any] = {column.name: column for column in d} | {"feedback_count": d.likes + d.dislikes}
TOGETHER = EVERYBODY  # the subject of all answers together
DIMENSIONS = ("model", "evaluator", "channel", "topic")
OF_FEEDBACK = ("model",)  # a like knows no evaluator, channel or topic
WEEK = timedelta(weeks=1)


def newest_day(connection: Connection) -> date | None:
    """The newest day with aggregated rows."""
    newest: date | None = connection.scalar(select(func.max(d.date)))
    return newest


def oldest_day(connection: Connection) -> date | None:
    """The oldest day with aggregated rows."""
    oldest: date | None = connection.scalar(select(func.min(d.date)))
    return oldest


def newest_week(connection: Connection, until: date) -> date | None:
    """The Monday of the newest week with aggregated rows, of those that begin by `until`."""
    newest: date | None = connection.scalar(select(func.max(w.week_start)).where(w.week_start <= until))
    return newest


def names(connection: Connection, by: str) -> list[str]:
    """What there is of a dimension, in the order that gives each its colour: by its first day."""
    column = d[by]
    first = func.min(d.date)
    seen = select(column).where(d.evaluator != EVERYBODY).group_by(column).order_by(first, column)
    return list(connection.scalars(seen))


def metrics_with_data(connection: Connection, since: date, until: date) -> list[str]:
    """Names of the metrics that have at least one value in the period, in the catalogue's order."""
    sums = [func.sum(COLUMNS[metric.count]).label(metric.name) for metric in QUALITY_METRICS]
    row = connection.execute(select(*sums).where(d.date.between(since, until))).one()
    return [name for name, n in row._mapping.items() if n]


def trend(
    connection: Connection, metric: str, since: date, until: date, grain: str, today: date, by: str = ""
) -> pd.DataFrame:
    """A metric per day or ISO week, of all answers together or by a dimension: subject, period, value, low, high, n,
    part, unfinished. Combined over the rows; only where n > 0."""
    chosen = METRICS[metric]
    period = BusinessDay.week_start if grain == "week" else d.date
    rows = _combined(connection, chosen, since, until, by, period)
    rows["period"] = rows["period"].map(as_date)
    rows["unfinished"] = [unfinished(start, grain, today) for start in rows["period"]]
    return rows.sort_values(["subject", "period"], ignore_index=True)


def totals(connection: Connection, metric: str, since: date, until: date, by: str = "") -> pd.DataFrame:
    """A metric over a whole period: subject, value, low, high, n, part; only where n > 0."""
    chosen = METRICS[metric]
    rows = _combined(connection, chosen, since, until, by)
    return rows.sort_values("subject", ignore_index=True)


def segments(connection: Connection, week: date, by: str) -> pd.DataFrame:
    """The scores of a week and of the one before it, by a dimension: subject, n, mean, n_before, mean_before."""
    score = METRICS["score"].name
    now, before = (
        totals(connection, score, monday, monday + timedelta(days=6), by) for monday in (week, week - WEEK)
    )
    wanted = ["subject", "n", "value"]
    both = now[wanted].merge(before[wanted], how="outer", on="subject", suffixes=("", "_before"))
    both[["n", "n_before"]] = both[["n", "n_before"]].fillna(0)
    return both.rename(columns={"value": "mean", "value_before": "mean_before"})


def weeks(connection: Connection, since: date, until: date) -> pd.DataFrame:
    """The weekly rows of all evaluators together that begin in the period, oldest first: the columns of the table."""
    inside = w.week_start.between(week_start(since), until)
    rows = select(WeeklyAiQuality.__table__).where(w.evaluator == EVERYBODY, inside)
    return frame(connection, rows.order_by(w.week_start))


def _combined(
    connection: Connection, metric: Metric, since: date, until: date, by: str, period: Any = None
) -> pd.DataFrame:
    """Per value of a dimension ('' for all together) and, unless None, period: subject, period, value, low, high, n."""
    keys = [d[by].label("subject")] if by else []
    keys += [] if period is None else [period.label("period")]
    inside = d.date.between(since, until) & (COLUMNS[metric.count] > 0)
    source = daily.join(BusinessDay, BusinessDay.day == d.date)
    rows = select(*keys, *figures(COLUMNS, metric)).select_from(source).where(inside).group_by(*keys)
    found = frame(connection, rows)
    found = found[found["n"].notna()] if by else found[found["n"].notna()].assign(subject=TOGETHER)
    return with_interval(found.astype({"n": float}), metric)
