"""price_bars → predictions: what the model in use, Chronos and their ensemble say (docs/metrics.md)."""

from datetime import datetime

from pydantic import Field
from sqlalchemy import Engine

import settings
from db.clock import utc_now
from db.engine import default_engine
from db.schema import refuse_unready
from jobs.codes import CodeParameters
from jobs.job import Job, Outcome, Run
from language import N_


class PredictParameters(CodeParameters):
    horizon: int | None = Field(
        None, ge=1, le=366, description=N_("so many days ahead only; otherwise those of HORIZONS")
    )
    user_triggered: bool = Field(
        False, description=N_("somebody asks for it: also where it was predicted already")
    )


def predict(engine: Engine, params: PredictParameters, run: Run) -> Outcome:
    """Predicts each code once for each newest bar; raises Refused where somebody asked and nothing could be said."""
    from jobs.predicting import Wish, predicted  # and with it pandas, which no other command should wait for

    horizons = (params.horizon,) if params.horizon else settings.current().horizons
    return predicted(engine, Wish(params.codes, horizons, params.user_triggered, params.dry_run), run)


def predict_now(
    code: str, horizon: int, *, engine: Engine | None = None, now: datetime | None = None
) -> dict[str, int]:
    """Predicts for somebody who asks; returns the ids of the rows in `predictions`, by model: chronos, lgbm, ensemble.

    A member that says nothing is not among them. Raises Refused where none says anything, with the reasons. `engine`
    is that of `DATABASE_URL` by default.
    """
    from jobs.predicting import Asked, Wish, predicted

    engine, zone = engine or default_engine(), settings.current().zone
    refuse_unready(engine, zone)
    outcome = predicted(engine, Wish([code], (horizon,), user_triggered=True), Asked(now or utc_now(), zone))
    ids: dict[str, int] = outcome.result["predictions"][0]["ids"]
    return ids


JOB = Job("predict", N_("Predict prices"), predict, PredictParameters)
