"""A process that makes senders: each line on its standard input is a week, for which a child sends a report.

It says the child's process id at once, so that it can be killed at any moment, and its status at its end.
"""

import os
import sys
from datetime import date, datetime

from sqlalchemy import Engine

import settings
from db.clock import utc_now
from db.engine import engine_for
from reports.blocks import Header, Item, Message, Picture
from reports.deliver import Delivery, deliver
from reports.slack import Patience

KIND = "weekly_digest"
QUICK = Patience(5, (0, 0), lambda _seconds: None)


def message(week: date) -> Message:
    """A report of two messages and two pictures."""
    lines = [Item(f"model-{n} fell by {n}") for n in range(60)]
    pictures = [Picture(name, name, "", name.encode()) for name in ("score", "wins")]
    return Message(f"Week of {week}", (Header(f"Week of {week}"), *lines, *pictures))


def send(engine: Engine, week: date, now: datetime) -> Delivery:
    return deliver(engine, settings.current(), message(week), kind=KIND, week=week, now=now, patience=QUICK)


def main() -> None:
    message(date(2026, 1, 5))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            engine = engine_for(settings.current().database_url)
            send(engine, date.fromisoformat(line.strip()), utc_now())
            os._exit(0)
        print(child, flush=True)  # noqa: T201
        _child, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "ended", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
