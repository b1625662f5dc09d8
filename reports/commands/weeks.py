"""Which week a command means."""

import argparse
from datetime import date, datetime

from db.clock import business_day, parse_monday
from db.errors import Refused
from language import _
from reports.commands import Arguments
from reports.digest import last_finished_week
from settings import Settings


def add_week(parser: argparse.ArgumentParser) -> None:
    told = _("ISO week, as 2026-W46 or a day of it; otherwise the last finished one")
    parser.add_argument("--week", type=parse_monday, help=told)


def week_of(args: Arguments, now: datetime, settings: Settings) -> date:
    """The Monday of the week asked for, or of the last finished one; raises Refused for one that is not over."""
    last = last_finished_week(business_day(now, settings.zone))
    if args.week and args.week > last:
        raise Refused(_("That week is not over yet: a digest tells of finished weeks."), status=2)
    monday: date = args.week or last
    return monday
