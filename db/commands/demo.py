"""python -m db demo: a simulated year in an empty database, and out again."""

from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.clock import utc_now
from db.commands import Arguments
from db.commands.upkeep import AGGREGATIONS
from db.demo.holding import remove_demo
from db.engine import writing
from db.exits import DONE
from db.schema import refuse_unready
from language import _, ngettext


def demo(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    refuse_unready(engine, zone)
    if args.remove:
        with writing(engine) as connection:
            was_there = remove_demo(connection)
        print(_("The demo was removed.") if was_there else _("There is no demo in the database."))
        return DONE
    from db.demo.simulation import fill_demo  # and with it numpy, which no other command should wait for

    stored = fill_demo(engine, zone, utc_now())
    print(ngettext("{n} simulated row stored.", "{n} simulated rows stored.", stored))
    jobs = ", ".join(f"python -m jobs run {job}" for job in AGGREGATIONS)
    print(_("Now run: {jobs}").format(jobs=jobs))
    return DONE
