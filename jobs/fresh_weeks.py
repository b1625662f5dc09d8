"""Brings two weeks up to date before they are told: their stale days, then the verdicts."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from jobs import claims, queue
from jobs.job import Job, Run
from jobs.lost import reap
from jobs.workers import this_worker
from language import _

PATIENCE = timedelta(minutes=30)  # with a run of the same job that somebody else has
LOOK_SECONDS = 0.5


def bring_up_to_date(engine: Engine, run: Run, week: date) -> None:
    """Runs each aggregation for what is stale in the week and the one before it, and judge_week; each is a run of its
    own in job_runs. One that fails is left to whoever tells what needs a person."""
    from jobs.timetable import job_named  # which knows the job that calls this

    first, last = week - timedelta(weeks=1), min(week + timedelta(days=6), run.today)
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("aggregate_models", {"since": first, "until": last, "only": "stale"}),
        ("aggregate_quality", {}),
        ("judge_week", {}),
    )
    for done, (name, values) in enumerate(asked):
        job = job_named(name)
        run.progress(0.2 * done, _(job.title))
        status = _run(engine, run, job, values)
        run.log(f"{name}: {status}")


def _run(engine: Engine, run: Run, job: Job, values: dict[str, Any]) -> str:
    """Runs it here, or waits for whoever took it; returns how it ended."""
    from jobs.runner import execute  # which knows the timetable, and that this job's

    clock = _clock(run)
    asked = queue.request(
        engine, job, job.read(values), trigger="schedule", by="send_digest", now=run.now, join_running=True
    )
    begun = clock()
    while True:
        claimed = claims.claim(engine, this_worker(), clock(), asked.id)
        if claimed:
            return execute(engine, claimed, run.zone, clock)
        status: str = queue.run_row(engine, asked.id).status
        if status in queue.FINISHED or clock() - begun > PATIENCE:
            return status
        run.progress(0, _("waiting for {job}").format(job=job.name))
        reap(engine, clock())  # whoever had it may be gone
        time.sleep(LOOK_SECONDS)


def _clock(run: Run) -> Callable[[], datetime]:
    """The run's own clock, which goes on."""
    begun = time.monotonic()
    return lambda: run.now + timedelta(seconds=time.monotonic() - begun)
