"""kill -9 of senders at random moments, and a Slack that fails meanwhile: each report arrives exactly once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from unittest.mock import patch

from sqlalchemy import Engine, select

import settings
from db.clock import utc_now
from db.engine import reading
from db.tables.operations import Report
from reports.claims import LEASE
from soak.evidence import Finding
from soak.processes import environment, wait_for
from soak.senders import send
from soak.slack_server import CHANNEL, TOKEN, FakeSlack, fake_slack

FIRST_WEEK = date(2026, 1, 5)
FAULTS = ("", "", "", "429", "500", "cut", "500 after", "503 after", "cut after", "nonsense after")
WORKING_SECONDS = 0.02  # before and after Slack took a message: the moments that count


class Senders:
    """The process that makes senders."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def one(self, week: date, after: float | None) -> bool:
        """Lets a child send; killed after so many seconds, or never. Whether it was at work then."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{week}\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        if after is not None:
            time.sleep(after)
            with suppress(ProcessLookupError):  # it had ended
                os.kill(child, signal.SIGKILL)
        return self._process.stdout.readline().strip() == "killed"


@contextmanager
def senders(engine: Engine, slack: FakeSlack) -> Iterator[Senders]:
    bot = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_CHANNEL": CHANNEL, "SLACK_API_URL": f"{slack.address}/api/"}
    also = environment(engine, bot)
    with (
        patch.dict(os.environ, also),
        subprocess.Popen(
            [sys.executable, "-m", "soak.senders"],
            cwd=settings.ROOT,
            env=also,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        yield Senders(process)
        assert process.stdin
        process.stdin.close()
        process.wait(30)


def sends(engine: Engine, kills: int, seed: int) -> Finding:
    """So many senders killed, each followed by the next sender, which finds what the first one left."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    finding = Finding(f"kill -9: senders, {engine.dialect.name}")
    with finding.timed(), fake_slack() as slack, senders(engine, slack) as made:
        slack.working_seconds = WORKING_SECONDS
        made.one(FIRST_WEEK, None)
        begun = time.monotonic()
        made.one(FIRST_WEEK - timedelta(days=7), None)
        whole, at_work = time.monotonic() - begun, 0
        for turn in range(1, kills + 1):
            week = FIRST_WEEK + timedelta(days=7 * turn)
            slack.faults = [chance.choice(FAULTS) for _call in range(3)]
            at_work += made.one(week, chance.uniform(0, whole))
            time.sleep(WORKING_SECONDS)  # what was sent on its last breath reaches the server
            wait_for(slack.is_quiet)
            slack.faults = slack.faults[:1]
            send(engine, week, utc_now() + LEASE + timedelta(minutes=1))
            finding.faults += [f"kill {turn}: {fault}" for fault in faults(engine, slack, week)]
            finding.figures = f"{turn} kills, {at_work} of them at work, {len(slack.messages)} messages"
    return finding


def faults(engine: Engine, slack: FakeSlack, week: date) -> list[str]:
    """What is not there once, of a week's report."""
    with reading(engine) as connection:
        rows = connection.execute(select(Report).where(Report.week_start == week)).all()
    if [row.status for row in rows] != ["sent"]:
        return [f"its rows are {[(row.status, row.error) for row in rows]}"]
    key = f"weekly_digest:{week}"
    carried = [(one, (one.get("metadata") or {}).get("event_payload", {})) for one in slack.messages]
    mine = [(one["ts"], carries["part"]) for one, carries in carried if carries.get("key") == key]
    wrong = []
    if Counter(part for _ts, part in mine) != Counter({"0": 1, "1": 1}):
        wrong.append(f"its messages are {mine}")
    if rows[0].parts["posts"] != [ts for ts, _part in mine]:
        wrong.append(f"{rows[0].parts['posts']} are written down, {mine} arrived")
    files = [
        file["name"] for one in slack.files if one["thread_ts"] == rows[0].message_ts for file in one["files"]
    ]
    if sorted(name.partition("-")[0] for name in files) != ["score", "wins"]:
        wrong.append(f"its pictures are {files}; {rows[0].error}")
    return wrong
