"""trade_records, llm_usage_log, model_evolution_history → agent_performance, daily_confidence, daily_llm_usage,
system_metrics (docs/metrics.md).

Days whose rows changed are computed again, and with them their weeks and months; up to a month in a transaction.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, Table, select

from db.engine import reading, scratch, writing
from db.giving_way import GivingWay
from db.tables.agents import AgentPerformance, ModelEvolution, SystemMetric, TradeRecord
from db.tables.operations import StaleMark
from db.tables.usage import DailyLlmUsage, LlmUsage
from jobs import agent_rows, attribution, system_rows, usage_figures
from jobs.changes import Changes
from jobs.day_outcome import outcome_of_days
from jobs.held_rows import between, bring_up_to_date
from jobs.job import DayParameters, Outcome, Run
from jobs.stale import keep_marks, mark_weeks, take_kept_marks_off

SOURCES = (TradeRecord.__tablename__, LlmUsage.__tablename__, ModelEvolution.__tablename__)
CHUNK_DAYS = 31
CHUNK_CALLS = 100_000  # that a transaction reads on SQLite, where another writer waits for it

performance: Table = AgentPerformance.__table__  # type: ignore[assignment]


def aggregate(engine: Engine, params: DayParameters, run: Run) -> Outcome:
    """Computes the asked days, or all that is stale."""
    with reading(engine) as connection:
        days = _wanted(connection, params, run.today)
        calls = usage_figures.calls_by_day(connection, days[0], days[-1]) if days else {}
    changes = Changes() if params.dry_run else None
    done, read, written = 0, sum(calls.get(day, 0) for day in days), 0
    others = GivingWay(engine)
    for some in _chunks(days, calls):
        others.pass_by()
        run.progress(done / len(days), f"{some[0]} – {some[-1]}")
        with scratch(engine) if changes else writing(engine) as connection:
            if changes:
                _compare(connection, changes, some, run)
            else:
                written += _refresh(connection, some, run)
            read += attribution.trades_of(connection, some)
        done += len(some)
    return outcome_of_days(days, read, written, changes)


def _wanted(connection: Connection, params: DayParameters, today: date) -> list[date]:
    """The days to compute, in order."""
    asked = params.days(today)
    if asked is None:
        marks = select(StaleMark.day).where(StaleMark.table_name.in_(SOURCES)).distinct()
        # Marks tell every change, so an hourly run has nothing to do where there is none.
        return sorted(connection.scalars(marks))
    found = set[date]()
    for day in (TradeRecord.day, LlmUsage.day, ModelEvolution.day, SystemMetric.date, DailyLlmUsage.date):
        found.update(connection.scalars(select(day).where(day.between(*asked)).distinct()))
    return sorted(found)


def _chunks(days: list[date], calls: dict[date, int]) -> Iterator[list[date]]:
    """Neighbouring days that are not too many, nor have too many calls."""
    some: list[date] = []
    n = 0
    for day in days:
        more = calls.get(day, 0)
        if some and (len(some) == CHUNK_DAYS or n + more > CHUNK_CALLS):
            yield some
            some, n = [], 0
        some.append(day)
        n += more
    if some:
        yield some


def _refresh(connection: Connection, days: list[date], run: Run) -> int:
    """Brings the days, weeks and months up to date and takes off the marks that stood before their rows were read."""
    keep_marks(connection, SOURCES, days)
    sums = attribution.sums(connection, days)
    written = _bring(
        connection,
        usage_figures.usage,
        usage_figures.KEY,
        days,
        usage_figures.of_days(connection, days, run.now),
    )
    system = system_rows.of_days(connection, days, sums, attribution.interventions(connection, days), run.now)
    written += _bring(connection, system_rows.system, system_rows.KEY, days, system)
    confidence = agent_rows.of_confidence(connection, days, run.now)
    written += _bring(connection, agent_rows.confidence, agent_rows.CONFIDENCE_KEY, days, confidence)
    written += _bring_performance(connection, days, sums, run)
    if written:
        mark_weeks(connection, performance.name, days)
    take_kept_marks_off(connection, SOURCES, days)
    return written


def _bring(
    connection: Connection, table: Table, key: tuple[str, ...], days: list[date], fresh: list[dict[str, Any]]
) -> int:
    return bring_up_to_date(connection, table, key, between(table, "date", days), fresh)


def _bring_performance(connection: Connection, days: list[date], sums: list[Any], run: Run) -> int:
    """The rows of days, and from them those of their weeks and months."""
    fresh = agent_rows.of_days(sums, run.now)
    held = select(performance).where(performance.c.period == "day", performance.c.period_start.in_(days))
    written = bring_up_to_date(connection, performance, agent_rows.KEY, held, fresh)
    for period, first, last in agent_rows.periods_of(days) if written else ():
        fresh = agent_rows.of_period(connection, period, first, last, run.now)
        held = select(performance).where(performance.c.period == period, performance.c.period_start == first)
        written += bring_up_to_date(connection, performance, agent_rows.KEY, held, fresh)
    return written


def _compare(connection: Connection, changes: Changes, days: list[date], run: Run) -> None:
    """What would change in the figures of agents and in those of their calls."""
    held = select(performance).where(performance.c.period == "day", performance.c.period_start.in_(days))
    fresh = agent_rows.of_days(attribution.sums(connection, days), run.now)
    changes.compare(performance, agent_rows.KEY, connection.execute(held).mappings(), fresh)
    usage = usage_figures.usage
    there = connection.execute(between(usage, "date", days)).mappings()
    calls = usage_figures.of_days(connection, days, run.now)
    changes.compare(usage, usage_figures.KEY, there, calls)
