"""Is the database what the code expects, do its rows keep the rules, and how fresh is each table?"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, exists, func, select, text

from db.engine import SQLITE_WAIT_SECONDS, is_read_only, reading
from db.exporting import EXPORTS
from db.schema import other_zone, refuse_other_version
from db.tables import metadata
from db.tables.operations import IN_WORK, BusinessDay, StaleMark
from db.triggers import WATCHED, Watched
from language import _, ngettext

_TOLD = 20  # broken rows that SQLite's own check names


@dataclass(frozen=True)
class Freshness:
    """A table's rows, the newest business day among them, and the days of it that wait for aggregation."""

    table: str
    rows: int
    newest: date | None
    stale_days: int

    def __str__(self) -> str:
        told = [ngettext("{n} row", "{n} rows", self.rows)]
        if self.newest:
            told.append(_("newest day {day}").format(day=self.newest))
        if self.stale_days:
            told.append(ngettext("{n} day to aggregate", "{n} days to aggregate", self.stale_days))
        return f"{self.table}: {', '.join(told)}"


@dataclass(frozen=True)
class Checked:
    """What is wrong, in lines for people (empty when nothing is), and how fresh the tables are."""

    wrong: list[str]
    tables: list[Freshness]


def check(engine: Engine, zone: ZoneInfo) -> Checked:
    """Looks at everything once, in one snapshot; raises Refused where the schema has another version."""
    refuse_other_version(engine)
    from db.migrating import (
        problems,  # and with it Alembic, which takes longer to load than most commands work
    )

    with reading(engine) as connection:
        wrong = problems(connection)
        wrong += _broken_rows(connection)
        if told := other_zone(connection, zone):
            wrong.append(told)
        for watched in WATCHED:
            wrong += _wrong_days(connection, watched)
        wrong += _not_writable(engine)
        return Checked(wrong, [_freshness(connection, name) for name in EXPORTS])


def _broken_rows(connection: Connection) -> Iterator[str]:
    """SQLite reads every row again; PostgreSQL keeps its rules unless one was added without looking."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql(f"PRAGMA quick_check({_TOLD})"):
            if line != "ok":
                yield _("SQLite says: {line}").format(line=line)
        return
    unproven = text("SELECT conname, conrelid::regclass::text FROM pg_constraint WHERE NOT convalidated")
    for name, table in connection.execute(unproven):
        yield _("rule {name} of {table} was never checked against the rows that were there").format(
            name=name, table=table
        )


def _not_writable(engine: Engine) -> Iterator[str]:
    """What reading does not find out; another writer may hold the lock just now, which is no fault."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA busy_timeout = 0")
        try:
            driver.execute("BEGIN IMMEDIATE")
            driver.execute("DELETE FROM app_facts WHERE 0")  # of a file that is read only, BEGIN merely reads
            driver.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if is_read_only(error):
                yield _("nobody can write to the database: let this user write to its file and its folder")
        finally:
            driver.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_SECONDS * 1000}")


def _wrong_days(connection: Connection, watched: Watched) -> Iterator[str]:
    if watched.at is None:
        return
    table: Table = metadata.tables[watched.table]
    at = table.c[watched.at]
    holds = exists().where(
        BusinessDay.day == table.c.day, BusinessDay.starts_at <= at, BusinessDay.ends_at > at
    )
    if count := connection.scalar(select(func.count()).select_from(table).where(~holds)):
        rows = ngettext("{n} row has", "{n} rows have", count)
        yield _("{table}: {rows} another day than that of {at}").format(
            table=watched.table, rows=rows, at=watched.at
        )


def _freshness(connection: Connection, name: str) -> Freshness:
    table: Table = metadata.tables[name]
    rows = connection.scalar(select(func.count()).select_from(table)) or 0
    day = EXPORTS[name].day
    newest = connection.scalar(select(func.max(table.c[day]))) if day else None
    days = select(func.count(StaleMark.day.distinct())).where(
        StaleMark.table_name.in_((name, name + IN_WORK))
    )
    waiting = connection.scalar(days) if name in {watched.table for watched in WATCHED} else 0
    return Freshness(name, rows, newest, waiting or 0)
