"""python -m reports check: whether a digest can be sent, and what to do where it cannot."""

import argparse

from db.exits import DONE, FAILED
from language import N_
from reports.check import check
from reports.commands import Arguments
from settings import Settings

HELP = N_("say whether the digest can be sent, and what to do where it cannot; posts nothing")
MARKS = {"good": "✓", "hint": "·", "wrong": "✗"}


def add_options(_parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(_args: Arguments, settings: Settings) -> int:
    """A line for each finding; 1 where something is wrong."""
    status = DONE
    for finding in check(settings):
        print(f"{MARKS[finding.grade]} {finding.told}")
        status = FAILED if finding.grade == "wrong" else status
    return status
