"""python -m db prices: apply the price book to calls that are stored already, or fill it."""

import argparse
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.clock import utc_now
from db.commands import Arguments
from db.exits import DONE
from db.exporting import first_and_last
from db.price_sources import GENAI_PRICES, SOURCES, rows_of
from db.progress import ProgressLine
from db.recosting import Which, apply, preview
from db.schema import refuse_unready
from db.writers import store_llm_prices
from language import _, ngettext


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be typed behind prices."""
    does = parser.add_subparsers(dest="does", metavar=_("WHAT"), required=True)
    told = _("give calls without a cost the one of the price book")
    own = does.add_parser("apply", help=told, description=told)
    own.add_argument("--since", metavar="DAY", help=_("first business day, such as 2026-11-15"))
    own.add_argument("--until", metavar="DAY", help=_("last business day, included"))
    own.add_argument("--agent", metavar="NAME", help=_("only calls of this agent"))
    own.add_argument(
        "--all",
        action="store_true",
        help=_("compute costs again that came from the book; never those billed"),
    )
    own.add_argument("--dry-run", action="store_true", help=_("say what would be done, write nothing"))
    told = _("fill the price book from a list of prices")
    own = does.add_parser("fill", help=told, description=told)
    own.add_argument("--source", choices=SOURCES, default=GENAI_PRICES, help=_("where prices come from"))


def prices(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    refuse_unready(engine, zone)
    return _fill(args, engine) if args.does == "fill" else _apply(args, engine)


def _fill(args: Arguments, engine: Engine) -> int:
    rows = rows_of(args.source, engine)
    print(f"{args.source}: {store_llm_prices(rows, engine=engine).summary()}")
    return DONE


def _apply(args: Arguments, engine: Engine) -> int:
    since, until = first_and_last(args.since, args.until)
    which = Which(since, until, args.agent, args.all)
    found = preview(engine, which)
    for model in found:
        print(model)
    rows = sum(model.rows for model in found)
    if (left := sum(model.looked_at for model in found) - rows) and not args.all:
        told = _("Without a price, or without the tokens that it takes: {rows}")
        print(told.format(rows=ngettext("{n} row", "{n} rows", left)))
    if args.dry_run:
        would = _("Would get another cost: {rows}").format(rows=ngettext("{n} row", "{n} rows", rows))
        print(_("Dry run. {told}").format(told=would))
        return DONE
    progress = ProgressLine("prices")
    try:
        done = apply(engine, which, utc_now(), progress) if rows else 0
    finally:
        progress.end()
    print(_("Got another cost: {rows}").format(rows=ngettext("{n} row", "{n} rows", done)))
    if done:
        print(_("Now run: python -m jobs run {job}").format(job="aggregate_agents"))
    return DONE
