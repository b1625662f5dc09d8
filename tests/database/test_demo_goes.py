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


@pytest.mark.parametrize("message", ["writing the weights", "weeks of rules"])
def test_neither_weights_nor_backtests_of_codes_that_are_gone(
    demo: Engine, zone: ZoneInfo, now: datetime, message: str
) -> None:
    today = business_day(now, zone)
    run, remove = Here(now, id=1_000_000), removed_at(demo, message)
    run.at_step = lambda _step: remove(run)
    with pytest.raises(Passing):
        if message == "writing the weights":
            adjust(demo, settings.load(), today, False, run)
        else:
            walk(demo, settings.load(), today - HISTORY, False, run)
    with demo.connect() as connection:
        for table in (*FROM_CODES, WeightBacktest):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
