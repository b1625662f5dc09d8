"""conversation_evaluation, feedback_log → daily_ai_quality, weekly_ai_quality (metrics.md).

Days whose evaluations or feedbacks changed are computed again, and with them their weeks; a month in a transaction.
"""

from datetime import date, timedelta

from sqlalchemy import Connection, Engine, select

from db.clock import week_start
from db.engine import reading, scratch, writing
from db.tables.operations import StaleMark
from db.tables.quality import ConversationEvaluation, DailyAiQuality, FeedbackLog
from jobs.agreement import refresh_agreement
from jobs.changes import Changes
from jobs.day_outcome import outcome_of_days
from jobs.job import DayParameters, Job, Outcome, Run
from jobs.quality_figures import DAY_KEY, daily, held_and_fresh, refresh_days, refresh_weeks, rows_of, weekly
from jobs.stale import keep_marks, mark_weeks, take_kept_marks_off
from language import N_

SOURCES = (ConversationEvaluation.__tablename__, FeedbackLog.__tablename__)
CHUNK_DAYS = 31
ROUNDS = 20  # after so many looks at what became stale meanwhile, the rest is left to the next run


def aggregate_quality(engine: Engine, params: DayParameters, run: Run) -> Outcome:
    """Computes the asked days, or all that is stale and yesterday; one transaction a month of days."""
    with reading(engine) as connection:
        waiting = _wanted(connection, params, run.today)
    done, read, written = set[date](), 0, 0
    changes = Changes() if params.dry_run else None
    for _round in range(ROUNDS):
        for some in _chunks(waiting):
            run.progress(len(done) / len(done.union(waiting)), f"{some[0]} – {some[-1]}")
            with scratch(engine) if changes else writing(engine) as connection:
                if changes:
                    changes.compare(daily, DAY_KEY, *held_and_fresh(connection, some, run.now))
                else:
                    written += _refresh(connection, some, run)
                read += rows_of(connection, some)
            done.update(some)
        if changes or params.days(run.today):
            break
        with reading(engine) as connection:
            waiting = _stale(connection)
        if not waiting:
            break
    return outcome_of_days(done, read, written, changes)


JOB = Job("aggregate_quality", N_("Aggregate AI quality"), aggregate_quality, DayParameters)


def _wanted(connection: Connection, params: DayParameters, today: date) -> list[date]:
    """The days to compute, in order."""
    asked = params.days(today)
    if asked is None:
        return sorted({*_stale(connection), today - timedelta(days=1)})
    found = set[date]()
    for day in (ConversationEvaluation.day, FeedbackLog.day, DailyAiQuality.date):
        found.update(connection.scalars(select(day).where(day.between(*asked)).distinct()))
    return sorted(found)


def _stale(connection: Connection) -> list[date]:
    marks = select(StaleMark.day).where(StaleMark.table_name.in_(SOURCES)).distinct()
    return sorted(connection.scalars(marks))


def _chunks(days: list[date]) -> list[list[date]]:
    return [days[start : start + CHUNK_DAYS] for start in range(0, len(days), CHUNK_DAYS)]


def _refresh(connection: Connection, days: list[date], run: Run) -> int:
    """Brings the days and their weeks up to date and takes their marks off: those that stood before they were read."""
    marks = keep_marks(connection, SOURCES, days)
    written = refresh_days(connection, days, run.now)
    weeks = sorted({week_start(day) for day in days})
    if written:
        written += refresh_weeks(connection, weeks, run.now)
    if written or marks:  # rows of other conversations may come to the same days, and to another verdict
        mark_weeks(connection, weekly.name, days)
    written += refresh_agreement(connection, weeks, run.now)
    take_kept_marks_off(connection, SOURCES, days)
    return written
