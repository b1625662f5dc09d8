"""One small line without axes: the shape of the last periods, and where it stands."""

from datetime import timedelta
from typing import Literal

import altair as alt
import pandas as pd

from reports.charts import scales
from reports.charts.look import Look
from reports.charts.series import Row, prepare, rows, tooltip
from reports.charts.text import STEP
from reports.charts.theme import Palette, finish

HEIGHT = 46
Tone = Literal["plain", "improved", "declined"]


def sparkline(frame: pd.DataFrame, look: Look, *, tone: Tone = "plain") -> alt.LayerChart:
    """Grey line in a grey band; the last step and the last dot wear the colour of the verdict."""
    colours = look.palette
    data = prepare(frame.assign(subject=""), look.grain)
    if data.empty:
        blank = alt.Chart(alt.InlineData(values=[{}])).mark_point(opacity=0)
        return finish([blank], dark=look.dark, height=HEIGHT)
    found = rows(data, [""], look.grain, look.show)
    first, last = data["at"].min().date(), data["at"].max().date()
    padding = STEP[look.grain] if first == last else timedelta(0)
    axes = scales.Axes(scales.x_scale(first, last, padding), scales.y_scale(*_bounds(data)))
    tones = {"plain": colours.muted, "improved": colours.improved, "declined": colours.declined}
    parts = _layers(_with_last_step(found), axes, tones[tone], colours)
    return finish(parts, datasets=axes.datasets, dark=look.dark, height=HEIGHT)


def _bounds(data: pd.DataFrame) -> tuple[float, float]:
    """Made for the line: a wide interval of one poor week is cut off instead of flattening the rest."""
    bottom, top = data["value"].min(), data["value"].max()
    room = (top - bottom) * 0.6 or abs(top) * 0.05 or 1.0
    low, high = data["low"].min(), data["high"].max()
    return (
        bottom - room * 0.2 if pd.isna(low) else max(min(low, bottom - room * 0.2), bottom - room),
        top + room * 0.2 if pd.isna(high) else min(max(high, top + room * 0.2), top + room),
    )


def _with_last_step(found: list[Row]) -> list[Row]:
    segment = found[-1]["segment"]
    last = [row | ({"step": True} if row["segment"] == segment else {}) for row in found[-2:]]
    return found[:-2] + last


def _layers(found: list[Row], axes: scales.Axes, tone: str, colours: Palette) -> list[alt.Chart]:
    chart = axes.over(found)
    band = chart.transform_filter("isValid(datum.band)").mark_area(
        color=colours.faint, opacity=0.35, clip=True
    )
    line = chart.mark_line(color=colours.muted, strokeWidth=1.5)
    alone = chart.transform_filter("datum.alone").mark_circle(color=colours.muted, size=10, opacity=1)
    step = chart.transform_filter("datum.step").mark_line(color=tone, strokeWidth=2)
    dot = chart.transform_filter("datum.end").mark_circle(color=tone, size=34, opacity=1)
    hits = chart.mark_circle(size=160, opacity=0)
    return [
        band.encode(x=axes.x(), y=axes.y("low:Q"), y2="high:Q", detail="band:N"),
        line.encode(x=axes.x(), y=axes.y(), detail="segment:N"),
        alone.encode(x=axes.x(), y=axes.y()),
        step.encode(x=axes.x(), y=axes.y()),
        dot.encode(x=axes.x(), y=axes.y()),
        hits.encode(x=axes.x(), y=axes.y(), tooltip=tooltip("when", when="title")),
    ]
