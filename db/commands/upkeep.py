"""Commands about the database as a whole: schema, backups, checks, time zone."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

import settings
from db import schema
from db.backup import back_up, backup_path, restore
from db.calendar import change_timezone
from db.check import check
from db.clock import utc_now
from db.commands import Arguments
from db.errors import Refused
from db.exits import DONE, FAILED, WRONG_CALL
from language import _, ngettext

AGGREGATIONS = ("aggregate_models", "aggregate_quality", "aggregate_forecasts", "aggregate_agents")


def upgrade(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    moved = schema.upgrade(engine, zone, _backing_up(args, engine))
    _tell_backup(moved.backup)
    if moved.before == moved.after:
        print(_("The schema is the newest already: {version}").format(version=moved.after))
    else:
        print(_("Schema: {before} → {after}").format(before=moved.before or _("none"), after=moved.after))
    return DONE


def rollback(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    moved = schema.rollback(engine, zone, args.revision, _backing_up(args, engine))
    _tell_backup(moved.backup)
    print(_("Schema: {before} → {after}").format(before=moved.before, after=moved.after or _("none")))
    return DONE


def _backing_up(args: Arguments, engine: Engine) -> Callable[[], Path] | None:
    """How the backup before a migration or a restore is made; None with `--no-backup`."""
    if args.no_backup:
        return None

    def back() -> Path:
        try:
            return back_up(engine, backup_path(settings.current().backup_dir, engine, utc_now()))
        except Refused as refused:
            hint = _("To go on without a backup, add --no-backup.")
            raise Refused(f"{refused} {hint}", refused.status) from None

    return back


def _tell_backup(path: Path | None) -> None:
    if path:
        print(_("Backup: {path}").format(path=path))


def make_backup(args: Arguments, engine: Engine, _zone: ZoneInfo) -> int:
    path = args.file or backup_path(settings.current().backup_dir, engine, utc_now())
    print(_("Backup: {path}").format(path=back_up(engine, path)))
    return DONE


def restore_backup(args: Arguments, engine: Engine, _zone: ZoneInfo) -> int:
    kept = restore(engine, args.file, _backing_up(args, engine))
    _tell_backup(kept)
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


def move_to_timezone(args: Arguments, engine: Engine, _zone: ZoneInfo) -> int:
    if args.name not in settings.known_zones():
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
        print(_("Then run: python -m jobs run JOB, for each of {jobs}").format(jobs=", ".join(AGGREGATIONS)))
    return DONE
