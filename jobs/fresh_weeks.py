"""Brings two weeks up to date before they are told: their stale days, then the verdicts."""

import time
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, select

from db.clock import Now
from db.engine import reading
from db.tables.agents import ModelEvolution, TradeRecord
from db.tables.forecasts import PredictionOutcome
from db.tables.models import ModelEvaluation
from db.tables.operations import StaleMark
from db.tables.quality import ConversationEvaluation, FeedbackLog
from db.tables.usage import LlmUsage
from jobs import claims, queue
from jobs.job import Job, Run
from jobs.lost import reap
from jobs.paused import paused_since
from jobs.workers import this_worker
from language import _

PATIENCE = timedelta(minutes=30)  # with a run of the same job that somebody else has
LOOK_SECONDS = 0.5
SOURCES = {
    "aggregate_models": (ModelEvaluation.__tablename__,),
    "aggregate_quality": (ConversationEvaluation.__tablename__, FeedbackLog.__tablename__),
    "aggregate_forecasts": (PredictionOutcome.__tablename__,),
    "aggregate_agents": (TradeRecord.__tablename__, LlmUsage.__tablename__, ModelEvolution.__tablename__),
}


def bring_up_to_date(engine: Engine, run: Run, week: date, clock: Now) -> None:
    """Runs each aggregation for what is stale in the week and the one before it, and judge_week; each is a run of its
    own in job_runs. One that fails, or is paused, is left to whoever tells what needs a person."""
    from jobs.timetable import job_named  # which knows the job that calls this

    first, last = week - timedelta(weeks=1), min(week + timedelta(days=6), run.today)
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("aggregate_models", {"since": first, "until": last, "only": "stale"}),
        ("aggregate_quality", {}),
        ("match_outcomes", {}),
        ("aggregate_forecasts", {}),
        ("aggregate_agents", {}),
        ("judge_week", {}),
    )
    for done, (name, values) in enumerate(asked):
        job = job_named(name)
        at = 0.6 * done / len(asked)
        run.progress(at, _(job.title))
        status = _run(engine, run, job, values, at, clock)
        run.log(f"{name}: {status}")


def days_behind(engine: Engine, week: date) -> dict[str, list[date]]:
    """By aggregation the days of the week and the one before it whose rows changed since it read them, in order."""
    first, last = week - timedelta(weeks=1), week + timedelta(days=6)
    found = {}
    with reading(engine) as connection:
        for job, sources in SOURCES.items():
            marked = StaleMark.table_name.in_(sources) & StaleMark.day.between(first, last)
            found[job] = sorted(connection.scalars(select(StaleMark.day).where(marked).distinct()))
    return found


def _run(engine: Engine, run: Run, job: Job, values: dict[str, Any], at: float, clock: Now) -> str:
    """Runs it here, or waits for whoever took it, also for another try; returns how it ended.

    A run that is under way already may have read before the last rows came: it is waited for, not joined.
    """
    from jobs.runner import execute  # which knows the timetable, and that this job's

    with reading(engine) as connection:
        if paused_since(connection, job.name):
            return "paused"
    params = job.read(values)
    asked = queue.request(engine, job, params, trigger="schedule", by="send_digest", now=run.now)
    begun = clock()
    while True:
        claimed = claims.claim(engine, this_worker(), clock(), asked.id)
        if claimed:
            execute(engine, claimed, run.zone, clock)
        status: str = queue.run_row(engine, asked.id).status
        if status in queue.FINISHED or clock() - begun > PATIENCE:
            return status
        run.progress(at, _("waiting for {job}").format(job=job.name))
        reap(engine, clock())  # whoever had it may be gone
        time.sleep(LOOK_SECONDS)


def clock_of(run: Run) -> Now:
    """The clock of a run that begins, which goes on while it works."""
    begun = time.monotonic()
    return lambda: run.now + timedelta(seconds=time.monotonic() - begun)
