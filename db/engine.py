"""Engines from `DATABASE_URL`, and the three ways into the database: reading, writing, bookkeeping."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Integer,
    String,
    cast,
    create_engine,
    event,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import settings
from db.errors import Refused
from db.tables.operations import AppFact
from language import _

SQLITE_WAIT_SECONDS = 30
# Each worker takes two connections, each open page one for a moment. Values stay out of messages and logs.
POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 40, "hide_parameters": True}
DATA_VERSION = "data_version"
# The driver's own errors come from what it does directly: COPY, many rows at once.
DATABASE_FAULTS = (DBAPIError, sqlite3.Error, psycopg.Error)
# Serialization failure, deadlock, server shutting down or starting, and the connection class (08).
_PASSING_SQLSTATES = ("40001", "40P01", "57P01", "57P02", "57P03", "53300", "55P03")


def engine_for(url: str) -> Engine:
    """The engine of a database URL, one per process; creates the folder of a SQLite file."""
    return _engine(url)


def default_engine() -> Engine:
    """The engine of the `DATABASE_URL` in force."""
    return _engine(settings.current().database_url)


@cache
def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise Refused(
            _(
                "DATABASE_URL is no address of a database ({why}); write it as postgresql://user:password@host:5432/name"
            ).format(why=type(error).__name__),
            status=2,
        ) from None
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, **POOL)
    if parsed.database and parsed.database != ":memory:":
        _make_folder(Path(parsed.database).parent)
    engine = create_engine(parsed, connect_args={"timeout": SQLITE_WAIT_SECONDS}, **POOL)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            _("The database's folder {folder} cannot be made: {why}. Check DATABASE_URL.").format(
                folder=folder, why=error.strerror
            )
        ) from None


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event says BEGIN, below
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    try:
        connection.execute("SELECT sqrt(4)")
    except sqlite3.OperationalError:  # not every build of SQLite has it
        connection.create_function("sqrt", 1, _sqrt, deterministic=True)


def _sqrt(x: float | None) -> float | None:
    return None if x is None else math.sqrt(x)


def _begin_sqlite(connection: Connection) -> None:
    # A deferred BEGIN that reads and then writes fails at once when another writer came first, whatever
    # the time-out; IMMEDIATE waits for its turn.
    readonly = connection.get_execution_options().get("readonly")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one consistent snapshot and keeps no writer waiting."""
    with engine.connect().execution_options(readonly=True) as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


@contextmanager
def scratch(engine: Engine) -> Iterator[Connection]:
    """A connection that may fill temporary tables and leaves nothing behind."""
    with engine.connect().execution_options(readonly=True) as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@contextmanager
def bookkeeping(engine: Engine) -> Iterator[Connection]:
    """A short write transaction that changes nothing that a page has cached."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A write transaction that tells every open page, at its end, that data changed."""
    with engine.begin() as connection:
        yield connection
        raise_data_version(connection)


def raise_data_version(connection: Connection) -> None:
    """Says that cached data are out of date; the last statement of a transaction, as it locks one row for all."""
    next_version = cast(cast(AppFact.value, Integer) + 1, String)
    connection.execute(update(AppFact).where(AppFact.name == DATA_VERSION).values(value=next_version))


def data_version(engine: Engine) -> int:
    """A number that grows with every change of data."""
    with reading(engine) as connection:
        return int(connection.scalar(select(AppFact.value).where(AppFact.name == DATA_VERSION)) or 0)


def is_passing(error: BaseException) -> bool:
    """Whether a fault of the database may be gone when the same work is tried again."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    original: Any = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return any(word in str(original) for word in ("locked", "busy"))
    state = getattr(original, "sqlstate", None) or ""
    lost = error.connection_invalidated or (
        isinstance(error, OperationalError | InterfaceError) and (not state or state.startswith("08"))
    )
    return state in _PASSING_SQLSTATES or lost


def explain(error: BaseException) -> str:
    """What went wrong in the database, in one line, without the statement and its values."""
    original = error.orig if isinstance(error, DBAPIError) else error
    text = (str(original).strip().splitlines() or [type(original).__name__])[0]
    if not isinstance(original, sqlite3.Error | psycopg.Error):
        return text
    if "disk I/O error" in text:
        return _(
            "The disk cannot be written or read (disk I/O error); nothing of this step was written. "
            "See whether it is full, then try again."
        )
    if has_no_space(error):
        return _("The disk is full; nothing of this step was written. Free some space and try again.")
    if is_read_only(error):
        return _(
            "The database may not be written to; nothing of this step was written. Let this user write to the "
            "database's file and to its folder, then try again."
        )
    if isinstance(original, sqlite3.OperationalError) and "locked" in text:
        return _("Another program kept the database locked for {n} seconds; try again.").format(
            n=SQLITE_WAIT_SECONDS
        )
    if is_lost(error):
        return _(
            "The connection to the database broke off ({text}). See whether the server runs, then try again."
        ).format(text=text)
    return _("The database refused: {text}").format(text=text)


def is_read_only(error: BaseException) -> bool:
    """Whether a SQLite file, or the folder that its log stands in, may not be written to."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(original, sqlite3.OperationalError) and "readonly database" in str(original)


def has_no_space(error: BaseException) -> bool:
    """Whether the database could not write because a disk is full, as far as it says so."""
    original = error.orig if isinstance(error, DBAPIError) else error
    full = ("database or disk is full", "disk I/O error")
    return any(word in str(original) for word in full) or getattr(original, "sqlstate", "") == "53100"


def is_lost(error: BaseException) -> bool:
    """Whether the server of a database went away, or ended the connection."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = original.sqlstate or ""
    return not state or state.startswith("08") or state in ("57P01", "57P02", "57P03")


def without_password(url: URL) -> URL:
    """The address without the passwords that it may hold in its query, where SQLAlchemy hides none."""
    return url.difference_update_query([name for name in url.query if "password" in name])


def refuse_unreachable(engine: Engine) -> None:
    """Raises Refused when the database cannot be reached, with what to look at."""
    try:
        with engine.connect():
            pass
    except DBAPIError as error:
        told = _("Cannot reach the database {url}: {why}. Check DATABASE_URL and that the server is running.")
        if engine.dialect.name == "sqlite":
            told = _(
                "Cannot open the database {url}: {why}. Check DATABASE_URL, and that this user may read and write "
                "the file and its folder."
            )
        url = without_password(engine.url).render_as_string(hide_password=True)
        raise Refused(told.format(url=url, why=str(error.orig).strip().splitlines()[0])) from None
