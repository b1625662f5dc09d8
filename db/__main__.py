"""python -m db: prepare, back up, check, fill and empty the database."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

import settings
from db import schema
from db.backup import back_up, backup_path, restore
from db.calendar import change_timezone
from db.check import check
from db.clock import utc_now
from db.demo.holding import remove_demo
from db.demo.simulation import fill_demo
from db.engine import default_engine, explain, refuse_unreachable, writing
from db.errors import Refused
from db.exporting import EXPORTS, export_table, first_and_last
from db.importing import SPECS, Report, import_file
from db.importing.files import spec_of
from language import N_, _, ngettext

DONE, FAILED, WRONG_CALL = 0, 1, 2
INTERRUPTED, PIPE_CLOSED = 130, 141  # as a shell tells it
SECONDS_BETWEEN_LINES = 5
COUNTS = ("read", "new", "updated", "unchanged", "rejected", "repeated")

Arguments = argparse.Namespace


class Progress:
    """A running count on standard error: one line that changes on a terminal, now and then a line elsewhere."""

    def __init__(self, what: str) -> None:
        self._what, self._terminal, self._last = what, sys.stderr.isatty(), time.monotonic()

    def __call__(self, rows: int) -> None:
        now = time.monotonic()
        line = _("{what}: {n} rows").format(what=self._what, n=f"{rows:,}")
        if self._terminal:
            print(f"\r{line}", end="", file=sys.stderr, flush=True)
        elif now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def upgrade(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    moved = schema.upgrade(engine, zone, _backing_up(args, engine))
    _tell_backup(moved)
    if moved.before == moved.after:
        print(_("The schema is the newest already: {version}").format(version=moved.after))
    else:
        print(_("Schema: {before} → {after}").format(before=moved.before or _("none"), after=moved.after))
    return DONE


def rollback(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    moved = schema.rollback(engine, zone, args.revision, _backing_up(args, engine))
    _tell_backup(moved)
    print(_("Schema: {before} → {after}").format(before=moved.before, after=moved.after or _("none")))
    return DONE


def _backing_up(args: Arguments, engine: Engine) -> Callable[[], Path] | None:
    """How the backup before a migration is made; None with `--no-backup`."""
    if args.no_backup:
        return None

    def back() -> Path:
        try:
            return back_up(engine, backup_path(settings.current().backup_dir, engine, utc_now()))
        except Refused as refused:
            hint = _("To go on without a backup, add --no-backup.")
            raise Refused(f"{refused} {hint}", refused.status) from None

    return back


def _tell_backup(moved: schema.Moved) -> None:
    if moved.backup:
        print(_("Backup: {path}").format(path=moved.backup))


def make_backup(args: Arguments, engine: Engine, _zone: ZoneInfo) -> int:
    path = args.file or backup_path(settings.current().backup_dir, engine, utc_now())
    print(_("Backup: {path}").format(path=back_up(engine, path)))
    return DONE


def restore_backup(args: Arguments, engine: Engine, _zone: ZoneInfo) -> int:
    restore(engine, args.file)
    with engine.connect() as connection:
        there = schema.version(connection)
    print(_("Restored from {path}; schema {version}").format(path=args.file, version=there))
    if there != schema.newest():
        print(_("It is older than this Tidemark. Now run: python -m db upgrade"))
    return DONE


def check_database(_args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    found = check(engine, zone)
    for table in found.tables:
        print(table)
    for line in found.wrong:
        print(_("WRONG: {line}").format(line=line))
    if not found.wrong:
        print(_("All is well: schema, rules, time zone and days are as they should be."))
    return FAILED if found.wrong else DONE


def import_files(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    spec_of(args.table)
    _refuse_bad_paths(args)
    schema.refuse_unready(engine, zone)
    done: list[tuple[Path, Report]] = []
    refused: Refused | None = None
    for path in args.files:
        try:
            done.append((path, _import_one(args, engine, zone, path)))
        except Refused as error:
            refused = error
            break
        if not args.json:
            _tell_import(path, done[-1][1], args)
    if args.json:
        print(json.dumps(_as_json(args, done, refused), ensure_ascii=False))
    if refused:
        raise refused
    return _import_status([report for _path, report in done], args.strict)


def _refuse_bad_paths(args: Arguments) -> None:
    for path in args.files:
        if not path.is_file():
            raise Refused(_("There is no file {path}").format(path=path), status=WRONG_CALL)
        kept = _rejects_file(args, path)
        if kept and any(kept.exists() and kept.samefile(file) for file in args.files):
            raise Refused(
                _("--rejects would overwrite {path}, which is to be imported; name another file").format(
                    path=kept
                ),
                status=WRONG_CALL,
            )


def _rejects_file(args: Arguments, path: Path) -> Path | None:
    """Where the rejected rows of a file go: with several files each has its own, as their columns differ."""
    kept: Path | None = args.rejects
    if kept is None or len(args.files) == 1:
        return kept
    return kept.with_name(f"{kept.stem}-{path.name.split('.')[0]}{kept.suffix}")


def _import_one(args: Arguments, engine: Engine, zone: ZoneInfo, path: Path) -> Report:
    progress = Progress(path.name)
    try:
        return import_file(
            engine,
            args.table,
            path,
            zone=zone,
            now=utc_now(),
            mapping=dict(args.map),
            filling=dict(args.set),
            dry_run=args.dry_run,
            strict=args.strict,
            keep_demo=args.keep_demo,
            rejects=_rejects_file(args, path),
            progress=progress,
        )
    finally:
        progress.end()


def _tell_import(path: Path, report: Report, args: Arguments) -> None:
    print(f"{path.name}: {report.summary()}")
    if report.removed_demo:
        print(_("The demo was removed: from now on the database holds your data."))
    if args.strict and report.rejected:
        print(_("Nothing of {file} was written, because of --strict.").format(file=path.name))
    for note in report.notes:
        print(f"  {note}")
    for row in report.rejects:
        print(f"  {row}")
    if (more := report.rejected - len(report.rejects)) > 0:
        print("  " + ngettext("… and {n} more", "… and {n} more", more))
    kept = _rejects_file(args, path)
    if kept and report.rejected:
        print(_("The rejected rows are in {path}: mend them and import it.").format(path=kept))


def _as_json(args: Arguments, done: list[tuple[Path, Report]], refused: Refused | None) -> dict[str, Any]:
    """One object for all files: the sums, then each file."""
    sums = {name: sum(getattr(report, name) for _path, report in done) for name in COUNTS}
    files = [{"file": str(path)} | report.as_json() for path, report in done]
    told = {"table": args.table, "dry_run": args.dry_run} | sums | {"files": files}
    return told | ({"error": str(refused)} if refused else {})


def _import_status(reports: list[Report], strict: bool) -> int:
    if strict and any(report.rejected for report in reports):
        return FAILED
    good = sum(report.written + report.unchanged for report in reports)
    return DONE if good else FAILED


def export(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    since, until = first_and_last(args.since, args.until)
    schema.refuse_unready(engine, zone)
    progress = Progress(args.file.name)
    try:
        written = export_table(engine, args.table, args.file, since=since, until=until, progress=progress)
    finally:
        progress.end()
    rows = ngettext("{n} row", "{n} rows", written)
    print(_("{path}: {rows} of {table}").format(path=args.file, rows=rows, table=args.table))
    return DONE


def demo(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    schema.refuse_unready(engine, zone)
    if args.remove:
        with writing(engine) as connection:
            was_there = remove_demo(connection)
        print(_("The demo was removed.") if was_there else _("There is no demo in the database."))
        return DONE
    stored = fill_demo(engine, zone, utc_now())
    print(ngettext("{n} simulated evaluation stored.", "{n} simulated evaluations stored.", stored))
    print(_("Now run: python -m jobs run aggregate_models"))
    return DONE


def move_to_timezone(args: Arguments, engine: Engine, _zone: ZoneInfo) -> int:
    if args.name not in available_timezones():
        raise Refused(
            _("“{name}” is no IANA time zone; one is Asia/Seoul, another Europe/Berlin").format(
                name=args.name
            ),
            status=WRONG_CALL,
        )
    schema.refuse_other_version(engine)
    moved = change_timezone(engine, ZoneInfo(args.name))
    told = ngettext("{n} row has another day now.", "{n} rows have another day now.", moved)
    print(_("The days are those of {zone}. {told}").format(zone=args.name, told=told))
    if settings.current().timezone != args.name:
        print(_("Now set TIMEZONE={zone}, in .env or the environment.").format(zone=args.name))
    if moved:
        print(_("Then run: python -m jobs run aggregate_models"))
    return DONE


def _pair(text: str) -> tuple[str, str]:
    left, separator, right = text.partition("=")
    if not (left.strip() and separator and right.strip()):
        raise argparse.ArgumentTypeError(_("“{text}” is not of the form name=name").format(text=text))
    return left.strip(), right.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m db", description=_(__doc__ or ""))
    commands = parser.add_subparsers(dest="command", required=True, metavar=_("COMMAND"))

    def command(name: str, work: Callable[..., int], told: str) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=_(told), description=_(told))
        own.set_defaults(work=work)
        return own

    for name, work, told in (
        ("upgrade", upgrade, N_("bring the schema to the newest version; backs up first")),
        ("rollback", rollback, N_("take the schema one version back; backs up first")),
    ):
        own = command(name, work, told)
        own.add_argument("--no-backup", action="store_true", help=_("make no backup first"))
    own.add_argument("revision", nargs="?", help=_("the version to go back to (default: one back)"))

    own = command("backup", make_backup, N_("write a copy of the whole database"))
    own.add_argument("file", nargs="?", type=Path, help=_("a new file (default: one in BACKUP_DIR)"))
    own = command("restore", restore_backup, N_("replace the whole database by a backup"))
    own.add_argument("file", type=Path, help=_("a file that backup made"))
    command("check", check_database, N_("say what is wrong with the database, and how fresh it is"))
    _add_import(command("import", import_files, N_("bring files into a source table")))
    _add_export(command("export", export, N_("write a table to a file")))
    own = command("demo", demo, N_("fill an empty database with a simulated year"))
    own.add_argument("--remove", action="store_true", help=_("take the demo out again"))
    own = command("timezone", move_to_timezone, N_("change TIMEZONE and recompute the business days"))
    own.add_argument("name", help=_("IANA name, such as Asia/Seoul"))
    return parser


def _add_import(own: argparse.ArgumentParser) -> None:
    own.add_argument("table", help=_("one of: {tables}").format(tables=", ".join(SPECS)))
    own.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_("csv, csv.gz or jsonl"))
    own.add_argument(
        "--map",
        action="append",
        default=[],
        type=_pair,
        metavar="theirs=ours",
        help=_("their column name for one of ours"),
    )
    own.add_argument(
        "--set",
        action="append",
        default=[],
        type=_pair,
        metavar="ours=other",
        help=_("take a column, where it is empty, from another column of the file"),
    )
    own.add_argument("--dry-run", action="store_true", help=_("report what would change, write nothing"))
    own.add_argument("--strict", action="store_true", help=_("write nothing of a file with a rejected row"))
    own.add_argument(
        "--rejects",
        type=Path,
        metavar="FILE",
        help=_("keep rejected rows as CSV (with several files: FILE-name of each)"),
    )
    own.add_argument("--keep-demo", action="store_true", help=_("leave the simulated rows in"))
    own.add_argument("--json", action="store_true", help=_("print one JSON object and nothing else"))


def _add_export(own: argparse.ArgumentParser) -> None:
    own.add_argument("table", help=_("one of: {tables}").format(tables=", ".join(EXPORTS)))
    own.add_argument("file", type=Path, help=_("csv, csv.gz or jsonl, by its ending"))
    own.add_argument("--since", metavar="DAY", help=_("first business day, such as 2026-11-15"))
    own.add_argument("--until", metavar="DAY", help=_("last business day, included"))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; what a person can mend is told without a traceback."""
    args = _parser().parse_args(argv)
    try:
        status = _run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; nothing may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return _say(_("Interrupted; nothing half-done was left."), INTERRUPTED)
    except settings.WrongSetting as error:
        return _say(str(error), WRONG_CALL)
    except Refused as error:
        return _say(str(error), error.status)
    except DBAPIError as error:
        return _say(explain(error), FAILED)
    return status


def _run(args: Arguments) -> int:
    zone = settings.current().zone
    engine = default_engine()
    refuse_unreachable(engine)
    status: int = args.work(args, engine, zone)
    return status


def _say(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
