"""What pages ask of the reports that were sent, or should have been."""

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from db.queries.frames import frame
from db.tables.operations import Report

r = Report.__table__.c


def archive(connection: Connection, kind: str, limit: int = 30) -> pd.DataFrame:
    """The newest reports of a kind: what each is of, how it stands, and its id."""
    shown = (
        r.id,
        r.week_start,
        r.language,
        r.channel,
        r.status,
        r.sent_at,
        r.claimed_at,
        r.error,
        r.permalink,
    )
    newest = select(*shown).where(r.kind == kind).order_by(r.week_start.desc(), r.id.desc())
    return frame(connection, newest.limit(limit))


def content(connection: Connection, report: int) -> dict[str, Any] | None:
    """A report as it was kept."""
    found: dict[str, Any] | None = connection.scalar(select(Report.content).where(Report.id == report))
    return found


def standing(connection: Connection, kind: str, week: date) -> dict[str, str]:
    """How the report of a week stands, by channel."""
    rows = select(r.channel, r.status).where(r.kind == kind, r.week_start == week)
    return {row.channel: row.status for row in connection.execute(rows)}
