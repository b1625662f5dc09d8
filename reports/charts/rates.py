"""Values with their interval over a whole period, one row a subject."""

from typing import Any

import altair as alt
import pandas as pd

from jobs.formulas.intervals import BAND_FROM
from language import _
from reports.charts.look import Look
from reports.charts.series import Row, known, short, tooltip
from reports.charts.text import Show, interval, number
from reports.charts.theme import category_axis, finish

ROW = 27
AXIS = 42


def percent(value: float) -> str:
    return f"{number(value)}%"


def rates(frame: pd.DataFrame, look: Look) -> alt.LayerChart:
    """A dot on a thick bar (95 % interval), grey tick for the period before, n at the right; rows as given."""
    order = frame["subject"].tolist()
    colours, colour = look.palette, look.colour(order)
    chart = alt.Chart(alt.InlineData(values=_rows(frame, look.show)))
    axis = alt.Axis(title=look.unit, grid=True, domain=False, tickCount=5, titlePadding=6)
    bounds = [0 if look.low is None else look.low, 100 if look.high is None else look.high]
    scale = alt.Scale(domain=bounds, nice=False)
    x, low, before = (alt.X(f"{name}:Q", scale=scale, axis=axis) for name in ("rate", "low", "previous"))
    y = alt.Y("subject:N", sort=order, scale=alt.Scale(domain=order), axis=category_axis(look.dark))
    bar = chart.transform_filter("isValid(datum.low)").mark_bar(
        height=5, cornerRadius=2.5, opacity=0.32, clip=True
    )
    tick = chart.transform_filter("isValid(datum.previous)").mark_tick(
        color=colours.muted, thickness=1.5, size=15, opacity=0.75
    )
    count = chart.mark_text(align="right", dx=52, fontSize=12, color=colours.muted)
    parts = [
        bar.encode(x=low, x2="high:Q", y=y, color=colour),
        tick.encode(x=before, y=y),
        *_dots(chart, colours.page, x=x, y=y, color=colour),
        count.encode(x=alt.value(alt.expr("width")), y=y, text="count:N"),
    ]
    height = ROW * max(len(order), 1) + AXIS
    return finish(parts, dark=look.dark, height=height, title=look.title or look.unit)


def _dots(chart: alt.Chart, page: str, **places: Any) -> list[alt.Chart]:
    """Full where there are enough rows for an interval, else hollow."""
    known = chart.transform_filter("isValid(datum.rate)")
    full = known.transform_filter("!datum.few").mark_circle(size=84, opacity=1)
    hollow = known.transform_filter("datum.few").mark_point(size=64, strokeWidth=2, fill=page, opacity=1)
    told = tooltip(before=_("Period before"))
    return [full.encode(tooltip=told, **places), hollow.encode(tooltip=told, **places)]


def _rows(frame: pd.DataFrame, show: Show) -> list[Row]:
    data = frame.reindex(columns=["subject", "rate", "low", "high", "n", "previous"])
    data["n"] = data["n"].fillna(0)
    return [_row(row, first=k == 0, show=show) for k, row in enumerate(data.to_dict("records"))]


def _row(row: Row, *, first: bool, show: Show) -> Row:
    """Only what is known: a missing rate has no dot, a missing interval no bar."""
    n = int(row["n"])
    count = _("n = {n}").format(n=f"{n:,}") if first else f"{n:,}"
    made: Row = {"subject": row["subject"], "n": f"{n:,}", "count": count}
    made |= {key: short(row[key]) for key in ("rate", "previous") if known(row[key])}
    made["text"] = show(row["rate"]) if known(row["rate"]) else "–"
    made["before"] = show(row["previous"]) if known(row["previous"]) else "–"
    if n < BAND_FROM:
        return made | {"few": True}
    if known(row["low"]):
        made |= {"low": short(row["low"]), "high": short(row["high"])}
        made["interval"] = interval(row["low"], row["high"], show)
    return made
