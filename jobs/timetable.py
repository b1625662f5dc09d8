"""When each job runs. Every job stands here, one line each."""

from db.errors import Refused
from jobs import aggregate_models
from jobs.job import Job
from jobs.slots import Entry, every_day
from language import _
from settings import Settings


def timetable(settings: Settings) -> tuple[Entry, ...]:
    return (every_day(aggregate_models.JOB, at=settings.aggregate_at),)


JOBS: dict[str, Job] = {job.name: job for job in (aggregate_models.JOB,)}


def job_named(name: str) -> Job:
    """The job of that name; raises Refused."""
    if name not in JOBS:
        raise Refused(
            _("There is no job “{name}”; there are {names}").format(name=name, names=", ".join(JOBS)),
            status=2,
        )
    return JOBS[name]
