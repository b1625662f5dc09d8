"""Two loops, twenty sessions, and evaluations that are written, corrected and aggregated all the time."""

import random
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, insert, select, update

from db.clock import business_day, utc_now
from db.engine import reading, writing
from db.tables.models import ModelEvaluation
from db.tables.operations import JobRun
from jobs import queue
from jobs.timetable import JOBS
from soak import sound
from soak.browsers import PAGES, Noted, browse
from soak.dashboards import dashboard
from soak.evidence import Finding
from soak.processes import started, wait_for
from soak.source import ZONE, Evaluation, Source, evaluation, stored
from soak.visitor import Visitor, pressed

LOOPS, SESSIONS, TABS = 2, 20, 3
DAYS = 60
PATIENCE = 180  # seconds, for a page where twenty are drawn at once on a machine that has other work
EACH = 20  # rows of a transaction


@dataclass
class Crowd:
    """What is done to one database at the same time."""

    engine: Engine
    seconds: float
    source: Source
    noted: Noted = field(default_factory=Noted)
    stop: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    sessions: int = SESSIONS
    tabs: int = TABS

    def guarded(self, work: Callable[[], None]) -> threading.Thread:
        """The work in a thread; what it raises is a fault."""

        name = getattr(work, "func", work).__name__

        def do() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - told in the table
                self.noted.fault(f"{name}: {type(error).__name__}: {error}")

        return threading.Thread(target=do, daemon=True)

    def write(self) -> None:
        """New rows and corrections of old ones, in short transactions."""
        chance = random.Random(1)  # noqa: S311
        while not self.stop.wait(0.2):
            first = len(self.source.rows)
            fresh = [recent(first + n) for n in range(EACH)]
            old = chance.choice(list(self.source.rows.values()))
            other = replace(old, score=round(chance.uniform(0, 100), 2))
            with writing(self.engine) as connection:
                rows = [stored(one, int(one.model[-1])) for one in fresh]
                connection.execute(insert(ModelEvaluation), rows)
                mine = ModelEvaluation.prediction_id == other.name
                connection.execute(update(ModelEvaluation).where(mine).values(final_score=other.score))
            self.source.rows |= {one.key: one for one in [*fresh, other]}

    def ask(self) -> None:
        """Asks for runs, of all that is stale or of a few days."""
        chance, job = random.Random(2), JOBS["aggregate_models"]  # noqa: S311
        while not self.stop.wait(chance.uniform(0.5, 2)):
            day = str(last_day() - timedelta(days=chance.randrange(DAYS)))
            values = chance.choice([{}, {}, {"day": day, "only": "all"}])
            queue.request(
                self.engine,
                job,
                job.read(values),
                trigger="manual",
                by="soak",
                now=utc_now(),
                join_running=True,
            )
            self.asked += 1

    def visit(self, port: int, number: int) -> None:
        """A session that opens one page after the other, keeps it up to date, and presses a button."""
        chance = random.Random(number)  # noqa: S311
        while not self.stop.is_set():
            with Visitor(port, patience=PATIENCE) as visitor:
                for page in chance.sample(PAGES, len(PAGES)):
                    seen = visitor.open(page)
                    self._note(page, seen.exceptions)
                    if self.stop.wait(chance.uniform(4, 12)):
                        return
                    buttons = [id for id, label in seen.buttons.items() if label == "Run now"]
                    widgets = [pressed(chance.choice(buttons))] if buttons else []
                    self._note(page, visitor.send(widgets).exceptions)

    def _note(self, page: str, exceptions: list[str]) -> None:
        self.noted.page()
        for told in exceptions:
            self.noted.fault(f"page “{page}” shows: {told}")


def last_day() -> date:
    return business_day(utc_now(), ZONE) - timedelta(days=1)


def recent(n: int) -> Evaluation:
    return evaluation(n, "c", last_day(), DAYS)


def next_slot() -> datetime:
    """The first whole minute that all loops live to see coming."""
    return (datetime.now(ZONE) + timedelta(seconds=90)).replace(second=0, microsecond=0)


def crowd(
    engine: Engine, folder: Path, minutes: float, sessions: int = SESSIONS, tabs: int = TABS
) -> Finding:
    """Everything at once for so many minutes, then a last look at what it left."""
    finding = Finding(f"crowd: {LOOPS} loops, {sessions} sessions, {engine.dialect.name}")
    with finding.timed():
        source = Source({one.key: one for one in map(recent, range(2_000))})
        source.store(engine)
        sound.aggregate(engine)
        here = Crowd(engine, minutes * 60, source, sessions=sessions, tabs=tabs)
        slot = next_slot()
        logs = [folder / f"log-{n}.txt" for n in range(LOOPS + 1)]
        also = {"AGGREGATE_AT": f"{slot:%H:%M}"}
        with ExitStack() as running:
            for log in logs[1:]:
                running.enter_context(started(engine, "-m", "jobs", "loop", log=log, also=also))
            port = running.enter_context(dashboard(engine, logs[0], also))
            _all_at_once(here, port)
        finding.faults = here.noted.faults + _left(here, slot) + _in_logs(logs)
        finding.figures = _figures(here)
    return finding


def _all_at_once(here: Crowd, port: int) -> None:
    threads = [here.guarded(here.write), here.guarded(here.ask)]
    threads += [here.guarded(partial(here.visit, port, n)) for n in range(here.sessions - here.tabs)]
    threads.append(here.guarded(partial(browse, port, here.tabs, here.stop, here.noted)))
    for thread in threads:
        thread.start()
    here.stop.wait(here.seconds)
    here.stop.set()
    for thread in threads:
        thread.join(PATIENCE)
        if thread.is_alive():
            here.noted.fault("a session hangs")
    # The loops work off what was asked for, and nobody helps them.
    wait_for(lambda: not _open(here.engine), seconds=120, step=0.2)


def _open(engine: Engine) -> int:
    counts = sound.statuses(engine)
    return counts.get("queued", 0) + counts.get("running", 0)


def _left(here: Crowd, slot: datetime) -> list[str]:
    """What is wrong with runs and rows when all is quiet."""
    counts = sound.statuses(here.engine)
    faults = [f"{n} runs {status}" for status, n in counts.items() if status in ("failed", "lost")]
    with reading(here.engine) as connection:
        slots = list(
            connection.scalars(select(JobRun.scheduled_for).where(JobRun.scheduled_for.is_not(None)))
        )
    if slots != [slot] and (slots or utc_now() - slot > timedelta(seconds=30)):
        faults.append(f"the slot {slot} was due, and on record are: {slots}")
    faults += sound.running_after_a_tick(here.engine)
    sound.aggregate(here.engine)  # what was written after the last request
    faults += here.source.faults(here.engine) + here.source.daily_faults(here.engine)
    return faults + sound.faults(here.engine)


def _in_logs(logs: list[Path]) -> list[str]:
    return [
        f"{log.name} has a traceback: …{log.read_text()[-800:]}"
        for log in logs
        if "Traceback" in log.read_text()
    ]


def _figures(here: Crowd) -> str:
    counts = sound.statuses(here.engine)
    told = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    return f"{len(here.source.rows):,} rows, {here.asked} requests, {here.noted.pages} pages; runs: {told}"
