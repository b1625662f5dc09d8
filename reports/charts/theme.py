"""The one table of chart colours, and the settings that every chart shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

# The same as in config.toml, where they are for what Streamlit draws by itself.
CATEGORY_LIGHT = ["#0E75D7", "#9E3E20", "#177D76", "#833C58", "#867634", "#8431B1", "#19678C", "#8C1B14"]
CATEGORY_DARK = ["#7DA9F4", "#E89553", "#7CCFBC", "#C1698E", "#D7CE81", "#946BFF", "#009BC3", "#DB5D36"]

# Below this width, in pixels, a chart is on a phone.
NARROW = "containerSize()[0] <= 520"


@dataclass(frozen=True)
class Palette:
    """What each colour means, once per mode."""

    page: str
    text: str
    muted: str
    faint: str
    grid: str
    border: str
    column: str
    accent: str
    improved: str
    declined: str
    failed: str
    partial: str
    restated: str
    category: list[str]
    band: float


LIGHT = Palette(
    page="#FFFFFF",
    text="#0E1621",
    muted="#5A6675",
    faint="#C3CBD4",
    grid="#E9EDF1",
    border="#DDE3E9",
    column="#EEF2F5",
    accent="#0F5E9C",
    improved="#0B6E4F",
    declined="#B23A0E",
    failed="#B4232F",
    partial="#8A5A00",
    restated="#6B3FA0",
    category=CATEGORY_LIGHT,
    band=0.14,
)
DARK = Palette(
    page="#11171F",
    text="#E4E9EF",
    muted="#9AA7B5",
    faint="#3B4652",
    grid="#222B36",
    border="#2B3541",
    column="#1A222C",
    accent="#6DB3EA",
    improved="#4CC38A",
    declined="#FF8A5C",
    failed="#FF7A85",
    partial="#E3B341",
    restated="#B69CF0",
    category=CATEGORY_DARK,
    band=0.18,
)


def palette(dark: bool) -> Palette:
    return DARK if dark else LIGHT


def category_axis(dark: bool) -> alt.Axis:
    """Names at the left: every one of them, shortened rather than dropped."""
    return alt.Axis(
        title=None,
        grid=False,
        domain=False,
        ticks=False,
        labelOverlap=False,
        labelColor=palette(dark).text,
        labelPadding=8,
        labelLimit=alt.expr(f"{NARROW} ? 96 : 160"),
    )


def finish(
    layers: Sequence[alt.Chart],
    *,
    dark: bool,
    height: int,
    title: str = "",
    datasets: dict[str, list[dict[Any, Any]]] | None = None,
) -> alt.LayerChart:
    """The common settings, in one call because a second `configure` would replace the first."""
    colours = palette(dark)
    axis = alt.AxisConfig(
        labelColor=colours.muted,
        titleColor=colours.muted,
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
        gridColor=colours.grid,
        domainColor=colours.border,
        tickColor=colours.border,
        ticks=False,
        labelPadding=6,
        labelFlush=False,
        labelBound=False,
    )
    # Streamlit adds 20 pixels at the bottom of a chart that names no padding.
    padding = {"left": 0, "top": 2, "right": 2, "bottom": 4}
    described: dict[str, Any] = {"description": title} if title else {}
    chart = alt.LayerChart(layer=list(layers)).properties(height=height, padding=padding, **described)
    made: alt.LayerChart = chart.configure(axis=axis, view=alt.ViewConfig(stroke=None))
    if datasets:
        made["datasets"] = datasets
    return made
