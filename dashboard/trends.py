"""The trend of a metric: some models in one chart, or a small chart for each."""

from dataclasses import replace
from datetime import date, timedelta
from math import ceil, floor
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns, events, filters, picked, pickers
from dashboard.beside import Data
from dashboard.data import ask, models, target_of
from dashboard.drawing import draw
from dashboard.lineup import Lineup
from dashboard.period import Period
from dashboard.wording import longer, plain
from db.metrics import Metric
from language import _, ngettext
from reports.charts.labels import GLYPHS
from reports.charts.look import Look
from reports.charts.panels import panel
from reports.charts.rates import percent
from reports.charts.series import COLUMNS
from reports.charts.text import number
from reports.charts.trend import trend
from reports.wording import brief, span, span_with_end
from settings import current

PANELS, GHOSTS = 12, 24
NAME = 18  # letters of a name above its small chart
STEP = 10  # bounds of an axis are multiples of it


def heading(metric: Metric, period: Period) -> str:
    """What the trend shows, in plain words."""
    grain = _("by week") if period.grain == "week" else _("by day")
    return f"{_(metric.label)} {grain}"


def shown_in_words(shown: int, there: int, period: Period, newest: date) -> str:
    """What the page shows: how many models, of which days, by which step, in which zone."""
    how_many = _("{shown} of {models}").format(
        shown=f"{shown:,}", models=ngettext("{n} model", "{n} models", there)
    )
    return _("Scores of evaluated predictions · {models} · {span}, {grain} · {zone}").format(
        models=how_many,
        span=span_with_end(period.first, period.last, newest),
        grain=_("weekly") if period.grain == "week" else _("daily"),
        zone=current().timezone,
    )


def look_of(metric: Metric, period: Period, lineup: Lineup) -> Look:
    """How charts of the metric look on a page with these models."""
    return Look(
        filters.is_dark(),
        subjects=tuple(lineup.names),
        highlighted=tuple(lineup.highlighted),
        unit=_(metric.unit),
        show=percent if metric.is_rate else number,
        grain=period.grain,
        span=period.span,
    )


def highlighted(
    frame: pd.DataFrame, metric: Metric, period: Period, lineup: Lineup
) -> tuple[str, date] | None:
    """The trend with some models in colour, and what was asked for beside; returns the point that was clicked."""
    chosen, also = lineup.highlighted, pickers.also("before", "events", "targets")
    if frame["subject"].nunique() > GHOSTS + len(chosen):
        frame = frame[frame["subject"].isin(chosen)]
    key, look = f"trend_{metric.name}_{period.grain}", look_of(metric, period, lineup)
    more: dict[str, Any] = {"targets": aims(metric) if "targets" in also else ()}
    if "events" in also:
        more["events"] = events.missing(period, tuple(chosen))
    if "before" in also:
        more["previous"] = _moved_on(metric, period)
    return picked.point(draw(trend, frame, key, look=look, selection="point", **more))


def _moved_on(metric: Metric, period: Period) -> pd.DataFrame:
    """The period before, each of its days or weeks under the one that it is compared with."""
    before = period.before
    days = {"since": before.first, "until": before.last, "today": period.last + timedelta(days=7)}
    rows: pd.DataFrame = ask(models.trend, metric=metric.name, grain=period.grain, **days)
    later = period.first - before.first
    return rows.assign(period=[day + later for day in rows["period"]])


def aims(metric: Metric) -> tuple[float, ...]:
    """The target of a metric, where somebody wrote one down that can be read."""
    target = target_of(metric.name)
    if isinstance(target, str):
        st.caption(plain(target))
    return (target,) if isinstance(target, float) else ()


