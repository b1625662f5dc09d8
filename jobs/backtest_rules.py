"""prediction_outcomes → weight_backtests (docs/metrics.md): what each rule would have come to, week by week."""

from datetime import timedelta

from pydantic import Field
from sqlalchemy import Engine

from jobs.job import Job, Outcome, Parameters, Run
from jobs.typed_day import TypedDay
from language import N_
from settings import current

HISTORY = timedelta(days=730)


class BacktestRulesParameters(Parameters):
    since: TypedDay | None = Field(
        None, description=N_("outcomes that became known from this day on; otherwise those of two years")
    )


def backtest_rules(engine: Engine, params: BacktestRulesParameters, run: Run) -> Outcome:
    """Walks through the outcomes of members; what earlier runs found is replaced."""
    from jobs.backtesting import walk  # pandas and scipy take half a second that no other command should wait

    return walk(engine, current(), params.since or run.today - HISTORY, params.dry_run, run)


JOB = Job("backtest_rules", N_("Backtest the weight rules"), backtest_rules, BacktestRulesParameters)
