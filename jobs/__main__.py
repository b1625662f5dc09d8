"""python -m jobs: list, run NAME, undo NAME, history, cancel, pause, resume, loop."""

import gc

if __name__ == "__main__":
    gc.disable()  # nothing of what is imported is garbage: to look for some takes a fifth of the start

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime

from pydantic_core import PydanticUndefined
from sqlalchemy import Engine, select

import settings
from db.clock import utc_now
from db.engine import default_engine, reading, refuse_unreachable
from db.exits import exit_status
from db.schema import refuse_unready
from db.tables.operations import JobRun
from jobs import logs, pausing, queue, running
from jobs.health import health
from jobs.job import Job
from jobs.timetable import JOBS, job_named
from language import _, speaking


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
    parser = argparse.ArgumentParser(prog="python -m jobs", description=_(__doc__ or ""))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help=_("name, title, when it runs, last run, next run"))
    listing.add_argument("--json", action="store_true", help=_("one JSON object on standard output"))
    listing.set_defaults(command=_list)

    run = commands.add_parser("run", help=_("run a job now, here or in the worker that takes it first"))
    names = run.add_subparsers(required=True, metavar="NAME")
    for job in JOBS.values():
        _add_job(names.add_parser(job.name, help=_(job.title)), job)

    undoing = commands.add_parser("undo", help=_("take a run of a job back"))
    undoing.add_argument("name", choices=[job.name for job in JOBS.values() if job.undoable], metavar="NAME")
    undoing.add_argument(
        "run", nargs="?", type=_run_id, metavar="RUN", help=_("otherwise the newest that can be")
    )
    undoing.add_argument("--dry-run", action="store_true", help=_("show what would change, write nothing"))
    undoing.add_argument("--json", action="store_true", help=_("one JSON object on standard output"))
    undoing.set_defaults(command=running.undo)

    history = commands.add_parser("history", help=_("the newest runs"))
    history.add_argument("name", nargs="?", metavar="NAME", help=_("of this job only"))
    history.add_argument("--last", type=_count, default=20, metavar="N", help=_("how many"))
    history.add_argument("--json", action="store_true", help=_("one JSON object on standard output"))
    history.set_defaults(command=_history)

    cancelling = commands.add_parser("cancel", help=_("stop a run"))
    cancelling.add_argument("run", type=_run_id, metavar="RUN")
    cancelling.set_defaults(command=_cancel)

    for name, command, told in (
        ("pause", _pause, _("the schedule starts no run of a job until it is resumed")),
        ("resume", _resume, _("the schedule runs a paused job again")),
    ):
        switch = commands.add_parser(name, help=told)
        switch.add_argument("name", metavar="NAME")
        switch.set_defaults(command=command)

    loop = commands.add_parser("loop", help=_("worker and schedule loop, without the dashboard"))
    loop.set_defaults(command=_loop)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(_("“{text}” is not a number from 1 on").format(text=text))
    return int(text)


def _run_id(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        told = _("“{text}” is not the number of a run; python -m jobs history shows them")
        raise argparse.ArgumentTypeError(told.format(text=text))
    return int(text)


def _add_job(parser: argparse.ArgumentParser, job: Job) -> None:
    """Options from the job's typed parameters."""
    for name, field in job.parameters.model_fields.items():
        option, told = "--" + name.replace("_", "-"), _(field.description or "")
        if field.annotation is bool:
            parser.add_argument(option, dest=name, action="store_true", default=None, help=told)
        else:
            parser.add_argument(option, dest=name, default=None, metavar=name.upper(), help=told)
        assert field.default is not PydanticUndefined, f"{job.name}: {name} needs a default"
    if "until" in job.parameters.model_fields:
        parser.add_argument("--week", metavar="WEEK", help=_("an ISO week, 2026-W46"))
    parser.add_argument("--json", action="store_true", help=_("one JSON object on standard output"))
    parser.set_defaults(command=running.run, job=job)


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
            "paused": _moment(job.paused_since, config),
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
        if row["paused"]:
            line += _("; PAUSED since {since}").format(since=row["paused"])
        print(line + (_("; OVERDUE since {since}").format(since=row["overdue"]) if row["overdue"] else ""))
    return 0


def _history(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    newest = select(JobRun).order_by(JobRun.id.desc()).limit(call.last)
    if call.name:
        newest = newest.where(JobRun.job == job_named(call.name).name)
    with reading(engine) as connection:
        rows = connection.execute(newest).all()
    if call.json:
        print(json.dumps({"runs": [running.as_json(row) for row in rows]}, ensure_ascii=False))
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


def _pause(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    print(pausing.pause(engine, config, call.name, utc_now()))
    return 0


def _resume(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    print(pausing.resume(engine, config, call.name, utc_now()))
    return 0


def _loop(engine: Engine, config: settings.Settings, _call: argparse.Namespace) -> int:
    from jobs.loop import Loop, run_until_stopped  # and with it Slack, which no other command needs

    logs.set_up(config)
    run_until_stopped(Loop(engine, config))
    return 0


def _moment(at: datetime | None, config: settings.Settings) -> str:
    return f"{at.astimezone(config.zone):%Y-%m-%d %H:%M}" if at else ""


if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    sys.exit(main())
