"""Small multiples: one subject a panel, the others as ghosts, one scale in all."""

from datetime import date, timedelta

import altair as alt
import pandas as pd

from reports.charts import layers, scales, series
from reports.charts.look import Look
from reports.charts.text import STEP
from reports.charts.theme import finish

HEIGHT = 124
TICKS = 4


def panel(frame: pd.DataFrame, look: Look, *, subject: str, height: int = HEIGHT) -> alt.LayerChart:
    """That subject in colour with its band; give each panel the same low and high (scales.y_domain)."""
    data = series.prepare(frame, look.grain)
    if data.empty:
        return layers.empty(look, height)
    rows = series.rows(data, [subject], look.grain, look.show)
    first, last = look.span or (data["at"].min().date(), data["at"].max().date())
    axes = _axes(data, first, last, look)
    colours, colour = look.palette, look.colour([subject])
    own = [row for row in rows if "ghost" not in row]
    parts = [
        *layers.ghosts(rows, axes, colours),
        *layers.bands(own, axes, colour, colours),
        *layers.lines(own, axes, colour, colours),
        *layers.restated(own, axes, colours),
        layers.hits(own, axes, colour, colours, None),
    ]
    told = f"{subject}, {look.unit}" if look.unit else subject
    return finish(parts, datasets=axes.datasets, dark=look.dark, height=height, title=look.title or told)


def _axes(data: pd.DataFrame, first: date, last: date, look: Look) -> scales.Axes:
    """Few ticks, and no unit: it stands once above all panels."""
    bottom, top = scales.y_domain(data["value"], look.low, look.high)
    ticks = list(scales.x_ticks(first, last, most=TICKS).items())
    padding = STEP[look.grain] * 1.5 if first == last else timedelta(0)
    return scales.Axes(
        scales.x_scale(first, last, padding),
        scales.y_scale(bottom, top),
        scales.x_axis(dict(ticks[:: -(-len(ticks) // TICKS) or 1])),
        scales.y_axis(scales.y_ticks(bottom, top, 3), ""),
    )
