"""python -m jobs: list, run NAME, history, cancel, loop."""

import argparse
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from pydantic_core import PydanticUndefined
from sqlalchemy import Engine, select

import settings
from db.clock import parse_week, utc_now
from db.engine import default_engine, reading, refuse_unreachable
from db.errors import Refused
from db.exits import TERMINATED, exit_status
from db.schema import refuse_unready
from db.tables.operations import JobRun
from jobs import claims, queue
from jobs.health import health
from jobs.job import Job
from jobs.loop import Loop, run_until_stopped
from jobs.lost import reap
from jobs.runner import execute
from jobs.timetable import JOBS, job_named
from jobs.workers import this_worker
from language import _, speaking

FOLLOW_SECONDS = 0.3


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted."""
    return exit_status(lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    config = settings.current()
    with speaking(config.language):
        call = _parser().parse_args(argv)
        engine = default_engine()
        refuse_unreachable(engine)
        refuse_unready(engine, config.zone)
        return int(call.command(engine, config, call))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobs", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help=_("name, title, when it runs, last run, next run"))
    listing.add_argument("--json", action="store_true", help=_("one JSON object on standard output"))
    listing.set_defaults(command=_list)

    run = commands.add_parser("run", help=_("run a job now, here or in the worker that takes it first"))
    names = run.add_subparsers(required=True, metavar="NAME")
    for job in JOBS.values():
        _add_job(names.add_parser(job.name, help=_(job.title)), job)

    history = commands.add_parser("history", help=_("the newest runs"))
    history.add_argument("name", nargs="?", metavar="NAME", help=_("of this job only"))
    history.add_argument("--last", type=_count, default=20, metavar="N", help=_("how many"))
    history.add_argument("--json", action="store_true", help=_("one JSON object on standard output"))
    history.set_defaults(command=_history)

    cancelling = commands.add_parser("cancel", help=_("stop a run"))
    cancelling.add_argument("run", type=_run_id, metavar="RUN")
    cancelling.set_defaults(command=_cancel)

    loop = commands.add_parser("loop", help=_("worker and schedule loop, without the dashboard"))
    loop.set_defaults(command=_loop)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(_("“{text}” is not a number from 1 on").format(text=text))
    return int(text)


def _run_id(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**31:
        raise ValueError
    return number


def _add_job(parser: argparse.ArgumentParser, job: Job) -> None:
    """Options from the job's typed parameters."""
    for name, field in job.parameters.model_fields.items():
        option, told = "--" + name.replace("_", "-"), _(field.description or "")
        if field.annotation is bool:
            parser.add_argument(option, dest=name, action="store_true", default=None, help=told)
        else:
            parser.add_argument(option, dest=name, default=None, metavar=name.upper(), help=told)
        assert field.default is not PydanticUndefined, f"{job.name}: {name} needs a default"
    if "since" in job.parameters.model_fields:
        parser.add_argument("--week", metavar="WEEK", help=_("an ISO week, 2026-W46"))
    parser.add_argument("--json", action="store_true", help=_("one JSON object on standard output"))
    parser.set_defaults(command=_run, job=job)


