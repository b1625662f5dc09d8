"""The import itself: files → checked rows → temporary store → table."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from db.demo.holding import remove_demo, staying_models
from db.engine import raise_data_version
from db.errors import Refused
from db.file_kinds import is_jsonl, is_parquet
from db.importing.advice import ByCommand
from db.importing.cells import Surroundings
from db.importing.checking import Checker
from db.importing.collector import collecting_rarely
from db.importing.columns import Spec
from db.importing.faults import told_while_staging, told_while_writing
from db.importing.names import Names
from db.importing.reading import read
from db.importing.rejects import RejectsFile
from db.importing.report import RejectedRow, Report
from db.importing.rows import Batch, plain
from db.importing.settling import settle
from db.importing.specs import SPECS
from db.importing.staging import Staging
from db.importing.turns import Turns, tell_wait
from db.progress import QUIET, Progress
from db.unfinished import refuse_moving
from language import _, ngettext

Part = Callable[[Iterable[Batch]], Iterable[Batch]]  # rows → some of them
ONE_TRANSACTION = 200_000  # rows at most; a larger import is written in steps, each of which may be repeated


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
    called: str | None = None,
    advice: ByCommand | None = None,
    progress: Progress = QUIET,
    part: Part | None = None,
) -> Report:
    """Brings a file into a source table and reports what came of each row.

    `mapping` renames columns (theirs → ours), `filling` takes the empty cells of a column from another one;
    `strict` writes nothing when any row was rejected; `called` is what the report calls the file, `advice`
    how its reader chooses columns; `part` leaves some of its rows out.
    Raises Refused, with nothing written.
    """
    spec = spec_of(table)
    rows = read(path, nesting(spec, mapping or {}, filling or {}))
    report = import_batches(
        engine,
        spec,
        called or path.name,
        part(rows) if part else rows,
        Surroundings(zone, now),
        mapping=mapping or {},
        filling=filling or {},
        dry_run=dry_run,
        strict=strict,
        keep_demo=keep_demo,
        rejects=rejects,
        advice=advice,
        progress=progress,
    )
    if not report.read and part is None:
        report.note(_no_row(path))
    return report


def _no_row(path: Path) -> str:
    if is_parquet(path):
        return _("there is no row in the file")
    if is_jsonl(path):
        return _("there is no line in the file")
    return _("there is a header in the file and no row below it")


def nesting(spec: Spec, mapping: Mapping[str, str], filling: Mapping[str, str]) -> frozenset[str]:
    """The columns of a file that may hold lists and objects, by their plain names."""
    mapped = {theirs for theirs, ours in mapping.items() if ours in spec.nesting}
    filled = {other for ours, other in filling.items() if ours in spec.nesting}
    return spec.nesting | {plain(name) for name in mapped | filled}


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
    advice: ByCommand | None = None,
    progress: Progress = QUIET,
) -> Report:
    """The same for batches of raw rows from a source of that name."""
    report = Report(spec.table, dry_run, advice=advice or ByCommand())
    checker = Checker(spec, where, Names(spec, report, mapping, filling), engine.dialect.name)
    with (
        told_while_writing(report),
        engine.connect() as connection,
        RejectsFile(rejects) as kept,
        collecting_rarely(),
    ):
        connection.execution_options(readonly=True)  # the temporary store needs no write lock
        with told_while_staging(connection):
            staging = Staging(connection, spec)
        with staging.dropped_afterwards():
            with told_while_staging(connection), connection.begin():
                _stage(source, batches, checker, staging, report, kept, progress)
                if staging.owners:
                    staging.owners.settle(None if keep_demo else staying_models(connection))
                left = settle(connection, staging.table, spec, report)
            kept.close()
            if left and not (strict and report.rejected):
                if not dry_run:
                    tell_wait(connection, progress)
                _write(connection, staging, report, where.now, left, keep_demo, progress)
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
    checker.end()
    for told, n in checker.odd.items():
        rows = ngettext("{n} row", "{n} rows", n)
        report.note(_("{rows} stored although {told}").format(rows=rows, told=_(told)))


def _write(
    connection: Connection,
    staging: Staging,
    report: Report,
    now: datetime,
    left: int,
    keep_demo: bool,
    progress: Progress,
) -> None:
    connection.execution_options(readonly=report.dry_run)
    if report.dry_run:
        with connection.begin():
            staging.add_models(report, now)
            older = staging.leave_what_stands()
            staging.fill_costs(-1, staging.last_line())
            matched, report.updated = staging.compare()
            report.new = left - older - matched
            report.unchanged = matched - report.updated + older
        return
    low, last = -1, 0
    with Turns(connection, ONE_TRANSACTION).taken() as turns:
        while low < last:
            with turns.turn():
                staging.take_turn()
                if low < 0:
                    report.removed_demo = not keep_demo and remove_demo(connection)
                    last = staging.last_line()
                staging.add_models(report, now)
                if staging.owners:
                    refuse_moving(connection, staging.owners.models())
                high = staging.end_of_step(low, turns.rows)
                staging.leave_what_stands()
                staging.fill_costs(low, high)
                new, updated = staging.write(low, high, now)
                raise_data_version(connection)
            report.new, report.updated, low = report.new + new, report.updated + updated, high
            progress.wrote(report.written)
    report.unchanged = left - report.written
