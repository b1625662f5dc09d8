"""The import itself: files → checked rows → temporary store → table."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from db.demo.holding import remove_demo
from db.engine import SQLITE_WAIT_SECONDS, explain, raise_data_version
from db.errors import Refused
from db.file_kinds import is_jsonl
from db.importing.cells import Surroundings
from db.importing.checking import Checker
from db.importing.collector import collecting_rarely
from db.importing.report import RejectedRow, RejectsFile, Report
from db.importing.rows import Batch, read
from db.importing.settling import settle
from db.importing.specs import SPECS, Spec
from db.importing.staging import Staging
from db.progress import QUIET, Progress
from language import _

ONE_TRANSACTION = (
    200_000  # rows; a larger import is written in steps of this size, each of which may be repeated
)
TELL_WAIT_AFTER = 500  # milliseconds


def spec_of(table: str) -> Spec:
    """The import of a table; raises Refused where there is none."""
    if table not in SPECS:
        raise Refused(
            _("“{table}” cannot be imported; these can: {tables}").format(
                table=table, tables=", ".join(SPECS)
            ),
            status=2,
        )
    return SPECS[table]


def import_file(
    engine: Engine,
    table: str,
    path: Path,
    *,
    zone: ZoneInfo,
    now: datetime,
    mapping: Mapping[str, str] | None = None,
    filling: Mapping[str, str] | None = None,
    dry_run: bool = False,
    strict: bool = False,
    keep_demo: bool = False,
    rejects: Path | None = None,
    progress: Progress = QUIET,
) -> Report:
    """Brings a file into a source table and reports what came of each row.

    `mapping` renames columns (theirs → ours), `filling` takes the empty cells of a column from another one;
    `strict` writes nothing when any row was rejected. Raises Refused, with nothing written.
    """
    report = import_batches(
        engine,
        spec_of(table),
        path.name,
        read(path),
        Surroundings(zone, now),
        mapping=mapping or {},
        filling=filling or {},
        dry_run=dry_run,
        strict=strict,
        keep_demo=keep_demo,
        rejects=rejects,
        progress=progress,
    )
    if not report.read:
        report.note(
            _("there is no line in the file")
            if is_jsonl(path)
            else _("there is a header in the file and no row below it")
        )
    return report


def import_batches(
    engine: Engine,
    spec: Spec,
    source: str,
    batches: Iterable[Batch],
    where: Surroundings,
    *,
    mapping: Mapping[str, str],
    filling: Mapping[str, str],
    dry_run: bool = False,
    strict: bool = False,
    keep_demo: bool = False,
    rejects: Path | None = None,
    progress: Progress = QUIET,
) -> Report:
    """The same for batches of raw rows from a source of that name."""
    report = Report(spec.table, dry_run)
    checker = Checker(spec, where, report, mapping, filling, engine.dialect.name)
    try:
        with engine.connect() as connection, RejectsFile(rejects) as kept, collecting_rarely():
            connection.execution_options(readonly=True)  # the temporary store needs no write lock
            staging = Staging(connection, spec)
            try:
                with connection.begin():
                    _stage(source, batches, checker, staging, report, kept, progress)
                    left = settle(connection, staging.table, spec, report)
                if left and not (strict and report.rejected):
                    if not dry_run:
                        _tell_wait(connection, progress)
                    _write(connection, staging, report, where.now, left, keep_demo)
            finally:
                connection.rollback()
                with connection.begin():
                    staging.table.drop(connection, checkfirst=True)
    except DBAPIError as error:
        raise Refused(explain(error)) from error
    return report


def _stage(
    source: str,
    batches: Iterable[Batch],
    checker: Checker,
    staging: Staging,
    report: Report,
    kept: RejectsFile,
    progress: Progress,
) -> None:
    for batch in batches:
        checked = checker.check(batch)
        report.read += len(batch.lines) + len(batch.broken)
        for line, column, bad, cells in checked.rejects:
            report.reject(RejectedRow(source, line, column, bad.reason), bad.kind)
            kept.add(batch.header, cells, line, f"{column}: {bad.reason}" if column else bad.reason)
        staging.add(checked.present, checked.rows)
        progress(report.read)


def _tell_wait(connection: Connection, progress: Progress) -> None:
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


def _write(
    connection: Connection, staging: Staging, report: Report, now: datetime, left: int, keep_demo: bool
) -> None:
    connection.execution_options(readonly=report.dry_run)
    if report.dry_run:
        with connection.begin():
            staging.add_models(report, now)
            matched, report.updated = staging.compare()
            report.new, report.unchanged = left - matched, matched - report.updated
        return
    for first, (low, high) in enumerate(list(_steps(connection, staging))):
        with connection.begin():
            if first == 0:
                report.removed_demo = not keep_demo and remove_demo(connection)
                staging.add_models(report, now)
            new, updated = staging.write(low, high, now)
            raise_data_version(connection)
        report.new, report.updated = report.new + new, report.updated + updated
    report.unchanged = left - report.written


def _steps(connection: Connection, staging: Staging) -> Iterator[tuple[int, int]]:
    connection.execution_options(readonly=True)
    with connection.begin():
        yield from list(staging.steps(ONE_TRANSACTION))
    connection.execution_options(readonly=False)
