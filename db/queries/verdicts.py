"""What pages and the digest ask of the verdicts."""

from datetime import date

import pandas as pd
from sqlalchemy import Connection, func, select

from db.queries.frames import frame
from db.tables.operations import Verdict

v = Verdict.__table__.c


def newest_week(connection: Connection, until: date | None = None, word: str | None = None) -> date | None:
    """The Monday of the newest week that was judged, of those that begin by `until` and of that word."""
    weeks = select(func.max(v.week_start))
    weeks = weeks.where(v.week_start <= until) if until else weeks
    newest: date | None = connection.scalar(weeks.where(v.word == word) if word else weeks)
    return newest


def of_week(connection: Connection, week: date, word: str | None = None) -> pd.DataFrame:
    """Every verdict of a week, or those of one word, most surprising first: the columns of the table."""
    ranked = (v.surprise.desc().nulls_last(), v.word, v.subject, v.metric)
    rows = select(Verdict.__table__).where(v.week_start == week).order_by(*ranked)
    return frame(connection, rows.where(v.word == word) if word else rows)
