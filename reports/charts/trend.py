"""A line per subject over time: some in colour with their band, the others grey, and what happened above."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import altair as alt
import pandas as pd

from db.clock import week_start
from reports.charts import labels, layers, scales, series
from reports.charts.look import Look
from reports.charts.text import STEP
from reports.charts.theme import finish

HEIGHT = 350
LABEL_GAP = 16


@dataclass(frozen=True)
class Plot:
    """Dates from first to last, values from low to high, lanes for events from high to top."""

    first: date
    last: date
    low: float
    high: float
    top: float
    per_pixel: float
    padding: timedelta

    def lane(self, k: int) -> float:
        return self.top - (k * labels.LANE_HEIGHT + labels.LANE_HEIGHT / 2) * self.per_pixel


def trend(
    frame: pd.DataFrame,
    look: Look,
    *,
    previous: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    targets: Sequence[float] = (),
    selection: str | None = None,
    height: int = HEIGHT,
) -> alt.LayerChart:
    """Highlighted subjects (four are readable) in colour, the rest grey; the look's low and high bound the axis.

    Frame: subject, period (a day, or the Monday of a week), value, and where known low, high, n, unfinished,
    restated (what to tell of a value that changed long after it was complete); events: period, kind, label.
    `previous` has the same columns, already moved on to the current periods. With `selection`, a click on a point
    selects its subject and period under that name.
    """
    data, before = series.prepare(frame, look.grain), _before(previous, look)
    if data.empty:
        return layers.empty(look, height)
    days, rows = _days(data, look), series.rows(data, look.highlighted, look.grain, look.show)
    placed = labels.lay_out(events, *days)
    plot = _plot(_reach(data, before, targets, look), _padded(data, days, look), placed, look, height)
    axes, colours, colour = _axes(plot, look.unit), look.palette, look.colour(look.highlighted)
    parts = [
        *layers.column(data, axes, look.grain, colours),
        *layers.targets(targets, axes, look.show, colours),
        *layers.ghosts(rows, axes, colours),
        *layers.rules(placed, plot.low, plot.lane, axes, colours),
        *_in_colour(rows, before, axes, look),
        *layers.names(_names(data, plot, look), axes, colour),
        *layers.event_texts(placed, plot.lane, axes, colours),
        layers.hits(rows, axes, colour, colours, selection),
    ]
    return finish(parts, datasets=axes.datasets, dark=look.dark, height=height, title=look.title)


def _in_colour(rows: list[series.Row], before: pd.DataFrame, axes: scales.Axes, look: Look) -> layers.Layers:
    colours, colour = look.palette, look.colour(look.highlighted)
    earlier = series.rows(before, look.highlighted, look.grain, look.show)
    return [
        *layers.bands(rows, axes, colour, colours),
        *layers.before(earlier, axes, colour),
        *layers.lines(rows, axes, colour, colours),
        *layers.restated(rows, axes, colours),
    ]


def _before(previous: pd.DataFrame | None, look: Look) -> pd.DataFrame:
    """The period before, of the first highlighted only: with more it would be a thicket."""
    frame = pd.DataFrame(columns=series.COLUMNS) if previous is None else previous
    return series.prepare(frame[frame["subject"].isin(look.highlighted[:1])], look.grain)


def _days(data: pd.DataFrame, look: Look) -> tuple[date, date]:
    """First and last period: those of the data, and those asked for; a week stands at its Monday."""
    days = [data["at"].min().date(), data["at"].max().date(), *(look.span or ())]
    first, last = min(days), max(days)
    return (first, last) if look.grain == "day" else (week_start(first), week_start(last))


def _padded(data: pd.DataFrame, days: tuple[date, date], look: Look) -> tuple[date, date, timedelta]:
    """With room at the right for half a period that is not over, or around a single one."""
    newest = data[data["at"].dt.date == days[1]]
    half = STEP[look.grain] / 2 if newest["unfinished"].any() else timedelta(0)
    return *days, STEP[look.grain] * 1.5 if days[0] == days[1] else half


def _reach(data: pd.DataFrame, before: pd.DataFrame, targets: Sequence[float], look: Look) -> pd.Series:
    """All values that the axis must hold."""
    shown = data[data["subject"].isin(look.highlighted)]
    columns = [data["value"], shown["low"], shown["high"], before["value"], pd.Series(targets, dtype=float)]
    values: pd.Series = pd.concat(columns).dropna()
    return values


def _plot(
    values: pd.Series,
    padded: tuple[date, date, timedelta],
    placed: Sequence[labels.Event],
    look: Look,
    height: int,
) -> Plot:
    """The room of the lanes is added to the values, so that no line runs through a label."""
    first, last, padding = padded
    low, high = scales.y_domain(values, look.low, look.high)
    used = max((event.lane + 1 for event in placed if event.lane is not None), default=0)
    pixels = height - scales.AROUND_PLOT
    per_pixel = (high - low) / (pixels - used * labels.LANE_HEIGHT - (6 if used else 0))
    return Plot(first, last, low, high, low + pixels * per_pixel if used else high, per_pixel, padding)


def _axes(plot: Plot, unit: str) -> scales.Axes:
    return scales.Axes(
        scales.x_scale(plot.first, plot.last, plot.padding),
        scales.y_scale(plot.low, plot.top),
        scales.x_axis(scales.x_ticks(plot.first, plot.last)),
        scales.y_axis(scales.y_ticks(plot.low, plot.high), unit),
    )


def _names(data: pd.DataFrame, plot: Plot, look: Look) -> list[series.Row]:
    """Names at the right edge, spread; a line that ended long before has its name where it ended."""
    ends = data[data["end"] & data["subject"].isin(look.highlighted)]
    late = ends["at"].dt.date >= plot.last - 2 * STEP[look.grain]
    values = ends["value"].clip(plot.low, plot.high)
    places = labels.spread(values[late].tolist(), LABEL_GAP * plot.per_pixel, plot.low, plot.top)
    values[late] = places
    edge = scales.milliseconds(plot.last, plot.padding)
    return [
        {
            "subject": subject,
            "at": edge if at_edge else scales.milliseconds(at.date()),
            "value": series.short(value),
        }
        for subject, at, at_edge, value in zip(ends["subject"], ends["at"], late, values, strict=True)
    ]
