"""The charts of a page with their titles, in their cards."""

from datetime import date, timedelta
from math import ceil, floor

import pandas as pd
import streamlit as st

from dashboard import cards, filters
from dashboard.data import ask, models
from dashboard.drawing import draw
from dashboard.filters import Period
from dashboard.wording import change, plain, span, spreadsheet_safe
from db.metrics import METRICS, Metric
from language import _
from reports.charts.coverage import coverage as coverage_chart
from reports.charts.panels import panel
from reports.charts.rates import percent
from reports.charts.rates import rates as rates_chart
from reports.charts.text import number
from reports.charts.trend import trend

PANELS, GHOSTS, BARS = 12, 24, 24


def heading(metric: Metric, period: Period) -> str:
    """What the trend shows, in plain words."""
    grain = _("by week") if period.grain == "week" else _("by day")
    return f"{_(metric.label)} {grain}"


def highlighted(
    frame: pd.DataFrame, metric: Metric, period: Period, names: list[str], chosen: list[str]
) -> tuple[str, date] | None:
    """The trend with some models in colour; returns the point that was clicked."""
    if frame["subject"].nunique() > GHOSTS + len(chosen):
        frame = frame[frame["subject"].isin(chosen)]
    event = draw(
        trend,
        frame,
        f"trend_{metric.name}_{period.grain}",
        subjects=names,
        highlighted=chosen,
        title="",
        unit=_(metric.unit),
        low=None,
        high=None,
        grain=period.grain,
        dark=filters.is_dark(),
        selection="point",
        span=period.span,
        show=percent if metric.is_rate else number,
        empty_text=_("no data in this period"),
    )
    return filters.picked_point(event)


def all_models(
    frame: pd.DataFrame, metric: Metric, period: Period, names: list[str], ranked: list[str]
) -> None:
    """A small chart for each model, the same scale in all."""
    shown = [name for name in ranked if name in set(frame["subject"])][:PANELS]
    grid = st.grid(4, min_column_width=190)
    low, high = _axis(frame[["value"]], metric, 10)
    ghosts = frame if frame["subject"].nunique() <= GHOSTS else frame[frame["subject"].isin(shown)]
    for name in shown:
        mine = frame[frame["subject"] == name]
        with grid, st.container(gap=None):
            last = mine.iloc[-1]
            st.markdown(f"**{plain(name)}** :small[{last['value']:.1f} · n = {int(last['n']):,}]")
            draw(
                panel,
                ghosts,
                f"panel_{metric.name}_{name}",
                subject=name,
                subjects=names,
                unit=_(metric.unit),
                low=low,
                high=high,
                grain=period.grain,
                dark=filters.is_dark(),
                span=period.span,
                show=percent if metric.is_rate else number,
            )
    _more(frame["subject"].nunique(), len(shown))


def empty(metric: Metric, today: date) -> None:
    """The frame of the trend without anything in it."""
    with st.container(border=True):
        st.markdown(f"**{_(metric.label)}**", help=_(metric.definition))
        days = today - timedelta(weeks=12), today
        nothing = pd.DataFrame(columns=["subject", "period", "value", "low", "high", "n", "unfinished"])
        draw(
            trend,
            nothing,
            "empty_trend",
            subjects=[],
            highlighted=[],
            title="",
            unit=_(metric.unit),
            low=metric.low,
            high=metric.high,
            grain="week",
            dark=filters.is_dark(),
            span=days,
            empty_text=_("no data in this period"),
        )


