"""Charts with a row for each model: rates over the period, and how much is evaluated."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import beside, columns
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import ask, models
from dashboard.drawing import draw
from dashboard.lineup import Lineup
from dashboard.period import Period
from dashboard.trends import bounds, how_many, look_of
from db.metrics import METRICS, Metric
from language import N_, _
from reports.charts.coverage import coverage as coverage_chart
from reports.charts.rates import rates as rates_chart
from reports.wording import span

BARS = 24


def rates(metric: Metric, period: Period, lineup: Lineup) -> None:
    """A metric per model over the period, with interval, n and the period before as a tick."""
    rows, has_before = _rates(metric, period, lineup)
    st.markdown(f"**{_(metric.label)}**", help=_(metric.definition))
    if rows.empty:
        st.caption(_("no data in this period"))
        return
    shown = rows.head(BARS).rename(columns={"value": "rate"})
    low, high = bounds(shown[["low", "high", "rate", "previous"]], metric)
    look = replace(look_of(metric, period, lineup), low=low, high=high)
    draw(rates_chart, shown, f"rates_{metric.name}", look=look)
    told = [_("bar: 95% interval"), *how_many(len(rows), len(shown))]
    if has_before:
        told.insert(1, _("tick: {span}").format(span=span(*period.before.span)))
    named = columns.of_metric(metric) | {"previous": Column(N_("Period before"), "figure")}
    beside.foot(" · ".join(told), Data(f"{metric.name}-by-model", period, lambda: rows, named))


def _rates(metric: Metric, period: Period, lineup: Lineup) -> tuple[pd.DataFrame, bool]:
    """A row for each model with a value, best score first; and whether there is a period before."""
    days, before = period.span, period.before.span
    now = ask(models.totals, metric=metric.name, since=days[0], until=days[1]).set_index("subject")
    earlier = ask(models.totals, metric=metric.name, since=before[0], until=before[1]).set_index("subject")
    rows = now.reindex([name for name in lineup.ranked if name in now.index])
    rows["previous"] = earlier["value"].reindex(rows.index)
    return rows.reset_index(names="subject"), len(earlier) > 0


def coverage(period: Period, lineup: Lineup) -> None:
    """Evaluated of predicted, per model."""
    rows = ask(models.coverage, since=period.first, until=period.last).set_index("subject")
    rows = rows.reindex([name for name in lineup.ranked if name in rows.index]).reset_index(names="subject")
    rows["evaluated"] = 100 * rows["part"] / rows["whole"]
    st.markdown(f"**{_('Evaluated of predicted')}**", help=_(METRICS["coverage"].definition))
    if rows.empty:
        st.caption(_("no data in this period"))
        return
    shown = rows.head(BARS)
    draw(coverage_chart, shown, "coverage", look=look_of(METRICS["coverage"], period, lineup))
    told = [_("unevaluated predictions are in no score"), *how_many(len(rows), len(shown))]
    beside.foot(" · ".join(told), Data("coverage-by-model", period, lambda: rows, columns.COVERAGE))
