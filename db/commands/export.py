"""python -m db export: a table to a file."""

import argparse
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.commands import Arguments
from db.exits import DONE
from db.exporting import EXPORTS, export_table, first_and_last
from db.progress import ProgressLine
from db.schema import refuse_unready
from language import _, ngettext


def add_options(own: argparse.ArgumentParser) -> None:
    """What may be typed behind export."""
    own.add_argument("table", help=_("one of: {tables}").format(tables=", ".join(EXPORTS)))
    own.add_argument("file", type=Path, help=_("csv, csv.gz, jsonl or parquet, by its ending"))
    own.add_argument("--since", metavar="DAY", help=_("first business day, such as 2026-11-15"))
    own.add_argument("--until", metavar="DAY", help=_("last business day, included"))


def export(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    since, until = first_and_last(args.since, args.until)
    refuse_unready(engine, zone)
    replaced = args.file.exists()
    progress = ProgressLine(args.file.name)
    try:
        written = export_table(engine, args.table, args.file, since=since, until=until, progress=progress)
    finally:
        progress.end()
    rows = ngettext("{n} row", "{n} rows", written)
    told = _("{path}: {rows} of {table}; replaced the file of that name")
    if not replaced:
        told = _("{path}: {rows} of {table}")
    print(told.format(path=args.file, rows=rows, table=args.table))
    return DONE
