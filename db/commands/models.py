"""python -m db models: list, rename, merge, retire, undo."""

import argparse
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, func, select

from db import model_changes
from db.clock import utc_now
from db.commands import Arguments
from db.engine import reading
from db.exits import DONE
from db.model_changes import Change
from db.model_names import former_names
from db.progress import ProgressLine
from db.schema import refuse_unready
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import ModelChange
from language import _, ngettext


def add_options(parser: argparse.ArgumentParser) -> None:
    does = parser.add_subparsers(dest="does", metavar=_("WHAT"))
    does.add_parser("list", help=_("every model with its evaluations, and what was done (default)"))
    for name, told, takes in (
        ("rename", _("give a model another name"), ("old", "new")),
        ("merge", _("move all evaluations of a model to another one"), ("old", "into")),
        ("retire", _("expect no data of a model any more"), ("name",)),
        ("undo", _("take a change back, by its number"), ("change",)),
    ):
        own = does.add_parser(name, help=told, description=told)
        for argument in takes:
            own.add_argument(argument, type=int if argument == "change" else str)
        own.add_argument("--dry-run", action="store_true", help=_("say what would be done, write nothing"))


def models(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    refuse_unready(engine, zone)
    if args.does in (None, "list"):
        with reading(engine) as connection:
            _list(connection, zone)
        return DONE
    change = _do(args, engine)
    if args.dry_run:
        print(_("Dry run. {told}").format(told=change.told))
        return DONE
    print(change.told)
    if change.id is not None:
        print(_("To take it back: python -m db models undo {id}").format(id=change.id))
    if change.stale:
        print(_("Now run: python -m jobs run aggregate_models"))
    return DONE


def _do(args: Arguments, engine: Engine) -> Change:
    now, dry = utc_now(), args.dry_run
    if args.does == "rename":
        return model_changes.rename(engine, args.old, args.new, now, dry)
    if args.does == "retire":
        return model_changes.retire(engine, args.name, now, dry)
    progress = ProgressLine(args.does)
    try:
        if args.does == "merge":
            return model_changes.merge(engine, args.old, args.into, now, dry, progress)
        return model_changes.undo(engine, args.change, now, dry, progress)
    finally:
        progress.end()


def _list(connection: Connection, zone: ZoneInfo) -> None:
    counted = select(ModelEvaluation.model_id, func.count().label("n")).group_by(ModelEvaluation.model_id)
    counts = {row.model_id: row.n for row in connection.execute(counted)}
    names = {row.id: row.name for row in connection.execute(select(Model.id, Model.name))}
    for row in connection.execute(select(Model).order_by(Model.name)):
        told = ngettext("{n} evaluation", "{n} evaluations", counts.get(row.id, 0))
        if row.merged_into is not None:
            told = _("merged into {name}").format(name=names[row.merged_into])
        elif row.retired_at is not None:
            told += ", " + _("retired on {day}").format(day=f"{row.retired_at.astimezone(zone):%Y-%m-%d}")
        print(f"{row.name}: {told}")
    for name, model in sorted(former_names(connection).items()):
        print(_("{name}: former name of {today}").format(name=name, today=names[model]))
    done = select(ModelChange).where(ModelChange.undone_at.is_(None)).order_by(ModelChange.id)
    for change in connection.execute(done):
        to = f" → {change.new_name}" if change.new_name else ""
        at = f"{change.at.astimezone(zone):%Y-%m-%d %H:%M}"
        unfinished = ", " + _("not finished") if change.under_way else ""
        print(f"{change.id}  {at}  {change.kind} {change.old_name}{to}{unfinished}")
