"""How often forecasts are right: over time, and over the period per model, with how sure that is."""

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns, filters, pickers
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import ask, derive, forecasts
from dashboard.drawing import draw
from dashboard.period import Period
from dashboard.trends import bounds, heading
from dashboard.wording import plain
from db.metrics import METRICS, Metric
from language import N_, _, ngettext
from reports.charts.look import Look
from reports.charts.rates import percent
from reports.charts.rates import rates as rates_chart
from reports.charts.trend import trend
from reports.wording import span, span_with_end
from settings import current

HITS = METRICS["hit_rate"]
CHANCE = 50.0  # % of directions that a coin gets right
BARS, GHOSTS = 24, 24


def shown_in_words(codes: int, period: Period, newest: date) -> str:
    """What the page shows: of how many codes, of which days, by which step, in which zone."""
    return _("{codes} · {members} · {span}, {grain} · {zone}").format(
        codes=ngettext("{n} code", "{n} codes", codes),
        members=plain(str(current().ensemble_members)),
        span=span_with_end(period.first, period.last, newest),
        grain=_("weekly") if period.grain == "week" else _("daily"),
        zone=current().timezone,
    )


def over_time(period: Period, today: date, horizon: int) -> None:
    """The hit rate of each model, all codes together; those with most outcomes in colour."""
    days = {"since": period.first, "until": period.last}
    rows = ask(forecasts.trend, metric=HITS.name, grain=period.grain, today=today, horizon=horizon, **days)
    st.markdown(f"**{heading(HITS, period)}**", help=_(HITS.definition))
    look = _look(HITS, period, rows)
    shown = rows if rows["subject"].nunique() <= GHOSTS else rows[rows["subject"].isin(look.highlighted)]
    draw(trend, shown, "hits", look=look, targets=(CHANCE,))
    told = [
        _("all codes, {n} d ahead").format(n=horizon),
        _("band: 95% interval (Wilson)"),
        _("line: chance"),
    ]
    named = columns.trend(HITS, period)
    beside.foot(" · ".join(told), Data(f"hit-rate-{horizon}d", period, lambda: rows, named))


def by_model(metric_name: str, period: Period, horizon: int) -> None:
    """A rate per model over the period, with its interval, n and the period before."""
    metric = METRICS[metric_name]
    days, before = period.span, period.before.span
    rows = derive(_rates, metric=metric.name, horizon=horizon, days=days, before=before)
    st.markdown(f"**{_(metric.label)}**", help=_(metric.definition))
    if rows.empty:
        st.caption(_("no data in this period"))
        return
    shown = rows.head(BARS).rename(columns={"value": "rate"})
    low, high = bounds(shown[["low", "high", "rate", "previous"]], metric)
    look = replace(_look(metric, period, rows), low=low, high=high)
    draw(rates_chart, shown, f"rates_{metric.name}", look=look)
    told = [_("bar: 95% interval (Wilson)")]
    if rows["previous"].notna().any():
        told.append(_("tick: {span}").format(span=span(*period.before.span)))
    named = columns.of_metric(metric) | {"previous": Column(N_("Period before"), "figure")}
    data = Data(f"{metric.name}-by-model-{horizon}d", period, lambda: rows, named)
    beside.foot(" · ".join(told), data)


def empty(today: date) -> None:
    """What else leads here, and the frame of the trend without anything in it."""
    st.caption(_("Or import price_bars and predictions: the job match_outcomes finds what became of them."))
    period = Period(today, today, "week")
    with st.container(border=True):
        st.markdown(f"**{_(HITS.label)}**", help=_(HITS.definition))
        draw(
            trend,
            pd.DataFrame(columns=["subject", "period", "value"]),
            "empty",
            look=_look(HITS, period, pd.DataFrame()),
        )


def _rates(days: tuple[date, date], before: tuple[date, date], **asked: Any) -> pd.DataFrame:
    rows = ask(forecasts.totals, since=days[0], until=days[1], **asked)
    earlier = ask(forecasts.totals, since=before[0], until=before[1], **asked).set_index("subject")
    return rows.assign(previous=earlier["value"].reindex(rows["subject"]).to_numpy())


def _look(metric: Metric, period: Period, rows: pd.DataFrame) -> Look:
    """Those with most outcomes are in colour."""
    names = ask(forecasts.models)
    sizes = rows.groupby("subject")["n"].sum() if len(rows) else pd.Series(dtype=float)
    most = set(sizes.nlargest(pickers.HIGHLIGHTS).index)
    return Look(
        filters.is_dark(),
        subjects=tuple(names),
        highlighted=tuple(name for name in names if name in most),
        unit=_(metric.unit),
        show=percent,
        grain=period.grain,
        span=period.span,
    )
