"""What pages ask of daily_forecasts, model_performance and the weights."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from db.metrics import METRICS, Metric
from db.queries.combining import as_date, figures, unfinished, with_interval
from db.queries.frames import frame
from db.tables.forecasts import DailyForecast
from db.tables.operations import BusinessDay

daily = DailyForecast.__table__
d = daily.c


def newest_day(connection: Connection) -> date | None:
    """The newest day with aggregated rows."""
    newest: date | None = connection.scalar(select(func.max(d.date)))
    return newest


def oldest_day(connection: Connection) -> date | None:
    """The oldest day with aggregated rows."""
    oldest: date | None = connection.scalar(select(func.min(d.date)))
    return oldest


def models(connection: Connection) -> list[str]:
    """Every model that has outcomes, in the order that gives each its colour: by its first day."""
    first = func.min(d.date)
    return list(connection.scalars(select(d.model).group_by(d.model).order_by(first, d.model)))


def trend(
    connection: Connection,
    metric: str,
    since: date,
    until: date,
    grain: str,
    today: date,
    horizon: int | None = None,
) -> pd.DataFrame:
    """A rate over all codes per day or ISO week: subject, period, value, low, high, n, part, unfinished.

    A subject is a model of that horizon; without one, a model and a horizon as verdicts call them.
    """
    period = BusinessDay.week_start if grain == "week" else d.date
    rows = _combined(connection, METRICS[metric], since, until, horizon, [*SUBJECT, period.label("period")])
    rows["period"] = rows["period"].map(as_date)
    rows["unfinished"] = [unfinished(start, grain, today) for start in rows["period"]]
    return _named(rows, horizon).sort_values(["subject", "period"], ignore_index=True)


def totals(connection: Connection, metric: str, since: date, until: date, horizon: int) -> pd.DataFrame:
    """A rate over all codes and a whole period, per model: subject, value, low, high, n, part; only with n > 0."""
    rows = _combined(connection, METRICS[metric], since, until, horizon, SUBJECT)
    return _named(rows, horizon).sort_values("value", ascending=False, ignore_index=True)


def together(connection: Connection, metric: str, since: date, until: date) -> pd.DataFrame:
    """A rate over all codes, horizons and a whole period, per model, best first: subject, value, low, high, n, part."""
    rows = _combined(connection, METRICS[metric], since, until, None, [d.model.label("subject")])
    return rows.sort_values(["value", "subject"], ascending=[False, True], ignore_index=True)


def usual_horizon(connection: Connection, since: date, until: date) -> int | None:
    """The horizon with most outcomes of a period, in days."""
    n = func.sum(d.sample_count)
    most = select(d.horizon).where(d.date.between(since, until)).group_by(d.horizon)
    return connection.scalar(most.order_by(n.desc(), d.horizon).limit(1))


def weekly(connection: Connection, metric: str, first: date, last: date) -> pd.DataFrame:
    """A rate per model and horizon, and ISO week between two Mondays: subject, week, value (in %), std, n, part."""
    keys = [*SUBJECT, BusinessDay.week_start.label("week")]
    rows = _named(_combined(connection, METRICS[metric], first, last + timedelta(days=6), None, keys), None)
    rows = rows.assign(week=rows["week"].map(as_date), std=float("nan"))
    wanted = ["subject", "week", "value", "std", "n", "part"]
    return rows[wanted].sort_values(wanted[:2], ignore_index=True)


def subject_of(model: str, horizon: int) -> str:
    """What a model's forecasts so many days ahead are called in verdicts."""
    return f"{model} · {horizon} d"


SUBJECT = [d.model, d.horizon]


def _named(rows: pd.DataFrame, horizon: int | None) -> pd.DataFrame:
    pairs = zip(rows["model"], rows["horizon"], strict=True)
    if horizon is not None:
        return rows.assign(subject=rows["model"])
    return rows.assign(subject=[subject_of(model, days) for model, days in pairs])


def _combined(
    connection: Connection, metric: Metric, since: date, until: date, horizon: int | None, keys: list[Any]
) -> pd.DataFrame:
    inside = d.date.between(since, until) & (d[metric.count] > 0)
    if horizon is not None:
        inside &= d.horizon == horizon
    source = daily.join(BusinessDay, BusinessDay.day == d.date)
    by = [getattr(key, "element", key) for key in keys]
    rows = select(*keys, *figures(dict(d.items()), metric)).select_from(source).where(inside).group_by(*by)
    return with_interval(frame(connection, rows).astype({"n": float}), metric)
