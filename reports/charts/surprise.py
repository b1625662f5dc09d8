"""Every comparison of a week as a dot: how large its change is against its own noise, worse left, better right."""

from typing import Any

import altair as alt
import pandas as pd

from jobs.formulas.verdict_names import DECLINED, IMPROVED, NO_CLEAR_CHANGE
from language import _
from reports.charts.look import Look
from reports.charts.series import Row, short
from reports.charts.text import text_width
from reports.charts.theme import NARROW, Palette, finish

HEIGHT = 132
PLOT, WORDS = 86, 22  # pixels of it above the axis, and of those for the words at their top
WIDEST = 10.0  # larger ones stand at the edge
PER_STANDARD_ERROR = 6  # dots beside each other
SIZE = 12
NAMED = 6  # names are for a few
LANES = 5  # of names above each other, with room for their letters
PIXELS = 52  # of a standard error on a wide screen, to guess where names would meet


def surprise(frame: pd.DataFrame, look: Look) -> alt.LayerChart:
    """Rows of name, signed (surprise, negative for the worse), verdict and told (the change in words)."""
    dots = _stacked(frame.to_dict("records"))
    edge = max([2.0, *(abs(dot["x"]) for dot in dots if dot["verdict"] == NO_CLEAR_CHANGE)])
    widest = max([3.0, edge, *(abs(dot["x"]) for dot in dots)]) + 0.6
    highest = max([4, *(dot["y"] for dot in dots)])
    x = alt.X("x:Q", scale=alt.Scale(domain=[-widest, widest], nice=False), axis=_axis(widest))
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, _top(highest)], nice=False), axis=None)
    parts = [*_zone(edge, x, dots, look.palette), *_dots(dots, x, y, look.palette)]
    return finish(parts, dark=look.dark, height=HEIGHT, title=look.title)


def _stacked(rows: list[Row]) -> list[Row]:
    """Dots that would lie on each other stand on each other; the first few clear ones are named."""
    heights: dict[int, int] = {}
    named, dots = 0, []
    for row in rows:
        x = max(-WIDEST, min(WIDEST, row["signed"]))
        column = round(x * PER_STANDARD_ERROR)
        heights[column] = heights.get(column, 0) + 1
        clear = row["verdict"] != NO_CLEAR_CHANGE
        named += clear
        dot = {"x": short(x), "y": heights[column], "verdict": row["verdict"], "told": row["told"]}
        dots.append(dot | {"name": row["name"], "named": clear and named <= NAMED})
    return _lanes(dots)


def _lanes(dots: list[Row]) -> list[Row]:
    """Names stand beside their dots, a lane higher where they would meet a neighbour's."""
    top = max([LANES, *(dot["y"] for dot in dots)])
    lane = top / LANES  # a pile of many dots makes each of them lower than a letter
    ends: list[tuple[bool, float, float]] = []
    for dot in sorted((dot for dot in dots if dot["named"]), key=lambda dot: -abs(dot["x"])):
        width = (text_width(dot["name"], SIZE) + 20) / PIXELS
        side, near = dot["x"] > 0, abs(dot["x"])
        meeting = [y for other, y, end in ends if other == side and end < near + width]
        while any(abs(y - dot["y"]) < lane for y in meeting) and dot["y"] + lane <= top:
            dot["y"] += lane
        ends.append((side, dot["y"], near))
    return dots


def _top(highest: int) -> float:
    """Where the plot ends, so that the highest dot stays below the words however high the piles are."""
    return (highest + 0.5) * PLOT / (PLOT - WORDS)


def _axis(widest: float) -> alt.Axis:
    ticks = list(range(-int(widest) // 2 * 2, int(widest) + 1, 2))
    return alt.Axis(
        values=ticks,
        tickCount=len(ticks),
        grid=False,
        title=_("change against its own noise, σ (left: worse, right: better)"),
        labelExpr="datum.value > 0 ? '+' + datum.value : replace(datum.label, '-', '−')",
    )


def _zone(edge: float, x: alt.X, dots: list[Row], colours: Palette) -> list[alt.Chart]:
    quiet = sum(dot["verdict"] == NO_CLEAR_CHANGE for dot in dots)
    told = _("no clear change: {quiet} of {all}").format(quiet=f"{quiet:,}", all=f"{len(dots):,}")
    values = [{"x": -edge - 0.1, "x2": edge + 0.1, "middle": 0, "told": told}]
    chart: Any = alt.Chart(alt.InlineData(values=values))
    text = chart.mark_text(fontSize=SIZE, color=colours.muted, baseline="top")
    return [
        chart.mark_rect(color=colours.column).encode(x=x, x2="x2:Q"),
        text.encode(x=alt.X("middle:Q"), y=alt.value(2), text="told:N"),
    ]


def _dots(dots: list[Row], x: alt.X, y: alt.Y, colours: Palette) -> list[alt.Chart]:
    chart = alt.Chart(alt.InlineData(values=dots))
    shown = [IMPROVED, DECLINED, NO_CLEAR_CHANGE]
    scale = alt.Scale(domain=shown, range=[colours.improved, colours.declined, colours.muted])
    tooltip = [alt.Tooltip("name:N", title="title"), alt.Tooltip("told:N", title=_("Change"))]
    colour = alt.Color("verdict:N", scale=scale, legend=None)
    point = chart.mark_circle(
        opacity=alt.expr(f"datum.verdict === '{NO_CLEAR_CHANGE}' ? 0.55 : 1"),
        size=alt.expr(f"datum.verdict === '{NO_CLEAR_CHANGE}' ? 30 : 70"),
    )
    names = chart.transform_filter("datum.named").mark_text(
        fontSize=alt.expr(f"{NARROW} ? 0 : {SIZE}"),
        align=alt.expr("datum.x > 0 ? 'left' : 'right'"),
        dx=alt.expr("datum.x > 0 ? 9 : -9"),
        color=colours.text,
    )
    return [
        point.encode(x=x, y=y, color=colour, tooltip=tooltip),
        names.encode(x=x, y=y, text="name:N"),
    ]
