"""Which models a page shows: all, those with data best first, and those in colour."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.data import ask, models
from dashboard.filters import HIGHLIGHTS
from db.metrics import METRICS

SCORE = METRICS["final_score"]


@dataclass(frozen=True)
class Lineup:
    """All models, oldest first; those with data in the period, best first; and those in colour."""

    names: list[str]
    ranked: list[str]
    highlighted: list[str]


def by_score(days: dict[str, Any]) -> list[str]:
    """Models with data in the period: by score, best first; those with few or no scores come after."""
    scored: list[str] = _scored(days)["subject"].tolist()
    return scored + [name for name in ask(models.coverage, **days)["subject"] if name not in set(scored)]


def noteworthy(days: dict[str, Any]) -> list[str]:
    """The models that a page highlights by itself: the two best and the last one with enough scores."""
    totals = _scored(days)
    enough = totals[totals["n"] >= SCORE.enough]
    scored: list[str] = (enough if len(enough) else totals)["subject"].tolist()
    return scored if len(scored) < HIGHLIGHTS else [*scored[:2], scored[-1]]


def _scored(days: dict[str, Any]) -> pd.DataFrame:
    totals = ask(models.totals, metric=SCORE.name, **days)
    return totals.assign(enough=totals["n"] >= SCORE.enough).sort_values(["enough", "value"], ascending=False)
