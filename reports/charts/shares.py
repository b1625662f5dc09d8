"""Shares of a whole over time, as steps on each other: who carries how much, and what moved it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import altair as alt
import pandas as pd

from language import _
from reports.charts import labels, layers, scales
from reports.charts.look import Look
from reports.charts.series import Row, short
from reports.charts.text import period_name
from reports.charts.theme import finish

HEIGHT = 320
LABEL_GAP = 16
LANES_FROM = 6  # pixels between the plot and the lanes of events


@dataclass(frozen=True)
class _Room:
    """Shares from 0 to 100, and above them, in the same unit, the lanes of events."""

    top: float
    per_pixel: float

    def lane(self, k: int) -> float:
        return self.top - (k * labels.LANE_HEIGHT + labels.LANE_HEIGHT / 2) * self.per_pixel


def shares(
    frame: pd.DataFrame,
    look: Look,
    *,
    events: pd.DataFrame | None = None,
    limits: Sequence[float] = (),
    height: int = HEIGHT,
) -> alt.LayerChart:
    """Each of the look's highlighted subjects on top of those before it; a share holds until the next one.

    Frame: subject, period (the day from which it holds), value (0–100); every subject on each day, and of several rows
    of a day the last one holds. The look's span bounds the time. `limits` are dotted lines; events: period, kind,
    label.
    """
    if frame.empty or look.span is None:
        return layers.empty(look, height)
    first, last = look.span
    placed = labels.lay_out(events, first, last)
    room = _room(placed, height)
    axes = scales.Axes(
        scales.x_scale(first, last, timedelta(hours=12) if first == last else timedelta(0)),
        scales.y_scale(0, room.top),
        scales.x_axis(scales.x_ticks(first, last)),
        scales.y_axis([0, 25, 50, 75, 100], look.unit),
    )
    rows = _stacked(frame, look, first, last)
    colour = look.colour(look.highlighted)
    parts = [
        *_areas(rows, axes, colour),
        *_limits(limits, axes, look),
        *layers.names(_names(rows, last, room), axes, colour, "label:N"),
        *layers.rules(placed, 0, room.lane, axes, look.palette),
        *layers.event_texts(placed, room.lane, axes, look.palette),
        _hits(rows, axes, look),
    ]
    return finish(parts, datasets=axes.datasets, dark=look.dark, height=height, title=look.title or look.unit)


def _room(placed: Sequence[labels.Event], height: int) -> _Room:
    used = max((event.lane + 1 for event in placed if event.lane is not None), default=0)
    pixels = height - scales.AROUND_PLOT
    per_pixel = 100 / (pixels - used * labels.LANE_HEIGHT - (LANES_FROM if used else 0))
    return _Room(pixels * per_pixel if used else 100.0, per_pixel)


def _stacked(frame: pd.DataFrame, look: Look, first: date, last: date) -> list[Row]:
    """Lower and upper edge of each share at each step, from the first to the last day shown."""
    table = frame.pivot_table(index="period", columns="subject", values="value", aggfunc="last").sort_index()
    table = table.reindex(columns=[name for name in look.highlighted if name in table.columns]).ffill()
    before = table[table.index <= first].tail(1)
    inside = table[(table.index > first) & (table.index <= last)]
    steps = pd.concat([before.set_axis([first]) if len(before) else before, inside])
    if steps.empty:
        return []
    if steps.index[-1] != last:
        steps = pd.concat([steps, steps.tail(1).set_axis([last])])
    days: list[date] = list(steps.index)
    shown = steps.fillna(0).to_numpy(dtype=float)
    rows: list[Row] = []
    for day, values, tops in zip(days, shown, shown.cumsum(axis=1), strict=True):
        rows += [
            {
                "subject": name,
                "period": day.isoformat(),
                "low": short(high - share),
                "value": short(high),
                "share": f"{share:.0f}%",
                "when": period_name(day, "day"),
                "end": day == days[-1],
            }
            for name, share, high in zip(steps.columns, values, tops, strict=True)
        ]
    return rows


def _areas(rows: list[Row], axes: scales.Axes, colour: alt.Color) -> list[alt.Chart]:
    chart = axes.over(rows)
    area = chart.mark_area(interpolate="step-after", opacity=0.3, clip=True)
    edge = chart.mark_line(interpolate="step-after", strokeWidth=1.5, clip=True)
    return [
        area.encode(x=axes.x(), y=axes.y("low:Q"), y2="value:Q", color=colour),
        edge.encode(x=axes.x(), y=axes.y(), color=colour),
    ]


def _limits(values: Sequence[float], axes: scales.Axes, look: Look) -> list[alt.Chart]:
    if not values:
        return []
    chart = alt.Chart(alt.InlineData(values=[{"value": value} for value in values]))
    rule = chart.mark_rule(color=look.palette.muted, strokeDash=[2, 3], opacity=0.8)
    return [rule.encode(y=axes.y())]


def _names(rows: list[Row], last: date, room: _Room) -> list[Row]:
    """Each name with its share at the right, in the middle of its area."""
    ends = [row for row in rows if row["end"]]
    middles = [(row["low"] + row["value"]) / 2 for row in ends]
    placed = labels.spread(middles, LABEL_GAP * room.per_pixel, 0, 100)
    at = scales.milliseconds(last)
    return [
        {
            "subject": row["subject"],
            "label": f"{row['subject']} {row['share']}",
            "at": at,
            "value": short(place),
        }
        for row, place in zip(ends, placed, strict=True)
    ]


def _hits(rows: list[Row], axes: scales.Axes, look: Look) -> alt.Chart:
    """Invisible points at the edges, with what holds from there on."""
    told = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("when:N", title=_("From")),
        alt.Tooltip("share:N", title=_("Weight")),
    ]
    marks: alt.Chart = axes.over(rows).mark_circle(opacity=0, size=240, color=look.palette.muted)
    return marks.encode(x=axes.x(), y=axes.y(), tooltip=told)
