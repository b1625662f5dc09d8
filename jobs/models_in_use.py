"""Which trained model is in use for a code and horizon: that of the newest training run that was promoted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from db.tables.forecasts import TrainingRun
from jobs import artifacts
from jobs.artifacts import Unusable
from jobs.formulas.boosting import Trees
from language import _, ngettext

LGBM = "lgbm"
PROMOTED, KEPT, FAILED = "promoted", "kept", "failed"

t = TrainingRun


@dataclass(frozen=True)
class Promoted:
    """A model that was put to use: when it was trained, and its file in MODELS_DIR."""

    trained_at: datetime
    artifact: str

    def trees(self, folder: Path, now: datetime, max_age_days: int) -> Trees:
        """The model; raises artifacts.Unusable where it is too old, or its file is missing or damaged."""
        if now - self.trained_at > timedelta(days=max_age_days):
            age = ngettext("{n} day", "{n} days", (now - self.trained_at).days)
            raise Unusable(
                _("the model is {age} old; MODEL_MAX_AGE_DAYS is {n}").format(age=age, n=max_age_days)
            )
        return artifacts.read(folder, self.artifact)


def promoted(connection: Connection, code: str) -> dict[int, list[Promoted]]:
    """The models of each horizon that were promoted for a code, the newest (which is in use) first."""
    rows = select(t.horizon, t.trained_at, t.artifact).where(
        t.code == code, t.model == LGBM, t.status == PROMOTED
    )
    found: dict[int, list[Promoted]] = {}
    for horizon, at, artifact in connection.execute(rows.order_by(t.trained_at.desc())):
        found.setdefault(horizon, []).append(Promoted(at, artifact))
    return found


def any_promoted(connection: Connection) -> bool:
    """Whether a model was promoted for any code at all."""
    some = select(t.code).where(t.model == LGBM, t.status == PROMOTED).limit(1)
    return connection.scalar(some) is not None
