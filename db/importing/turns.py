"""SQLite's one writer at a time: saying that another one comes first, and letting others in between two steps."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection

from db.engine import SQLITE_WAIT_SECONDS
from db.progress import Progress

TELL_WAIT_AFTER = 500  # milliseconds
# Rows of a transaction on SQLite: a large table takes many seconds for 200,000 that come in no order.
FIRST_ROWS, LEAST_ROWS = 50_000, 2_500
SECONDS = 2  # that a transaction should take
GROWTH = 4  # how many times the rows of the transaction before it one may have
PAUSE = 0.12  # seconds; who waits for SQLite's lock looks every 0.1 s whether it is free


def tell_wait(connection: Connection, progress: Progress) -> None:
    """Says that another writer comes first, on SQLite, where there is only one at a time."""
    if connection.dialect.name != "sqlite":
        return
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout = {TELL_WAIT_AFTER}")
    try:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("ROLLBACK")
    except sqlite3.OperationalError:  # whatever it is, the write itself meets it again
        progress.waits()
    finally:
        driver.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_SECONDS * 1000}")


class Turns:
    """The write transactions of an import, one after the other, and how many rows each of them may take.

    On SQLite they are short, and whoever waits gets the lock in between. The log is brought into the file there,
    which needs no lock, instead of at the end of each transaction.
    """

    def __init__(self, connection: Connection, most: int) -> None:
        self._connection, self._most, self._first = connection, most, True
        self._driver: Any = connection.connection.driver_connection
        self._shares = connection.dialect.name == "sqlite"
        self.rows = min(FIRST_ROWS, most) if self._shares else most

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A write transaction; the next one takes as many rows as fit into SECONDS, by what this one took."""
        if self._shares and not self._first:
            self._let_others_in()
        self._first = False
        with self._connection.begin():
            begun = time.monotonic()
            yield
        if self._shares:
            fitting = int(self.rows * SECONDS / max(time.monotonic() - begun, SECONDS / GROWTH))
            self.rows = min(max(fitting, LEAST_ROWS), self._most)

    def _let_others_in(self) -> None:
        free = time.monotonic()
        _checkpoint(self._driver)
        time.sleep(max(0, free + PAUSE - time.monotonic()))

    @contextmanager
    def taken(self) -> Iterator["Turns"]:
        """Everything that is written inside; the log is in the file afterwards."""
        if not self._shares:
            yield self
            return
        usual = self._driver.execute("PRAGMA wal_autocheckpoint").fetchone()[0]
        self._driver.execute("PRAGMA wal_autocheckpoint = 0")
        try:
            yield self
            _checkpoint(self._driver)
        finally:
            self._driver.execute(f"PRAGMA wal_autocheckpoint = {usual}")


def _checkpoint(driver: Any) -> None:
    with suppress(sqlite3.OperationalError):  # what is in the log is safe; a write meets a full disk again
        driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
