"""Runs that are asked for at a terminal: run NAME and undo NAME, followed to their end."""

import argparse
import json
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

import settings
from db.clock import parse_week, utc_now
from db.engine import reading
from db.errors import Refused
from jobs import queue
from jobs.following import Leaving, follow, follow_on
from jobs.job import Job, Parameters
from jobs.timetable import job_named
from language import _

NO_KEY = {"change", "columns", "reason"}  # what a change says besides which row it is of
ORDER = (
    *("date", "word", "subject", "metric", "week_start", "code", "evaluator", "model", "horizon"),
    *("channel", "topic", "predicted_at", "target_date"),
)


def run(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    job: Job = call.job
    values = {name: getattr(call, name) for name in job.parameters.model_fields}
    values = {name: value for name, value in values.items() if value is not None}
    if "week" not in values and getattr(call, "week", None):
        if {"day", "since", "until"} & values.keys():
            raise Refused(_("give a week, or days, not both"), status=2)
        monday = parse_week(call.week)
        values |= {"since": monday, "until": monday + timedelta(days=6)}
    return _ask(engine, config, job, job.read(values), call.json)


def undo(engine: Engine, config: settings.Settings, call: argparse.Namespace) -> int:
    """Takes a run of a job back, the newest that can be where none is named."""
    job, taken_back = job_named(call.name), call.run
    if taken_back is None and job.undoable:
        with reading(engine) as connection:
            taken_back = job.undoable(connection)
        if taken_back is None:
            raise Refused(_("There is no run of {job} that could be undone").format(job=job.name))
    params = job.read({"undo": taken_back, "dry_run": call.dry_run})
    return _ask(engine, config, job, params, call.json)


def _ask(engine: Engine, config: settings.Settings, job: Job, params: Parameters, quiet: bool) -> int:
    asked = queue.request(engine, job, params, trigger="command line", by=_user(), now=utc_now())
    try:
        return _run_to_the_end(engine, config, asked.id, quiet)
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


def _run_to_the_end(engine: Engine, config: settings.Settings, run_id: int, quiet: bool) -> int:
    """Waits for the run and tells how it ended, then for the runs that follow from it; returns the exit status."""
    leaving, tell = Leaving(), _tell_nothing if quiet else _tell_progress
    row = follow(engine, config.zone, run_id, leaving, tell)
    if quiet:
        print(json.dumps(as_json(row), ensure_ascii=False))
    else:
        _tell(row)
    if row.status != "succeeded":
        return 130 if row.status == "cancelled" else 1
    status = 0
    for after in follow_on(engine, config.zone, row, leaving, tell):
        if after.status == "failed" or not quiet:
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
        at = " ".join(str(change[name]) for name in sorted(change.keys() - NO_KEY, key=_place))
        why = f" ({change['reason']})" if "reason" in change else ""
        if change["change"] == "changed":
            moved = ", ".join(f"{name} {old} → {new}" for name, (old, new) in change["columns"].items())
            print(f"  ~ {at}: {moved}{why}")
        else:
            print(f"  {'+' if change['change'] == 'added' else '-'} {at}{why}")


def _place(name: str) -> tuple[int, str]:
    """The order in which a key is told; PostgreSQL keeps none in its JSON."""
    return ORDER.index(name) if name in ORDER else len(ORDER), name


def as_json(row: Any) -> dict[str, Any]:
    """A run as programs read it."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row._mapping.items()
        if name not in ("log", "params_hash")
    }


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
