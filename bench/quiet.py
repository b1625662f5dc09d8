"""The aggregation without a runner around it."""

from typing import Any

from sqlalchemy import Engine

from bench.databases import NOW, ZONE
from jobs.aggregate_models import aggregate_models
from jobs.model_days import AggregateModelsParameters


class Quiet:
    """A run that nobody watches."""

    id = None
    now, zone, today = NOW, ZONE, NOW.date()

    def progress(self, done: float, message: str) -> None: ...

    def log(self, line: str) -> None: ...


def run_job(engine: Engine, **params: Any) -> None:
    aggregate_models(engine, AggregateModelsParameters(**params), Quiet())