def all_models(frame: pd.DataFrame, metric: Metric, period: Period, lineup: Lineup) -> None:
    """A small chart for each model, the same scale in all."""
    newest = frame.drop_duplicates("subject", keep="last").set_index("subject")
    known = set(newest.index)
    shown = [name for name in lineup.ranked if name in known][:PANELS]
    low, high = bounds(frame[["value"]], metric)
    look = replace(look_of(metric, period, lineup), low=low, high=high)
    ghosts = frame if len(known) <= GHOSTS else frame[frame["subject"].isin(shown)]
    grid = st.grid(4, min_column_width=190)
    for name in shown:
        last = pd.Series(newest.loc[name])
        told = _("{value} · n = {n}").format(value=look.show(last["value"]), n=f"{int(last['n']):,}")
        with grid, st.container(gap=None):
            st.markdown(f"**{plain(brief(name, NAME))}** :small[{told}]", help=longer(name, NAME))
            draw(panel, ghosts, f"panel_{metric.name}_{name}", look=look, subject=name)
    if more := len(known) - len(shown):
        st.caption(_left_out(more, len(shown)))


def _left_out(more: int, shown: int) -> str:
    """How many models have no small chart, and how to see them."""
    told = ngettext("{n} more model is", "{n} more models are", more)
    how = _("The first {shown} by rank; {told} in the table below, and up to {most} in colour under {view}.")
    return how.format(shown=shown, told=told, most=pickers.HIGHLIGHTS, view=_("Highlighted"))


def empty(metric: Metric, today: date) -> None:
    """The frame of the trend without anything in it."""
    period = Period(today - timedelta(weeks=12), today, "week")
    look = replace(look_of(metric, period, Lineup([], [], [])), low=metric.low, high=metric.high)
    with st.container(border=True):
        st.markdown(f"**{_(metric.label)}**", help=_(metric.definition))
        draw(trend, pd.DataFrame(columns=COLUMNS), "empty_trend", look=look)


def footer(frame: pd.DataFrame, metric: Metric, period: Period, lineup: Lineup, view: str) -> None:
    """How to read the trend or the small charts, and the rows of all models as a table."""
    unfinished = _unfinished(frame, period, view)
    hollow = _("hollow: fewer than 3 predictions, or unfinished")
    told = [_("band: 95% interval"), hollow if unfinished else _("hollow: fewer than 3 predictions")]
    if view == "all":
        newest = {
            "week": _("beside each name: its newest week"),
            "day": _("beside each name: its newest day"),
        }
        told.append(newest[period.grain])
    else:
        told += [_("click a point for its evaluations"), *_marks(period, lineup)]
    if view != "all" and lineup.highlighted and pickers.shows("before"):
        first, before = plain(lineup.highlighted[0]), span(*period.before.span)
        told.append(_("dotted: {model}, {span}").format(model=first, span=before))
    if frame.get("restated", pd.Series(dtype=object)).notna().any():
        told.append(_("ring: restated"))
    data = Data(f"{metric.name}-by-{period.grain}", period, lambda: frame, columns.trend(metric, period))
    beside.foot(" · ".join(told + unfinished), data)


def _unfinished(frame: pd.DataFrame, period: Period, view: str) -> list[str]:
    """How the day or week that is not over looks, where there is one."""
    found = frame.loc[frame["unfinished"], "period"] if len(frame) else []
    if not len(found):
        return []
    first = max(found)
    last = first + timedelta(days=6 if period.grain == "week" else 0)
    mark = _("dashed: {span}, unfinished") if view == "all" else _("grey column: {span}, unfinished")
    return [mark.format(span=span(first, last))]


def _marks(period: Period, lineup: Lineup) -> list[str]:
    """What the marks above the lines are, where there are some."""
    if not pickers.shows("events") or events.missing(period, tuple(lineup.highlighted)).empty:
        return []
    return [_("{mark} days missing: point at it to read whose").format(mark=GLYPHS["missing"])]


def bounds(values: pd.DataFrame, metric: Metric) -> tuple[float, float]:
    """Round bounds around all values, within the metric's range."""
    low, high = values.min().min(), values.max().max()
    if pd.isna(low):
        return metric.low, metric.high
    return max(metric.low, floor(low / STEP) * STEP), min(metric.high, ceil(high / STEP) * STEP)


def how_many(there: int, shown: int) -> list[str]:
    """Says so where not all models are drawn, and where they are."""
    told = _("the first {n} of {all} by rank, all in the table")
    return [told.format(n=shown, all=f"{there:,}")] if there > shown else []
