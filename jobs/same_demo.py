"""Whether the demo came or went between what a run read and what it is about to write."""

from sqlalchemy import Connection

from db.facts import HOLDS_DEMO, fact
from jobs.job import Passing
from language import _


def demo_of(connection: Connection) -> str | None:
    """What tells the demo that is stored from any other; None without one."""
    return fact(connection, HOLDS_DEMO)


def pass_if_changed(connection: Connection, before: str | None) -> None:
    """Raises Passing where it is another one than before: what the run found out is of rows that are gone."""
    if demo_of(connection) != before:
        raise Passing(_("The demo was stored or removed meanwhile."))
