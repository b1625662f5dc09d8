"""python -m reports send: writes the digest of a week as the data are, and sends it."""

import argparse

from db.engine import default_engine
from db.errors import Refused
from db.exits import DONE, FAILED
from db.schema import refuse_unready
from language import N_, _
from reports import send_weekly
from reports.commands import Arguments
from reports.commands.weeks import add_week
from settings import Settings

HELP = N_("send the digest of a week: once for each week and channel, however often it is asked")


def add_options(parser: argparse.ArgumentParser) -> None:
    add_week(parser)
    parser.add_argument("--language", choices=("en", "ko"), help=_("instead of REPORT_LANGUAGE"))
    parser.add_argument("--again", action="store_true", help=_("change the message that was sent already"))
    told = _("to another channel than SLACK_CHANNEL")
    parser.add_argument("--test", type=_channel, metavar="CHANNEL", help=told)


def run(args: Arguments, settings: Settings) -> int:
    """1 where it was not sent, with the reason."""
    refuse_unready(default_engine(), settings.zone)
    sent = send_weekly(args.week, language=args.language, channel=args.test, again=args.again)
    told = {"sent": _("Sent."), "failed": _("Not sent."), "unknown": _("Not known whether it was sent.")}
    lines = (told.get(sent.status, _("It is being sent.")), sent.reason, sent.url)
    print("\n".join(filter(None, lines)))
    return DONE if sent.status == "sent" else FAILED


def _channel(text: str) -> str:
    """An empty one, of a variable that is not set, would be SLACK_CHANNEL."""
    if not text.strip("# "):
        raise Refused(_("--test wants a channel: its name or its ID."), status=2)
    return text
