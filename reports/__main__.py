"""python -m reports: the weekly report, the tuning data set, and whether all is there that they need."""

import gc

if __name__ == "__main__":
    gc.disable()  # nothing of what is imported is garbage: to look for some takes a fifth of the start

import argparse
import sys
from collections.abc import Sequence

import settings
from db.exits import exit_status
from language import _, speaking
from reports.commands import build, check, send, tuning

# Each has HELP, add_options(parser) and run(arguments, settings) -> exit status.
COMMANDS = {"build": build, "send": send, "tuning": tuning, "check": check}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reports", description=_(__doc__ or ""))
    commands = parser.add_subparsers(dest="command", required=True, metavar=_("COMMAND"))
    for name, command in COMMANDS.items():
        own = commands.add_parser(name, help=_(command.HELP), description=_(command.HELP))
        command.add_options(own)
        own.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 failed, 2 the call was wrong."""
    return exit_status(lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    config = settings.current()
    with speaking(config.language):
        call = _parser().parse_args(argv)
        status: int = call.run(call, config)
    return status


if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    sys.exit(main())
