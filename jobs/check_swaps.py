"""Validates swaps of agents' models when their time has come, and rolls back what made things worse."""

from sqlalchemy import Engine

from jobs.job import Job, Outcome, Parameters, Run
from language import N_


def check_swaps(engine: Engine, params: Parameters, run: Run) -> Outcome:
    """Gives each swap whose validation period is over its status; one transaction a swap."""
    from jobs.swap_checking import check  # and with it numpy, which no other command should wait for

    return check(engine, params, run)


JOB = Job("check_swaps", N_("Check swaps"), check_swaps)
