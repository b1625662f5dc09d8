"""The demo is removed while a job works on what it has read: nothing of it comes back."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select
from test_aggregate_models import Here

import settings
from db.clock import business_day
from db.demo.holding import FROM_CODES, remove_demo
from db.demo.simulation import fill_demo
from db.engine import writing
from db.tables.forecasts import WeightBacktest
from jobs.adjusting import adjust
from jobs.backtest_rules import HISTORY
from jobs.backtesting import walk
from jobs.job import Passing


def removed_at(engine: Engine, message: str) -> Callable[[Here], None]:
    """At the step that says so."""

    def do(run: Here) -> None:
        if message in run.told[-1][1]:
            with writing(engine) as connection:
                assert remove_demo(connection)

    return do


def test_neither_weights_nor_backtests_of_codes_that_are_gone(
    engine: Engine, zone: ZoneInfo, now: datetime
) -> None:
    today = business_day(now, zone)
    for message in ("writing the weights", "weeks of rules"):
        fill_demo(engine, zone, now)
        run, remove = Here(now, id=1_000_000), removed_at(engine, message)
        run.at_step = lambda _step, run=run, remove=remove: remove(run)  # type: ignore[misc]
        with pytest.raises(Passing):
            if message == "writing the weights":
                adjust(engine, settings.load(), today, False, run)
            else:
                walk(engine, settings.load(), today - HISTORY, False, run)
        with engine.connect() as connection:
            for table in (*FROM_CODES, WeightBacktest):
                assert connection.scalar(select(func.count()).select_from(table)) == 0
