"""Which weeks are judged again, and their verdicts brought up to date."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, select, tuple_

from db.clock import week_start
from db.engine import bookkeeping, raise_data_version, reading
from db.metrics import AGENT_HEADLINES, FORECAST_HEADLINES, MODEL_HEADLINES, QUALITY_HEADLINES
from db.queries import agents, forecasts, models, quality_weeks
from db.tables.agents import AgentPerformance
from db.tables.forecasts import DailyForecast
from db.tables.models import DailyModelPerformance
from db.tables.operations import Verdict
from db.tables.quality import DailyAiQuality, WeeklyAiQuality
from db.upsert import upsert_rows
from jobs.changes import Changes, same
from jobs.comparisons import WEEK, Weekly, judged, weekly
from jobs.formulas.verdicts import HISTORY_WEEKS
from jobs.job import Outcome, Run
from jobs.model_subjects import model_ids, under_todays_names
from jobs.stale import take_marks_off_by_id, week_marks
from language import _, ngettext

KEY = ("word", "subject", "metric", "week_start")

table: Table = Verdict.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class Word:
    """What of a word is judged: its metrics, where changed weeks are marked, its days, and its weekly values."""

    name: str
    metrics: tuple[str, ...]
    marked: str  # table of the marks
    day: Any  # column of the days that have data
    weekly: Any  # (connection, metric, first Monday, last Monday) → frame: subject, week, value, std, n, part


WORDS = (
    Word(
        "models",
        MODEL_HEADLINES,
        DailyModelPerformance.__tablename__,
        DailyModelPerformance.date,
        models.weekly,
    ),
    Word(
        "quality",
        QUALITY_HEADLINES,
        WeeklyAiQuality.__tablename__,
        DailyAiQuality.date,
        quality_weeks.weekly,
    ),
    Word(
        "forecasts",
        FORECAST_HEADLINES,
        DailyForecast.__tablename__,
        DailyForecast.date,
        forecasts.weekly,
    ),
    Word(
        "agents",
        AGENT_HEADLINES,
        AgentPerformance.__tablename__,
        agents.days,
        agents.weekly,
    ),
)


def judge(engine: Engine, asked: date | None, dry_run: bool, run: Run) -> Outcome:
    """Judges the asked week, or all that are stale; one transaction a week."""
    last = week_start(run.today) - WEEK
    with reading(engine) as connection:
        marks = {word.name: week_marks(connection, word.marked, last) for word in WORDS}
        weeks = _weeks(connection, asked, last, marks)
        words = {word.name: _figures(connection, word, weeks) for word in WORDS} if weeks else {}
        end = _end(connection, last)
        ids = model_ids(connection)
    changes, written = Changes(), 0
    for done, week in enumerate(weeks):
        run.progress(done / len(weeks), _told_week(week))
        rows = judged(words, week, run.now) if end is not None and week <= end else []
        if dry_run:
            with reading(engine) as connection:
                changes.compare(table, KEY, _held(connection, week), rows)
        else:
            with bookkeeping(engine) as connection:
                written += _store(connection, week, under_todays_names(connection, ids, rows))
    if not dry_run and asked is None:
        with bookkeeping(engine) as connection:
            take_marks_off_by_id(connection, (mark for found in marks.values() for mark in found))
    return _outcome(weeks, written, changes if dry_run else None)


def _weeks(
    connection: Connection,
    asked: date | None,
    last: date,
    marks: Mapping[str, Mapping[int, date]],
) -> list[date]:
    """The Mondays of the weeks to judge, in order."""
    if asked is not None:
        return [asked] if asked <= last else []
    changed = {monday for found in marks.values() for monday in found.values()}
    reached = {monday + k * WEEK for monday in changed for k in range(HISTORY_WEEKS + 1)}
    end = _end(connection, last)
    judged = {row.week_start for row in connection.execute(select(Verdict.week_start).distinct())}
    if end is None:
        return sorted(judged & reached)  # all rows are gone, and so must be the verdicts
    return sorted({monday for monday in reached if monday <= end} | {end} | {w for w in judged if w > end})


def _end(connection: Connection, last: date) -> date | None:
    """The last finished week that has data of any word; none after it has a verdict."""
    newest = [_newest_week(connection, word, last) for word in WORDS]
    return max((monday for monday in newest if monday), default=None)


def _newest_week(connection: Connection, word: Word, last: date) -> date | None:
    """The last finished week that has data."""
    newest = connection.scalar(select(func.max(word.day)).where(word.day <= last + timedelta(days=6)))
    return week_start(newest) if newest else None


def _figures(connection: Connection, word: Word, weeks: list[date]) -> list[Weekly]:
    """The weekly values of each metric, as far back as the weeks' histories reach."""
    span = weeks[0] - HISTORY_WEEKS * WEEK, weeks[-1]
    return [weekly(name, word.weekly(connection, name, *span), *span) for name in word.metrics]


def _held(connection: Connection, week: date) -> Iterator[Any]:
    yield from connection.execute(select(table).where(table.c.week_start == week)).mappings()


def _store(connection: Connection, week: date, rows: list[dict[str, Any]]) -> int:
    """Brings the verdicts of a week up to date; returns how many rows changed."""
    old = {_key(row): row for row in _held(connection, week)}
    differing = [row for row in rows if not _same(old.pop(_key(row), None), row)]
    upsert_rows(connection, table, KEY, differing)
    if old:
        gone = tuple_(*(table.c[name] for name in KEY)).in_(list(old))
        connection.execute(delete(table).where(gone))
    if differing or old:
        raise_data_version(connection)
    return len(differing) + len(old)


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEY)


def _same(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
    return old is not None and all(same(old[name], new[name]) for name in new if name != "updated_at")


def _told_week(week: date) -> str:
    year, number, _day = week.isocalendar()
    return _("week {number} of {year}").format(number=number, year=year)


def _outcome(weeks: list[date], written: int, changes: Changes | None) -> Outcome:
    result: dict[str, Any] = {"weeks": [str(week) for week in weeks]}
    told = ngettext("{n} week", "{n} weeks", len(weeks))
    if changes is not None:
        summary = _("Dry run. {told}").format(told=f"{told}: {changes.summary()}")
        return Outcome(summary, result=result | changes.as_json())
    if not weeks:
        return Outcome(_("There is no finished week to judge."), result=result)
    changed = ngettext("{n} verdict changed", "{n} verdicts changed", written)
    return Outcome(_("{weeks}: {changes}").format(weeks=told, changes=changed), 0, written, result)
