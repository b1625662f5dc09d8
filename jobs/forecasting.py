"""What each member says of a code's next bars, or why it says nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from db.tables.forecasts import LARGEST
from jobs import chronos
from jobs.artifacts import Unusable
from jobs.formulas.blending import bars_ahead
from jobs.formulas.boosting import moves
from jobs.formulas.features import Bars, Floats, features
from jobs.models_in_use import Promoted
from jobs.training import refuse_without_lightgbm
from language import _
from settings import Settings

CHRONOS, LGBM, ENSEMBLE = "chronos", "lgbm", "ensemble"
MEMBERS = (CHRONOS, LGBM)


@dataclass(frozen=True)
class Wanted:
    """A code whose bars are fresh, the horizons to predict, and what its models and weights are."""

    code: str
    bars: Bars
    horizons: tuple[int, ...]
    models: dict[int, list[Promoted]]
    weights: dict[int, dict[str, float]]

    @property
    def newest(self) -> date:
        return date.fromordinal(int(self.bars.day[-1]))

    @property
    def base(self) -> float:
        return float(self.bars.close[-1])


class Said(NamedTuple):
    """A predicted close, or why there is none."""

    value: float | None
    why: str = ""


def by_trees(wanted: Wanted, settings: Settings, now: datetime) -> dict[int, Said]:
    """What the model in use says, by horizon. Raises Refused where LightGBM cannot be loaded."""
    return {horizon: _by_trees(wanted, horizon, settings, now) for horizon in wanted.horizons}


def _by_trees(wanted: Wanted, horizon: int, settings: Settings, now: datetime) -> Said:
    models = wanted.models.get(horizon)
    if not models:
        return Said(None, _("no model is in use"))
    if wanted.base <= 0:
        return Said(None, _("the newest price is not above zero"))
    try:
        trees = models[0].trees(settings.models_dir, now, settings.model_max_age_days)
    except Unusable as why:
        return Said(None, str(why))
    refuse_without_lightgbm()
    said = float(moves(trees, features(wanted.bars).tail(1))[0])
    return _possible(wanted.base * math.exp(said))


def by_chronos(some: Sequence[Wanted], settings: Settings) -> list[dict[int, Said]]:
    """What Chronos says of each code, by horizon."""
    said = [dict.fromkeys(one.horizons, Said(None, _("too few prices"))) for one in some]
    try:
        chronos.refuse_unavailable(settings.chronos_model)
        for n, closes in _closes(some, settings.chronos_model).items():
            day = some[n].bars.day
            said[n] = {
                horizon: _possible(float(closes[bars_ahead(day, horizon) - 1]))
                for horizon in some[n].horizons
            }
    except chronos.Unavailable as why:
        return [dict.fromkeys(one.horizons, Said(None, str(why))) for one in some]
    return said


def _closes(some: Sequence[Wanted], model: str | None) -> dict[int, Floats]:
    """The closes ahead of the codes that have enough of them, by their place."""
    places = [n for n, one in enumerate(some) if len(one.bars) >= chronos.LEAST]
    if not places:
        return {}
    most = max(bars_ahead(some[n].bars.day, horizon) for n in places for horizon in some[n].horizons)
    histories = [some[n].bars.close[-chronos.CONTEXT :] for n in places]
    return dict(zip(places, chronos.closes_ahead(model, histories, most), strict=True))


def _possible(value: float) -> Said:
    """A value that the table takes."""
    if math.isfinite(value) and abs(value) <= LARGEST:
        return Said(value)
    return Said(None, _("what it says is no price"))
