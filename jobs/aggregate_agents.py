"""Trades, calls of models and swaps → the figures of agents and of their calls (docs/metrics.md)."""

from sqlalchemy import Engine

from jobs.job import DayParameters, Job, Outcome, Run
from language import N_


def aggregate_agents(engine: Engine, params: DayParameters, run: Run) -> Outcome:
    """Computes the asked days, or all that is stale."""
    from jobs.agent_figures import aggregate  # and with it numpy, which no other command should wait for

    return aggregate(engine, params, run)


JOB = Job("aggregate_agents", N_("Aggregate agents"), aggregate_agents, DayParameters)
