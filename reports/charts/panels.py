"""Small multiples: one subject a panel, the others as ghosts, one scale in all."""

from datetime import date, timedelta

import altair as alt
import pandas as pd

from reports.charts import layers, scales, series
from reports.charts.text import STEP, Grain, Show, number
from reports.charts.theme import finish, palette, subject_colour

HEIGHT = 124


def panel(
    frame: pd.DataFrame,
    *,
    subject: str,
    subjects: list[str],
    unit: str,
    low: float | None,
    high: float | None,
    grain: Grain,
    dark: bool,
    span: tuple[date, date] | None = None,
    show: Show = number,
    empty_text: str = "",
    height: int = HEIGHT,
) -> alt.LayerChart:
    """That subject in colour with its band; give each panel the same low and high (scales.y_domain)."""
    colours = palette(dark)
    data = series.prepare(frame, grain)
    if data.empty:
        return layers.empty(span, low, high, "", empty_text, dark, height, subject)
    first, last = span or (data["at"].min().date(), data["at"].max().date())
    rows = series.rows(data, [subject], grain, show)
    bottom, top = scales.y_domain(data["value"], low, high)
    ticks = scales.x_ticks(first, last, most=4)
    every = -(-len(ticks) // 4)
    padding = STEP[grain] * 1.5 if first == last else timedelta(0)
    axes = scales.Axes(
        scales.x_scale(first, last, padding),
        scales.y_scale(bottom, top),
        scales.x_axis(dict(list(ticks.items())[::every])),
        scales.y_axis(scales.y_ticks(bottom, top, 3), ""),
    )
    colour = subject_colour(subjects)
    own = [row for row in rows if "ghost" not in row]
    parts = [
        *layers.ghosts(rows, axes, colours),
        *layers.bands(own, axes, colour, colours),
        *layers.lines(own, axes, colour, colours),
        layers.hits(own, axes, colour, None),
    ]
    return finish(
        parts,
        datasets=axes.datasets,
        dark=dark,
        height=height,
        title=f"{subject}, {unit}" if unit else subject,
    )
