"""What pages and the digest ask of the verdicts."""

from datetime import date

import pandas as pd
from sqlalchemy import Connection, func, select

from db.queries.frames import frame
from db.tables.operations import Verdict

v = Verdict.__table__.c


def newest_week(connection: Connection, until: date | None = None) -> date | None:
    """The Monday of the newest week that was judged, of those that begin by `until`."""
    weeks = select(func.max(v.week_start))
    newest: date | None = connection.scalar(weeks.where(v.week_start <= until) if until else weeks)
    return newest


def of_week(connection: Connection, week: date) -> pd.DataFrame:
    """Every verdict of a week, most surprising first: the columns of the table."""
    ranked = (v.surprise.desc().nulls_last(), v.word, v.subject, v.metric)
    return frame(connection, select(Verdict.__table__).where(v.week_start == week).order_by(*ranked))
