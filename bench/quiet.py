"""The jobs without a runner around them."""

from typing import Any

from sqlalchemy import Engine

from bench.databases import NOW, ZONE
from jobs.aggregate_agents import aggregate_agents
from jobs.aggregate_forecasts import aggregate_forecasts
from jobs.aggregate_models import aggregate_models
from jobs.aggregate_quality import aggregate_quality
from jobs.job import DayParameters
from jobs.judge_week import JudgeWeekParameters, judge_week
from jobs.model_days import AggregateModelsParameters


class Quiet:
    """A run that nobody watches."""

    id = None
    now, zone, today = NOW, ZONE, NOW.date()

    def progress(self, done: float, message: str) -> None: ...

    def log(self, line: str) -> None: ...


class Counted(Quiet):
    """A run with a number, as the ledger of weights needs one."""

    def __init__(self, number: int) -> None:
        self.id = number  # type: ignore[assignment]


def run_job(engine: Engine, **params: Any) -> None:
    aggregate_models(engine, AggregateModelsParameters(**params), Quiet())


def run_quality(engine: Engine, **params: Any) -> None:
    aggregate_quality(engine, DayParameters(**params), Quiet())


def run_forecasts(engine: Engine, **params: Any) -> None:
    aggregate_forecasts(engine, DayParameters(**params), Quiet())


def run_agents(engine: Engine, **params: Any) -> None:
    aggregate_agents(engine, DayParameters(**params), Quiet())


def run_judge(engine: Engine) -> None:
    judge_week(engine, JudgeWeekParameters(), Quiet())
