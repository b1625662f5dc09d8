"""The overview's figures: headline numbers over all models, and a row for each of the best."""

from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns, filters
from dashboard.beside import Data
from dashboard.data import ask, models, overall
from dashboard.drawing import draw_small
from dashboard.lineup import ranked
from dashboard.period import Period
from dashboard.wording import longer, plain
from db.metrics import METRICS, Metric
from language import _, ngettext
from reports.charts.look import Look
from reports.wording import brief, change, figure

ROWS = 12
Overall = dict[str, Any] | None
NO_BREAK = "\N{NO-BREAK SPACE}"  # a phone breaks the line before the interval, not in it
LETTERS = 60  # of a name, which may take two lines
NAME = 250  # pixels; on a phone the line then moves below the name, beside its value


def numbers(names: list[str], period: Period, today: date) -> None:
    """The headline metrics over all models, with the period before and a line; those that the data have."""
    days, earlier = ({"since": one.first, "until": one.last} for one in (period, period.before))
    now = {name: ask(overall.overall, metric=name, **days) for name in names}
    before = {name: ask(overall.overall, metric=name, **earlier) for name in names}
    if not any(now.values()):
        st.caption(_("no data in this period"))
    known = [name for name in names if now[name] or before[name]]
    shown = known or names
    with st.grid(3 if len(shown) in (5, 6, 9) else 4, min_column_width=168):  # no row with a single card
        for name in shown:
            line = ask(overall.overall_trend, metric=name, grain=period.grain, today=today, **days)
            _number(METRICS[name], now[name], before[name], line, period)


def no_numbers(names: list[str]) -> None:
    """The headline cards of a page without data."""
    with st.grid(4, min_column_width=168):
        for name in names:
            _number(METRICS[name], None, None)


def _number(
    metric: Metric,
    now: Overall,
    before: Overall,
    line: pd.DataFrame | None = None,
    period: Period | None = None,
) -> None:
    """A card: what it is, how much, the difference to the period before, a line; n and the interval."""
    value = now["value"] if now else None
    delta = change(value, before["value"] if before else None, metric)
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.metric(
            _(metric.label),
            figure(value, metric),
            delta,
            delta_color="off",
            delta_arrow="off",
            delta_description=_("vs before") if delta else None,
            help=_(metric.definition),
        )
        if line is not None and period is not None and len(line) > 1:
            draw_small(line, look=_look(metric, period))
        if now:
            n = ngettext("n = {n}", "n = {n}", int(now["n"]))
            st.caption(f"{n} · {_interval(now, metric).replace(' ', NO_BREAK)}")


def best_models(metric: Metric, period: Period, today: date) -> None:
    """How the rows are ranked, a row for each of the best, and the way to the others."""
    days = {"since": period.first, "until": period.last}
    trend = ask(models.trend, metric=metric.name, grain=period.grain, today=today, **days)
    totals = ask(models.totals, metric=metric.name, **days).set_index("subject")
    shown = [name for name in ranked(days) if name in totals.index][:ROWS]
    st.caption(_ranking(metric))
    lines = {str(name): own for name, own in trend.groupby("subject")}
    for name in shown:
        _model(name, metric, pd.Series(totals.loc[name]), lines.get(name, trend[:0]), period)
    if not shown:
        st.caption(_("no data in this period"))
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        more = len(totals) - len(shown)
        label = ngettext("{n} more model", "{n} more models", more) if more else _("More about the models")
        filters.link("views/models.py", label)
        rows = trend[trend["subject"].isin(shown)]
        beside.table(Data("best-models", period, lambda: rows, columns.trend(metric, period)))


def _ranking(metric: Metric) -> str:
    few = ngettext(
        "models with fewer than {n} score come after",
        "models with fewer than {n} scores come after",
        metric.enough,
    )
    return _("Ranked by {unit}; {few}").format(unit=_(metric.unit), few=few)


def _model(name: str, metric: Metric, now: pd.Series, line: pd.DataFrame, period: Period) -> None:
    """One model: its name and n, its line, its value and interval."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width=NAME, gap=None):
            st.markdown(f"**{plain(brief(name, LETTERS))}**", help=longer(name, LETTERS))
            st.caption(ngettext("n = {n}", "n = {n}", int(now["n"])))
        with st.container(width="stretch"):
            draw_small(line, look=_look(metric, period))
        with st.container(width=124, gap=None):
            st.markdown(f"**{figure(now['value'], metric)}**", text_alignment="right")
            st.caption(_interval(now, metric), text_alignment="right")


def _look(metric: Metric, period: Period) -> Look:
    return Look(filters.is_dark(), grain=period.grain, show=partial(figure, metric=metric))


def _interval(row: Any, metric: Metric) -> str:
    """A value's 95 % interval, if there are enough rows for one."""
    if row["low"] is None or row["low"] != row["low"]:
        return _("too few for an interval")
    return _("95%: {low} … {high}").format(low=figure(row["low"], metric), high=figure(row["high"], metric))
