"""python -m jobs: list, run NAME, history, cancel, pause, resume, loop."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import PydanticUndefined
from sqlalchemy import Engine, select

import settings
from db.clock import parse_week, utc_now
from db.engine import default_engine, reading, refuse_unreachable
from db.errors import Refused
from db.exits import exit_status
from db.schema import refuse_unready
from db.tables.operations import JobRun
from jobs import logs, pausing, queue
from jobs.following import Leaving, follow, follow_on
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


def _run(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    job: Job = call.job
    values = {name: getattr(call, name) for name in job.parameters.model_fields}
    values = {name: value for name, value in values.items() if value is not None}
    if "week" not in values and getattr(call, "week", None):
        if {"day", "since", "until"} & values.keys():
            raise Refused(_("give a week, or days, not both"), status=2)
        monday = parse_week(call.week)
        values |= {"since": monday, "until": monday + timedelta(days=6)}
    asked = queue.request(engine, job, job.read(values), trigger="command line", by=_user(), now=utc_now())
    try:
        return _run_to_the_end(engine, config, asked.id, call.json)
    except KeyboardInterrupt:
        if asked.fresh:  # what nobody waits for any more does not run behind their back
            with suppress(Refused):
                queue.cancel(engine, asked.id, utc_now())
        _tell_left(engine, asked.id)
        raise
    except SystemExit:
        _tell_left(engine, asked.id)
        raise


def _tell_left(engine: Engine, run_id: int) -> None:
    """What became of a run that nobody waits for any more."""
    status = queue.run_row(engine, run_id).status
    told = {
        "cancelled": _("Run {id} is cancelled; what it finished stays."),
        "queued": _("Run {id} is back in the queue; the next worker takes it up."),
        "running": _("Run {id} goes on in its worker. To stop it: python -m jobs cancel {id}"),
    }.get(status, _("Run {id} has ended already ({status}); what follows from it is left to a worker."))
    print(told.format(id=run_id, status=status), file=sys.stderr)


def _run_to_the_end(engine: Engine, config: settings.Settings, run_id: int, as_json: bool) -> int:
    """Waits for the run and tells how it ended, then for the runs that follow from it; returns the exit status."""
    leaving, tell = Leaving(), _tell_nothing if as_json else _tell_progress
    row = follow(engine, config.zone, run_id, leaving, tell)
    if as_json:
        print(json.dumps(_as_json(row), ensure_ascii=False))
    else:
        _tell(row)
    if row.status != "succeeded":
        return 130 if row.status == "cancelled" else 1
    status = 0
    for after in follow_on(engine, config.zone, row, leaving, tell):
        if after.status == "failed" or not as_json:
            _tell(after)
        status = status or int(after.status == "failed")
    return status


def _tell_progress(line: str) -> None:
    print(line, file=sys.stderr)


def _tell_nothing(_line: str) -> None:
    pass


def _tell(row: Any) -> None:
    if row.status == "succeeded":
        print(_("run {id}: {message}").format(id=row.id, message=row.message))
        _print_changes(row.result or {})
        return
    told = _("run {id} {status}: {why}")
    print(told.format(id=row.id, status=row.status, why=row.error or row.message), file=sys.stderr)


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
