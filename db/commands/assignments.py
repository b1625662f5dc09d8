"""python -m db assignments: which model each agent runs on, from a YAML file."""

import argparse
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.assignments import assign, plan, read_assignments
from db.clock import utc_now
from db.commands import Arguments
from db.exits import DONE
from db.schema import refuse_unready
from language import _


def add_options(own: argparse.ArgumentParser) -> None:
    """What may be typed behind assignments."""
    own.add_argument("file", type=Path, help=_("YAML: each agent with its provider, model and role"))
    own.add_argument("--dry-run", action="store_true", help=_("say what would be done, write nothing"))


def assignments(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    now = utc_now()
    wanted = read_assignments(args.file, zone, now)
    refuse_unready(engine, zone)
    found = plan(engine, wanted)
    for line in found.lines():
        print(line)
    if args.dry_run:
        print(_("Dry run: nothing was written."))
        return DONE
    if found.added or found.changed:
        assign(engine, wanted, zone, now, args.file.name)
    return DONE