def _list(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    rows = [
        {
            "name": job.name,
            "title": _(job.title),
            "when": job.rhythm,
            "last": _moment(job.last.finished_at if job.last else None, config),
            "status": job.last.status if job.last else "",
            "next": _moment(job.next_slot, config),
            "overdue": _moment(job.overdue_since, config),
        }
        for job in health(engine, config, utc_now()).jobs
    ]
    if call.json:
        print(json.dumps({"jobs": rows}, ensure_ascii=False))
        return 0
    for row in rows:
        last = f"{row['last']} {row['status']}" if row["last"] else _("never ran")
        line = _("{name}: {title}; {when}; last {last}; next {next}").format(
            **{**row, "last": last, "next": row["next"] or "–"}
        )
        print(line + (_("; OVERDUE since {since}").format(since=row["overdue"]) if row["overdue"] else ""))
    return 0


def _run(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    job: Job = call.job
    values = {name: getattr(call, name) for name in job.parameters.model_fields}
    values = {name: value for name, value in values.items() if value is not None}
    if getattr(call, "week", None):
        if {"day", "since", "until"} & values.keys():
            raise Refused(_("give a week, or days, not both"), status=2)
        monday = parse_week(call.week)
        values |= {"since": monday, "until": monday + timedelta(days=6)}
    asked = queue.request(engine, job, job.read(values), trigger="command line", by=_user(), now=utc_now())
    leaving = Leaving()
    try:
        row = _follow(engine, config, asked.id, leaving, quiet=call.json)
        leaving.end_unless(row.status in queue.FINISHED)
    except KeyboardInterrupt:
        if asked.fresh:  # what nobody waits for any more does not run behind their back
            with suppress(Refused):
                queue.cancel(engine, asked.id, utc_now())
        raise
    if call.json:
        print(json.dumps(_as_json(row), ensure_ascii=False))
    elif row.status == "succeeded":
        print(_("run {id}: {message}").format(id=row.id, message=row.message))
        _print_changes(row.result or {})
    else:
        print(
            _("run {id} {status}: {why}").format(id=row.id, status=row.status, why=row.error or row.message),
            file=sys.stderr,
        )
    return 0 if row.status == "succeeded" else 130 if row.status == "cancelled" else 1


class Leaving:
    """SIGINT and SIGTERM: the run ends at its next step, where nothing is half-done; a second one ends all at once."""

    def __init__(self) -> None:
        self.event, self._number = threading.Event(), 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.event.is_set():
            raise KeyboardInterrupt
        self._number = number
        self.event.set()

    def end_unless(self, finished: bool) -> None:
        """Ends the program as the signal wants it, the run being back in the queue."""
        if self.event.is_set() and not finished:
            raise KeyboardInterrupt if self._number == signal.SIGINT else SystemExit(TERMINATED)


def _follow(engine: Engine, config: settings.Settings, run_id: int, leaving: Leaving, quiet: bool) -> Any:
    """Runs it here unless a worker was faster; then waits for that one, and tells how far it is."""
    told = ""
    while True:
        row = queue.run_row(engine, run_id)
        if row.status in queue.FINISHED or leaving.event.is_set():
            return row
        claimed = claims.claim(engine, this_worker(), utc_now(), run_id)
        if claimed:
            execute(engine, claimed, config.zone, utc_now, leaving.event)
            continue
        if row.status == "queued":
            reap(engine, utc_now())
            waits = _("run {id} waits for another run of {job}").format(id=run_id, job=row.job)
            line = row.message if row.not_before else waits
        else:
            line = f"{row.progress:.0%} {row.message}"
        if line != told and not quiet:
            print(line, file=sys.stderr)
            told = line
        time.sleep(FOLLOW_SECONDS)


def _print_changes(result: dict[str, Any]) -> None:
    if result.get("more"):
        print(
            _("  the first {n} changes, of {all}:").format(
                n=len(result["changes"]), all=len(result["changes"]) + result["more"]
            )
        )
    for change in result.get("changes", []):
        at = " ".join(str(value) for name, value in change.items() if name not in ("change", "columns"))
        if change["change"] == "changed":
            moved = ", ".join(f"{name} {old} → {new}" for name, (old, new) in change["columns"].items())
            print(f"  ~ {at}: {moved}")
        else:
            print(f"  {'+' if change['change'] == 'added' else '-'} {at}")


def _history(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    newest = select(JobRun).order_by(JobRun.id.desc()).limit(call.last)
    if call.name:
        newest = newest.where(JobRun.job == job_named(call.name).name)
    with reading(engine) as connection:
        rows = connection.execute(newest).all()
    if call.json:
        print(json.dumps({"runs": [_as_json(row) for row in rows]}, ensure_ascii=False))
        return 0
    for row in rows:
        at = _moment(row.started_at or row.queued_at, config)
        print(
            f"{row.id:>6}  {at}  {row.job:<20} {row.status:<10} {row.trigger:<13} {row.error or row.message}"
        )
    return 0


def _cancel(engine: Engine, _config: settings.Settings, call: argparse.Namespace) -> int:
    print(queue.cancel(engine, call.run, utc_now()))
    return 0


def _loop(engine: Engine, config: settings.Settings, _call: argparse.Namespace) -> int:
    logging.basicConfig(
        level=config.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("schedule").setLevel(logging.WARNING)
    run_until_stopped(Loop(engine, config))
    return 0


def _as_json(row: Any) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row._mapping.items()
        if name not in ("log", "params_hash")
    }


def _moment(at: datetime | None, config: settings.Settings) -> str:
    return f"{at.astimezone(config.zone):%Y-%m-%d %H:%M}" if at else ""


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
