"""python -m reports build: the digest of a week, to read here, as an HTML file or as JSON; nothing is sent."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from db.clock import utc_now
from db.engine import default_engine, reading
from db.errors import Refused
from db.exits import DONE
from db.schema import refuse_unready
from language import N_, _
from reports.blocks import Message
from reports.commands import Arguments
from reports.commands.weeks import add_week, week_of
from reports.digest import build
from reports.in_text import in_text
from reports.render_html import render
from reports.stored import to_json
from settings import Settings

HELP = N_("write the digest of a week and show it; nothing is sent")


def add_options(parser: argparse.ArgumentParser) -> None:
    add_week(parser)
    parser.add_argument("--language", choices=("en", "ko"), help=_("instead of REPORT_LANGUAGE"))
    parser.add_argument("--html", type=Path, metavar="FILE", help=_("as a page, with its pictures"))
    parser.add_argument("--json", type=Path, metavar="FILE", help=_("as data"))


def run(args: Arguments, settings: Settings) -> int:
    """Without a file the text goes to standard output."""
    engine = default_engine()
    refuse_unready(engine, settings.zone)
    forms: tuple[tuple[Path | None, Callable[[Message], str]], ...] = (
        (args.html, render),
        (args.json, _as_json),
    )
    files = [(file, form) for file, form in forms if file]
    with reading(engine) as connection:
        now, pictures = utc_now(), bool(files)
        week = week_of(args, now, settings)
        made = build(connection, settings, week, now=now, language=args.language, pictures=pictures)
    if not files:
        print(in_text(made))
    for file, form in files:
        try:
            file.write_text(form(made), encoding="utf-8")
        except OSError as error:
            told = _("{file} cannot be written: {why}")
            raise Refused(told.format(file=file, why=error.strerror)) from None
        print(file)
    return DONE


def _as_json(message: Message) -> str:
    return json.dumps(to_json(message), ensure_ascii=False)
