"""What pages list: models by score, the comparison of all models, the rows behind a point."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.data import ask, models
from dashboard.filters import HIGHLIGHTS, Period
from dashboard.wording import plain, span
from db.metrics import Metric
from language import _
from settings import current

ROWS_SHOWN = 500
ENOUGH = 10  # scores that a model needs to be called best or worst


def by_score(days: dict[str, Any]) -> list[str]:
    """Models with data in the period: by score, best first; those with few or no scores come after."""
    scored: list[str] = _scored(days)["subject"].tolist()
    return scored + [name for name in ask(models.coverage, **days)["subject"] if name not in set(scored)]


def noteworthy(days: dict[str, Any]) -> list[str]:
    """The models that a page highlights by itself: the two best and the last one with enough scores."""
    totals = _scored(days)
    enough = totals[totals["n"] >= ENOUGH]
    scored: list[str] = (enough if len(enough) else totals)["subject"].tolist()
    return scored if len(scored) < HIGHLIGHTS else [*scored[:2], scored[-1]]


def _scored(days: dict[str, Any]) -> pd.DataFrame:
    totals = ask(models.totals, metric="final_score", **days)
    return totals.assign(enough=totals["n"] >= ENOUGH).sort_values(["enough", "value"], ascending=False)


def comparison(period: Period, today: date) -> pd.DataFrame:
    """One row a model: score with interval and n, its weeks, rates, human score, coverage."""
    days = {"since": period.first, "until": period.last}
    table = ask(models.coverage, **days).set_index("subject")
    score = ask(models.totals, metric="final_score", **days).set_index("subject")
    weeks = ask(models.trend, metric="final_score", grain="week", today=today, **days)
    table["score"], table["n"] = score["value"], score["n"]
    table["interval"] = [
        f"{low:.1f} … {high:.1f}" if low == low else None for low, high in _bounds(score, table.index)
    ]
    mondays = models.periods(period.first, period.last, "week")
    grid = weeks.pivot_table(index="subject", columns="period", values="value").reindex(columns=mondays)
    table["line"] = [None if name not in grid.index else grid.loc[name].tolist() for name in table.index]
    for column, metric in (
        ("achieved", "target_achieved_rate"),
        ("breach", "support_breach_rate"),
        ("human", "human_score"),
    ):
        table[column] = ask(models.totals, metric=metric, **days).set_index("subject")["value"]
    table["evaluated"] = 100 * table["part"] / table["whole"]
    table["enough"] = table["n"] >= ENOUGH
    table = table.sort_values(["enough", "score"], ascending=False, na_position="last").reset_index(
        names="model"
    )
    return table[
        ["model", "score", "interval", "n", "line", "achieved", "breach", "human", "evaluated", "newest"]
    ]


def _bounds(score: pd.DataFrame, names: pd.Index) -> Any:
    bounds = score[["low", "high"]].reindex(names)
    return zip(bounds["low"], bounds["high"], strict=True)


def rows_behind(model: str, start: date, period: Period, metric: Metric) -> None:
    """The evaluations behind a point of the trend, with CSV at the table's own button."""
    last = start + timedelta(days=6) if period.grain == "week" else start
    first, last = max(start, period.first), min(last, period.last)
    if first > last:  # a point of another period, clicked before
        return
    rows = ask(models.evaluations, model=model, metric=metric.name, since=first, until=last, limit=ROWS_SHOWN)
    with st.container(border=True):
        st.markdown(
            f"**{_('Evaluations of {model}').format(model=plain(model))}** :small[{span(first, last)}]"
        )
        for column in ("predicted_at", "evaluated_at", "human_evaluated_at"):
            local = pd.to_datetime(rows[column], utc=True).dt.tz_convert(current().zone)
            rows[column] = local.dt.tz_localize(None)
        st.dataframe(rows, hide_index=True, placeholder="–", height=280)
        if len(rows) == ROWS_SHOWN:
            st.caption(_("The worst {n}; all of them: python -m db export").format(n=ROWS_SHOWN))
