"""Which models a page shows: all, those with data best first, and those in colour."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.data import ask, models
from dashboard.pickers import HIGHLIGHTS
from db.metrics import METRICS, Metric

SCORE = METRICS["final_score"]
OF_EVERYTHING = ("coverage",)  # has a value wherever there are predictions at all


@dataclass(frozen=True)
class Lineup:
    """All models, oldest first; those with data in the period, best first; and those in colour."""

    names: list[str]
    ranked: list[str]
    highlighted: list[str]


def headline(days: dict[str, Any]) -> Metric:
    """What models are ranked by: the score, or where nothing has one the first metric that has data."""
    known = [name for name in ask(models.metrics_with_data, **days) if name not in OF_EVERYTHING]
    return METRICS[known[0]] if known else SCORE


def ranked(days: dict[str, Any]) -> list[str]:
    """Models with data in the period: by the headline, best first; those with few or no values come after."""
    best = _best_first(headline(days), days)["subject"].tolist()
    known = set(best)
    return best + [name for name in ask(models.coverage, **days)["subject"] if name not in known]


def noteworthy(metric: Metric, days: dict[str, Any]) -> list[str]:
    """The models that a page highlights by itself: the two best and the last one with enough values."""
    totals = _best_first(metric, days)
    enough = totals[totals["n"] >= metric.enough]
    found: list[str] = (enough if len(enough) else totals)["subject"].tolist()
    return found if len(found) < HIGHLIGHTS else [*found[:2], found[-1]]


def _best_first(metric: Metric, days: dict[str, Any]) -> pd.DataFrame:
    totals = ask(models.totals, metric=metric.name, **days)
    ascending = [False, metric.better == "down"]
    return totals.assign(enough=totals["n"] >= metric.enough).sort_values(
        ["enough", "value"], ascending=ascending, kind="stable"
    )
