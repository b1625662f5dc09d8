"""What pages ask of system_metrics."""

from datetime import date

import pandas as pd
from sqlalchemy import Connection, and_, select

from db.queries.frames import frame
from db.tables.agents import SystemMetric


def system_days(
    connection: Connection, column: str, since: date, until: date, today: date, market: str
) -> pd.DataFrame:
    """A column of system_metrics by day, of a market or ('') of what has none: subject (the market), period, value, n,
    unfinished; only where there is a value."""
    s = SystemMetric.__table__.c
    inside = and_(s.date.between(since, until), s.market == market, s[column].is_not(None))
    columns = (s.market, s.date.label("period"), s[column].label("value"), s.total_trades.label("n"))
    rows = frame(connection, select(*columns).where(inside).order_by(s.date)).astype({"value": float})
    return rows.rename(columns={"market": "subject"}).assign(unfinished=rows["period"] == today)
