"""What waits for somebody: models whose data stopped coming or stay half evaluated, and jobs whose last run failed."""

from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Connection, func, select

from db.queries import models
from db.queries.frames import frame
from db.tables.operations import JobRun
from jobs.formulas.coverage import AT_LEAST, WEEKS

WEEK = timedelta(weeks=1)
ENOUGH, FEW = 0.8, 0.5  # shares of predictions that are evaluated


def nothing_since(connection: Connection, last: date) -> date | None:
    """The newest day of any model, where none of those that are expected sent anything in the last finished week."""
    newest = models.newest_day(connection)
    return newest if newest is not None and newest < last else None


def silent(connection: Connection, last: date) -> list[tuple[str, date]]:
    """Models that were there week after week and sent nothing in the last finished week, with their newest day."""
    rows = models.sent(connection, last - 2 * WEEKS * WEEK, last + WEEK)
    rows = rows[rows["subject"].isin(models.expected(connection))]
    weeks = [
        (str(name), sorted(group["week"]), group["day"].max()) for name, group in rows.groupby("subject")
    ]
    gone = [(name, newest) for name, seen, newest in weeks if went_silent(seen, last)]
    return sorted(gone, key=lambda one: one[1], reverse=True)


def went_silent(seen: list[date], last: date) -> bool:
    """Whether a model with rows in these weeks (Mondays, in order) went silent, at most eight weeks before the last."""
    stopped = seen[-1]
    usual = [week for week in seen if week > stopped - WEEKS * WEEK]
    return last - WEEKS * WEEK <= stopped < last and len(usual) >= AT_LEAST


def partial(connection: Connection, week: date) -> list[tuple[str, int, int]]:
    """Models that were hardly evaluated, though the week before they were: name, evaluated, predicted."""
    now, before = (_coverage(connection, monday) for monday in (week, week - WEEK))
    both = before.join(now.add_suffix("_now")).fillna({"whole_now": 0, "part_now": 0})
    usual = both[(both["part"] >= ENOUGH * both["whole"]) & both.index.isin(models.expected(connection))]
    found = [
        (str(name), int(row["part_now"]), int(row["whole_now"]))
        for name, row in usual.sort_values("whole", ascending=False).iterrows()
    ]
    return [(name, part, whole) for name, part, whole in found if part < FEW * whole]


def _coverage(connection: Connection, monday: date) -> pd.DataFrame:
    rows = models.coverage(connection, monday, monday + timedelta(days=6))
    return rows.set_index("subject")[["part", "whole"]].astype(float)


def failed_jobs(connection: Connection) -> pd.DataFrame:
    """Jobs whose last run that ended failed or was lost: job, id, error, finished_at; dry runs do not count."""
    ended = JobRun.status.in_(("succeeded", "failed", "lost"))
    real = ~JobRun.params["dry_run"].as_boolean().is_(True)
    last = select(func.max(JobRun.id)).where(ended, real).group_by(JobRun.job)
    wrong = select(JobRun.job, JobRun.id, JobRun.error, JobRun.finished_at).where(
        JobRun.id.in_(last), JobRun.status != "succeeded"
    )
    return frame(connection, wrong.order_by(JobRun.job))