def footer(frame: pd.DataFrame, metric: Metric, period: Period, clickable: bool) -> None:
    """How to read the trend, and its data as a table and as CSV."""
    unfinished = frame.loc[frame["unfinished"], "period"].max() if len(frame) else None
    told = _("band: 95% interval · hollow: fewer than 3 predictions")
    if clickable:
        told += " · " + _("click a point for its evaluations")
    if unfinished is not None and unfinished == unfinished:
        told += " · " + _("grey column: {span}, unfinished").format(
            span=span(unfinished, unfinished + timedelta(days=6 if period.grain == "week" else 0))
        )
    table = frame.drop(columns=["unfinished"], errors="ignore")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(told, width="stretch")
        st.download_button(
            _("CSV"),
            data=lambda: spreadsheet_safe(table).to_csv(index=False).encode("utf-8-sig"),
            file_name=f"{metric.name}-{period.first}-{period.last}.csv",
            mime="text/csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
    shown = st.expander(_("The same data as a table"), on_change="rerun", key="table_open")
    if shown.open:
        shown.dataframe(table, hide_index=True, placeholder="–", height=280)


def rates(metric: Metric, period: Period, names: list[str], ranked: list[str]) -> None:
    """A metric per model over the period, with interval, n and the period before as a tick."""
    now = ask(models.totals, metric=metric.name, since=period.first, until=period.last).set_index("subject")
    before = ask(models.totals, metric=metric.name, since=period.before.first, until=period.before.last)
    shown = [name for name in ranked if name in now.index][:BARS]
    with st.container(gap=None):
        st.markdown(f"**{_(metric.label)}**", help=_(metric.definition))
        told = _("bar: 95% interval")
        if len(before):
            told += " · " + _("tick: {span}").format(span=span(period.before.first, period.before.last))
        st.caption(told)
    if not shown:
        st.caption(_("no data in this period"))
        return
    rows = now.loc[shown].rename(columns={"value": "rate"})
    rows["previous"] = before.set_index("subject")["value"]
    low, high = _axis(rows[["low", "high", "rate", "previous"]], metric, 10)
    draw(
        rates_chart,
        rows.reset_index(names="subject"),
        f"rates_{metric.name}",
        subjects=names,
        dark=filters.is_dark(),
        unit=_(metric.unit),
        low=low,
        high=high,
        show=percent if metric.is_rate else number,
    )
    _more(len(now), len(shown))


def coverage(period: Period, names: list[str], ranked: list[str]) -> None:
    """Evaluated of predicted, per model."""
    rows = ask(models.coverage, since=period.first, until=period.last).set_index("subject")
    shown = [name for name in ranked if name in rows.index][:BARS]
    with st.container(gap=None):
        st.markdown(f"**{_('Evaluated of predicted')}**")
        st.caption(_("unevaluated predictions are in no score"))
    if shown:
        table = rows.loc[shown].reset_index(names="subject")
        draw(coverage_chart, table, "coverage", subjects=names, dark=filters.is_dark())
    _more(len(rows), len(shown))


def _axis(values: pd.DataFrame, metric: Metric, step: int) -> tuple[float, float]:
    """Round bounds around all values, within the metric's range."""
    low, high = values.min().min(), values.max().max()
    return max(metric.low, floor(low / step) * step), min(metric.high, ceil(high / step) * step)


def _more(there: int, shown: int) -> None:
    if there > shown:
        st.caption(
            _("the first {n} of {all} by score; all of them in the table below").format(n=shown, all=there)
        )


def sparks(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each model's own part of a trend."""
    return {str(name): own for name, own in frame.groupby("subject")}


def headlines(names: list[str], period: Period, today: date) -> None:
    """The headline metrics over all models, with the period before and a line."""
    with st.grid(4, min_column_width=168):
        for name in names:
            metric = METRICS[name]
            now = ask(models.overall, metric=name, since=period.first, until=period.last)
            before = ask(models.overall, metric=name, since=period.before.first, until=period.before.last)
            line = ask(
                models.overall_trend,
                metric=name,
                since=period.first,
                until=period.last,
                grain=period.grain,
                today=today,
            )
            cards.headline(metric, now, change(now, before, metric), _("vs before"), line)


def model_rows(metric: Metric, period: Period, ranked: list[str], today: date) -> None:
    """A row for each of the best models: name, n, line, value and interval."""
    days = {"since": period.first, "until": period.last}
    frame = ask(models.trend, metric=metric.name, grain=period.grain, today=today, **days)
    totals = ask(models.totals, metric=metric.name, **days).set_index("subject")
    lines = sparks(frame)
    shown = [name for name in ranked if name in totals.index][:PANELS]
    for name in shown:
        cards.model_row(
            name, metric, pd.Series(totals.loc[name]), lines[name], period.grain, filters.is_dark()
        )
    if not shown:
        st.caption(_("no data in this period"))
    if len(totals) > len(shown):
        st.caption(_("{n} more on the page Models").format(n=len(totals) - len(shown)))
