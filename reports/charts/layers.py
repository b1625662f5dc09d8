"""The layers that a trend is made of, from back to front."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import altair as alt
import pandas as pd

from language import _
from reports.charts import scales
from reports.charts.labels import EVENT_SIZE, LANES, Event
from reports.charts.look import Look
from reports.charts.scales import Axes
from reports.charts.series import Row, tooltip
from reports.charts.text import STEP, Grain, Show, period_name
from reports.charts.theme import NARROW, Palette, finish

Layers = list[alt.Chart]
# The labels of the y axis and the names at the right, in pixels.
BESIDE_PLOT = 100


def empty(look: Look, height: int) -> alt.LayerChart:
    """The axes that would be there, and a line that says that there is nothing."""
    bottom, top = scales.y_domain([], look.low, look.high)
    axis = scales.y_axis(scales.y_ticks(bottom, top), look.unit)
    if look.low is None and look.high is None:
        axis.labels = False
    first, last = look.span or (date(2000, 1, 1), date(2000, 1, 8))
    days = scales.x_ticks(first, last) if look.span else {}
    axes = Axes(
        scales.x_scale(first, last, timedelta(hours=12) if first == last else timedelta(0)),
        scales.y_scale(bottom, top),
        scales.x_axis(days),
        axis,
    )
    frame = axes.over([{"period": first.isoformat(), "value": bottom}]).mark_point(opacity=0)
    frame = frame.encode(x=axes.x(), y=axes.y())
    words = (
        alt.Chart(alt.InlineData(values=[{"words": _("no data in this period")}]))
        .mark_text(fontSize=13, color=look.palette.muted)
        .encode(text="words:N", x=alt.value(alt.expr("width / 2")), y=alt.value(alt.expr("height / 2")))
    )
    return finish([frame, words], datasets=axes.datasets, dark=look.dark, height=height, title=look.title)


def column(data: pd.DataFrame, axes: Axes, grain: Grain, colours: Palette) -> Layers:
    """A grey column behind the period that is not over yet."""
    open_rows = data[data["unfinished"]]
    if open_rows.empty:
        return []
    at = open_rows["at"].max()
    half = int(STEP[grain].total_seconds() * 500)
    row = {"period": at.date().isoformat(), "half": half}
    chart = axes.over([row]).transform_calculate(from_="datum.at - datum.half", to="datum.at + datum.half")
    return [chart.mark_rect(color=colours.column, clip=True).encode(x=axes.x("from_:Q"), x2="to:Q")]


def targets(values: Sequence[float], axes: Axes, show: Show, colours: Palette) -> Layers:
    if not values:
        return []
    chart = alt.Chart(alt.InlineData(values=[{"value": value, "text": show(value)} for value in values]))
    rule = chart.mark_rule(color=colours.muted, strokeDash=[6, 4], opacity=0.8).encode(y=axes.y())
    text = chart.mark_text(align="left", dx=4, dy=-7, fontSize=11.5, color=colours.muted)
    return [rule, text.encode(x=alt.value(0), y=axes.y(), text="text:N")]


def ghosts(rows: list[Row], axes: Axes, colours: Palette) -> Layers:
    """The other subjects: there to compare with, not to read."""
    if not any("ghost" in row for row in rows):
        return []
    chart = axes.over(rows)
    line = chart.transform_filter("datum.ghost").mark_line(color=colours.faint, strokeWidth=1, clip=True)
    dots = chart.transform_filter("datum.ghost && datum.alone").mark_circle(
        color=colours.faint, size=12, opacity=1
    )
    return [line.encode(x=axes.x(), y=axes.y(), detail="segment:N"), dots.encode(x=axes.x(), y=axes.y())]


def bands(rows: list[Row], axes: Axes, colour: alt.Color, colours: Palette) -> Layers:
    """The 95 % interval; where its period stands alone an area has no width, so it is a short bar."""
    chart = axes.over(rows)
    area = chart.transform_filter("isValid(datum.band) && !datum.band_alone").mark_area(
        opacity=colours.band, clip=True
    )
    bar = chart.transform_filter("datum.band_alone").mark_rule(
        strokeWidth=7, opacity=colours.band * 1.3, clip=True
    )
    places = {"x": axes.x(), "y": axes.y("low:Q"), "y2": "high:Q", "color": colour}
    return [area.encode(detail="band:N", **places), bar.encode(**places)]


def before(rows: list[Row], axes: Axes, colour: alt.Color) -> Layers:
    if not rows:
        return []
    line = axes.over(rows).mark_line(strokeWidth=1.6, strokeDash=[1, 3.5], strokeCap="round", clip=True)
    return [line.encode(x=axes.x(), y=axes.y(), color=colour, detail="segment:N")]


def lines(rows: list[Row], axes: Axes, colour: alt.Color, colours: Palette) -> Layers:
    """Solid while finished, dashed to the unfinished period; hollow where a value is not yet to be trusted."""
    chart = axes.over(rows)
    places = {"x": axes.x(), "y": axes.y(), "color": colour}
    solid = chart.transform_filter("!datum.ghost && !datum.unfinished").mark_line(strokeWidth=2, clip=True)
    dashed = chart.transform_filter("datum.tail").mark_line(strokeWidth=2, strokeDash=[4, 3], clip=True)
    trusted = chart.transform_filter(
        "!datum.ghost && (datum.alone || datum.end) && !datum.unfinished && !datum.few"
    ).mark_circle(size=34, opacity=1)
    hollow = chart.transform_filter("datum.unfinished || datum.few").mark_point(
        size=36, strokeWidth=2, fill=colours.page, opacity=1
    )
    return [
        solid.encode(detail="segment:N", **places),
        dashed.encode(detail="segment:N", **places),
        trusted.encode(**places),
        hollow.encode(**places),
    ]


def restated(rows: list[Row], axes: Axes, colours: Palette) -> Layers:
    """A thin ring around each point with figures that changed long after they were complete."""
    if not any("restated" in row for row in rows):
        return []
    chart = axes.over(rows).transform_filter("datum.restated")
    ring = chart.mark_point(size=90, strokeWidth=1.5, color=colours.restated, opacity=0.9)
    return [ring.encode(x=axes.x(), y=axes.y())]


def names(rows: list[Row], axes: Axes, colour: alt.Color, text: str = "subject:N") -> Layers:
    """The name at the end of its line, in its colour; instead of a legend."""
    if not rows:
        return []
    mark = alt.Chart(alt.InlineData(values=rows)).mark_text(
        align="left", dx=8, fontSize=12.5, fontWeight=600, limit=alt.expr(f"{NARROW} ? 84 : 180")
    )
    return [mark.encode(x=axes.x(), y=axes.y(), color=colour, text=text)]


def rules(
    placed: list[Event], low: float, lane: Callable[[int], float], axes: Axes, colours: Palette
) -> Layers:
    """A dotted rule for each day with events, and a wider invisible one to point at."""
    if not placed:
        return []
    found: dict[date, Row] = {}
    for event in placed:
        top = lane(LANES if event.lane is None else event.lane)
        row = found.setdefault(event.day, {"period": event.day.isoformat(), "low": low, "value": top})
        row["value"] = max(row["value"], top)
        row["mark"] = f"{row['mark']} · {event.mark}" if "mark" in row else event.mark
        row["when"] = period_name(event.day, "day")
    chart = axes.over(list(found.values()))
    places = {"x": axes.x(), "y": axes.y(), "y2": "low:Q"}
    thin = chart.mark_rule(color=colours.muted, strokeDash=[2, 3], opacity=0.65).encode(**places)
    tooltip = [alt.Tooltip("mark:N", title="title"), alt.Tooltip("when:N", title=_("Day"))]
    wide = chart.mark_rule(strokeWidth=11, opacity=0, color=colours.muted).encode(tooltip=tooltip, **places)
    return [thin, wide]


def event_texts(placed: list[Event], lane: Callable[[int], float], axes: Axes, colours: Palette) -> Layers:
    """Glyph and label beside the top of the rule; where the label has no room, the glyph alone, on the rule."""
    found: list[Row] = [
        {"period": event.day.isoformat(), "value": lane(event.lane), "glyph": event.glyph}
        | {"needs": event.needs + BESIDE_PLOT, "side": -1 if event.flip else 1}
        | ({} if event.glyph_only else {"label": event.label})
        | ({"crowded": True} if event.crowded else {})
        for event in placed
        if event.lane is not None
    ]
    if not found:
        return []
    align = "datum.side < 0 ? 'right' : 'left'"
    tight = "containerSize()[0] < datum.needs"
    glyph = axes.over(found).mark_text(
        color=colours.muted,
        fontSize=alt.expr(f"{NARROW} && datum.crowded ? 0 : {EVENT_SIZE}"),
        align=alt.expr(f"{tight} ? 'center' : {align}"),
        dx=alt.expr(f"{tight} ? 0 : 5 * datum.side"),
        dy=alt.expr(f"{tight} ? -8 : 0"),
    )
    # Size 0 and not opacity 0: an invisible text would still take room. Not one text with the glyph, because
    # a font without the glyph would hand the words over to another font as well.
    label = axes.over([row for row in found if "label" in row]).mark_text(
        color=colours.muted,
        fontSize=alt.expr(f"{tight} ? 0 : {EVENT_SIZE}"),
        align=alt.expr(align),
        dx=alt.expr("18 * datum.side"),
    )
    places = {"x": axes.x(), "y": axes.y()}
    return [glyph.encode(text="glyph:N", **places), label.encode(text="label:N", **places)]


def hits(
    rows: list[Row], axes: Axes, colour: alt.Color, colours: Palette, selection: str | None
) -> alt.Chart:
    """Invisible points, large enough for a finger: the tooltip, and the click that opens the rows behind."""
    size = alt.condition("datum.ghost", alt.value(60), alt.value(240))
    chart = axes.over(rows)
    marks: alt.Chart = (
        chart.mark_circle(opacity=0) if selection is None else chart.mark_circle(cursor="pointer")
    )
    seen = alt.condition("datum.ghost", alt.value(colours.muted), colour)
    told = tooltip(when=_("Period"))
    marks = marks.encode(x=axes.x(), y=axes.y(), color=seen, size=size, tooltip=told)
    if selection is None:
        return marks
    pick = alt.selection_point(name=selection, fields=["subject", "period"], empty=False)
    return marks.encode(opacity=alt.condition(pick, alt.value(0.35), alt.value(0))).add_params(pick)
