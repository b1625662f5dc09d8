"""Rates with their interval, one row a subject."""

import altair as alt
import pandas as pd

from language import _
from reports.charts.series import Row, known, short
from reports.charts.text import Show, interval, number
from reports.charts.theme import category_axis, finish, palette, subject_colour

ROW = 27
AXIS = 42


def percent(value: float) -> str:
    return f"{number(value)}%"


def rates(
    frame: pd.DataFrame,
    *,
    subjects: list[str],
    dark: bool,
    unit: str,
    low: float = 0,
    high: float = 100,
    show: Show = percent,
    title: str = "",
) -> alt.LayerChart:
    """A dot on a thick bar (95 % interval), grey tick for the period before, n at the right; rows as given."""
    colours = palette(dark)
    chart = alt.Chart(alt.InlineData(values=_rows(frame, show)))
    order = frame["subject"].tolist()
    y = alt.Y("subject:N", sort=order, scale=alt.Scale(domain=order), axis=category_axis(dark))
    colour = subject_colour(subjects)
    axis = alt.Axis(title=unit, grid=True, domain=False, tickCount=5, titlePadding=6)
    scale = alt.Scale(domain=[low, high], nice=False)
    x, x_low = (alt.X(f"{field}:Q", scale=scale, axis=axis) for field in ("rate", "low"))
    tooltip = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("text:N", title=_("Value")),
        alt.Tooltip("interval:N", title=_("95% interval")),
        alt.Tooltip("before:N", title=_("Period before")),
        alt.Tooltip("n:N", title="n"),
    ]
    bar = chart.transform_filter("isValid(datum.low)").mark_bar(
        height=5, cornerRadius=2.5, opacity=0.32, clip=True
    )
    tick = chart.transform_filter("isValid(datum.previous)").mark_tick(
        color=colours.muted, thickness=1.5, size=15, opacity=0.75
    )
    known = chart.transform_filter("isValid(datum.rate)")
    dot = known.transform_filter("!datum.few").mark_circle(size=84, opacity=1)
    hollow = known.transform_filter("datum.few").mark_point(
        size=64, strokeWidth=2, fill=colours.page, opacity=1
    )
    count = chart.mark_text(align="right", dx=52, fontSize=12, color=colours.muted)
    parts = [
        bar.encode(x=x_low, x2="high:Q", y=y, color=colour),
        tick.encode(x=alt.X("previous:Q", scale=scale, axis=axis), y=y),
        dot.encode(x=x, y=y, color=colour, tooltip=tooltip),
        hollow.encode(x=x, y=y, color=colour, tooltip=tooltip),
        count.encode(x=alt.value(alt.expr("width")), y=y, text="count:N"),
    ]
    height = ROW * max(len(order), 1) + AXIS
    return finish(parts, dark=dark, height=height, title=title or unit)


def _rows(frame: pd.DataFrame, show: Show) -> list[Row]:
    data = frame.reindex(columns=["subject", "rate", "low", "high", "n", "previous"])
    data["n"] = data["n"].fillna(0)
    return [_row(row, first=k == 0, show=show) for k, row in enumerate(data.to_dict("records"))]


def _row(row: Row, *, first: bool, show: Show) -> Row:
    """Only what is known: a missing rate has no dot, a missing interval no bar."""
    n = int(row["n"])
    made: Row = {"subject": row["subject"], "n": f"{n:,}", "count": f"n = {n:,}" if first else f"{n:,}"}
    made |= {key: short(row[key]) for key in ("rate", "previous") if known(row[key])}
    made["text"] = show(row["rate"]) if known(row["rate"]) else "–"
    made["before"] = show(row["previous"]) if known(row["previous"]) else "–"
    if n < 3:
        return made | {"few": True}
    if known(row["low"]):
        made |= {"low": short(row["low"]), "high": short(row["high"])}
        made["interval"] = interval(row["low"], row["high"], show)
    return made
