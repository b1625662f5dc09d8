"""Fills business_days, and recomputes every stored day when the time zone changes."""

from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, update

from db.clock import FIRST_DAY, LAST_DAY, days, starts_at, week_start
from db.engine import writing
from db.facts import TIMEZONE, fact, state_fact
from db.tables import metadata
from db.tables.models import DailyModelPerformance
from db.tables.operations import BusinessDay
from db.triggers import WATCHED


def fill_business_days(connection: Connection, zone: ZoneInfo) -> None:
    """Writes the days 1900–2100 of the zone, replacing those of another."""
    starts = [(day, starts_at(day, zone)) for day in days(FIRST_DAY, LAST_DAY)]
    rows = [
        {"day": day, "starts_at": start, "ends_at": end, "week_start": week_start(day)}
        for (day, start), (_next, end) in pairwise(starts)
    ]
    connection.execute(delete(BusinessDay))
    connection.execute(insert(BusinessDay), rows)
    state_fact(connection, TIMEZONE, zone.key)


def change_timezone(engine: Engine, zone: ZoneInfo) -> int:
    """Moves every source row to its business day in the new zone; returns how many moved.

    The triggers mark the days that rows left and the days that they came to.
    """
    moved = 0
    with writing(engine) as connection:
        if fact(connection, TIMEZONE) == zone.key:
            return 0
        fill_business_days(connection, zone)
        for watched in WATCHED:
            if watched.at is None:
                continue
            table: Table = metadata.tables[watched.table]
            at, held = table.c[watched.at], BusinessDay.__table__
            day = (
                select(held.c.day)
                .where(held.c.starts_at <= at, held.c.ends_at > at)
                .order_by(held.c.starts_at.desc())
                .limit(1)
                .correlate(table)
                .scalar_subquery()
            )
            moved += connection.execute(
                update(table).values(day=day).where(table.c.day.is_distinct_from(day))
            ).rowcount
        # Another cut of the days is no restatement of what they were: no figure has stood for long now.
        connection.execute(update(DailyModelPerformance).values(updated_at=func.current_timestamp()))
    return moved
