"""When each job runs. Every job stands here, one line each."""

from datetime import time

from db.errors import Refused
from jobs import (
    adjust_weights,
    aggregate_agents,
    aggregate_forecasts,
    aggregate_models,
    aggregate_quality,
    backtest_rules,
    check_swaps,
    judge_week,
    match_outcomes,
    predict,
    retrain,
    send_digest,
)
from jobs.job import Job
from jobs.slots import Entry, after_each, every_day, every_hour, every_week
from language import _
from settings import Settings

BACKTEST_AT = time(3, 0)


def timetable(settings: Settings) -> tuple[Entry, ...]:
    return (
        every_day(aggregate_models.JOB, at=settings.aggregate_at),
        every_day(aggregate_quality.JOB, at=settings.aggregate_quality_at),
        every_day(match_outcomes.JOB, at=settings.match_outcomes_at),
        every_day(predict.JOB, at=settings.predict_at),
        every_day(aggregate_forecasts.JOB, at=settings.aggregate_forecasts_at),
        every_hour(aggregate_agents.JOB, at=settings.aggregate_agents_at),
        every_day(check_swaps.JOB, at=settings.check_swaps_at),
        *FOLLOWERS,
        every_week(retrain.JOB, on="Sunday", at=settings.retrain_at),
        every_week(adjust_weights.JOB, on="Sunday", at=settings.adjust_weights_at),
        every_week(backtest_rules.JOB, on="Sunday", at=BACKTEST_AT),
        every_week(send_digest.JOB, on="Monday", at=settings.digest_at),
    )


FOLLOWERS = (
    after_each(
        (aggregate_models.JOB, aggregate_quality.JOB, aggregate_forecasts.JOB, aggregate_agents.JOB),
        judge_week.JOB,
    ),
)

JOBS: dict[str, Job] = {
    job.name: job
    for job in (
        aggregate_models.JOB,
        aggregate_quality.JOB,
        match_outcomes.JOB,
        predict.JOB,
        aggregate_forecasts.JOB,
        aggregate_agents.JOB,
        check_swaps.JOB,
        judge_week.JOB,
        retrain.JOB,
        adjust_weights.JOB,
        backtest_rules.JOB,
        send_digest.JOB,
    )
}


HOURLY = (aggregate_agents.JOB.name,)


def followers(name: str, changed: bool) -> list[Job]:
    """The jobs that run after each successful run of a job; of an hourly one only where it changed something."""
    if name in HOURLY and not changed:
        return []
    return [entry.job for entry in FOLLOWERS if name in (job.name for job in entry.after)]


def job_named(name: str) -> Job:
    """The job of that name; raises Refused."""
    if name not in JOBS:
        raise Refused(
            _("There is no job “{name}”; there are {names}").format(name=name, names=", ".join(JOBS)),
            status=2,
        )
    return JOBS[name]
