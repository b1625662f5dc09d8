"""price_bars → trained models and training_runs (docs/metrics.md): a new model has to earn its place."""

from sqlalchemy import Engine

from jobs.codes import CodeParameters
from jobs.job import Job, Outcome, Run
from language import N_


def retrain(engine: Engine, params: CodeParameters, run: Run) -> Outcome:
    """Trains each code and horizon, one short transaction a code; raises Refused where not one could be trained."""
    from jobs.retraining import (
        rehearsed,
        trained,
    )  # and with it pandas, which no other command should wait for

    return rehearsed(engine, params.codes) if params.dry_run else trained(engine, params.codes, run)


JOB = Job("retrain", N_("Retrain models"), retrain, CodeParameters)
