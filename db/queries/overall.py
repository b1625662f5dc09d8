"""A metric over everything that a word has: all models, or all answers, together."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from db.metrics import METRICS, Metric
from db.queries import agents, quality
from db.queries.combining import as_date, figures, mean_or_rate, unfinished, with_interval
from db.queries.frames import frame
from db.tables.forecasts import DailyForecast
from db.tables.models import DailyModelPerformance
from db.tables.operations import BusinessDay

COLUMNS: dict[str, Mapping[str, Any]] = {
    "models": dict(DailyModelPerformance.__table__.c.items()),
    "quality": quality.COLUMNS,
    "forecasts": dict(DailyForecast.__table__.c.items()),
    "agents": agents.COLUMNS,
}


def newest_day(connection: Connection) -> date | None:
    """The newest day with aggregated rows of any word."""
    return max(filter(None, _ends(connection, func.max)), default=None)


def oldest_day(connection: Connection) -> date | None:
    """The oldest day with aggregated rows of any word."""
    return min(filter(None, _ends(connection, func.min)), default=None)


def _ends(connection: Connection, end: Any) -> list[date | None]:
    return [connection.scalar(select(end(columns["date"]))) for columns in COLUMNS.values()]


def overall(connection: Connection, metric: str, since: date, until: date) -> dict[str, Any] | None:
    """A metric over the rows of a whole period: value, low, high, n; None without any."""
    chosen, columns = METRICS[metric], COLUMNS[METRICS[metric].word]
    rows = frame(connection, select(*figures(columns, chosen)).where(_inside(chosen, since, until)))
    if not rows["n"].iloc[0]:
        return None
    row = with_interval(rows.astype(float), chosen).iloc[0]
    return {name: row[name] for name in ("value", "low", "high", "n")}


def overall_trend(
    connection: Connection, metric: str, since: date, until: date, grain: str, today: date
) -> pd.DataFrame:
    """The same for each finished day or ISO week, in order: period, value; those without one are left out."""
    chosen, columns = METRICS[metric], COLUMNS[METRICS[metric].word]
    day = columns["date"]
    period = BusinessDay.week_start if grain == "week" else day
    source = day.table.join(BusinessDay, BusinessDay.day == day)
    rows = select(period, mean_or_rate(columns, chosen)).select_from(source)
    rows = rows.where(_inside(chosen, since, until)).group_by(period)
    found = {as_date(start): float(value) for start, value in connection.execute(rows)}
    finished = (start for start in sorted(found) if not unfinished(start, grain, today))
    return pd.DataFrame([(start, found[start]) for start in finished], columns=["period", "value"])


def _inside(metric: Metric, since: date, until: date) -> Any:
    columns = COLUMNS[metric.word]
    return columns["date"].between(since, until) & (columns[metric.count] > 0)
