"""A line per subject over time: some in colour with their band, the others grey, and what happened above."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import altair as alt
import pandas as pd

from language import _
from reports.charts import labels, layers, scales, series
from reports.charts.text import STEP, Grain, Show, monday, number
from reports.charts.theme import finish, palette, subject_colour

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
    *,
    subjects: list[str],
    highlighted: list[str],
    title: str,
    unit: str,
    low: float | None,
    high: float | None,
    grain: Grain,
    dark: bool,
    previous: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    targets: list[float] | None = None,
    selection: str | None = None,
    span: tuple[date, date] | None = None,
    show: Show = number,
    empty_text: str = "",
    height: int = HEIGHT,
) -> alt.LayerChart:
    """Highlighted subjects (four are readable) in colour, the rest grey; `low` and `high` bound the axis.

    Frame: subject, period (a day, or the Monday of a week), value, and where known low, high, n, unfinished;
    events: period, kind, label. `previous` has the same columns, already moved on to the current periods.
    `span` keeps the time axis on the period asked for where the data begin later or end earlier.
    With `selection`, a click on a point selects its subject and period under that name.
    """
    colours = palette(dark)
    data = series.prepare(frame, grain)
    before = _before(previous, highlighted, grain)
    if data.empty:
        return layers.empty(
            span, low, high, unit, empty_text or _("no data in this period"), dark, height, title
        )
    days = _days(data, span, grain)
    placed = labels.lay_out(events, *days)
    shown = data[data["subject"].isin(highlighted)]
    plot = _plot(data, shown, before, targets or [], days, (low, high), grain, placed, height)
    found = series.rows(data, highlighted, grain, show)
    axes = _axes(plot, unit)
    colour = subject_colour(subjects)
    parts = [
        *layers.column(data, axes, grain, colours),
        *layers.targets(targets or [], axes, show, colours),
        *layers.ghosts(found, axes, colours),
        *layers.rules(placed, plot.low, plot.lane, axes, colours),
        *layers.bands(found, axes, colour, colours),
        *layers.before(series.rows(before, highlighted, grain, show), axes, colour),
        *layers.lines(found, axes, colour, colours),
        *layers.names(_names(shown, plot, grain), axes, colour),
        *layers.event_texts(placed, plot.lane, axes, colours),
        layers.hits(found, axes, colour, selection),
    ]
    return finish(parts, datasets=axes.datasets, dark=dark, height=height, title=title)


def _before(previous: pd.DataFrame | None, highlighted: list[str], grain: Grain) -> pd.DataFrame:
    """The period before, of the first highlighted only: with more it would be a thicket."""
    frame = pd.DataFrame(columns=series.COLUMNS) if previous is None else previous
    return series.prepare(frame[frame["subject"].isin(highlighted[:1])], grain)


def _plot(
    data: pd.DataFrame,
    shown: pd.DataFrame,
    before: pd.DataFrame,
    targets: list[float],
    days: tuple[date, date],
    bounds: tuple[float | None, float | None],
    grain: Grain,
    placed: Sequence[labels.Event],
    height: int,
) -> Plot:
    """The room of the lanes is added to the values, so that no line runs through a label."""
    columns = [data["value"], shown["low"], shown["high"], before["value"], pd.Series(targets, dtype=float)]
    low, high = scales.y_domain(pd.concat(columns).dropna(), *bounds)
    used = max((event.lane + 1 for event in placed if event.lane is not None), default=0)
    pixels = height - scales.AROUND_PLOT
    per_pixel = (high - low) / (pixels - used * labels.LANE_HEIGHT - (6 if used else 0))
    newest = data[data["at"].dt.date == days[1]]
    half = STEP[grain] / 2 if newest["unfinished"].any() else timedelta(0)
    padding = STEP[grain] * 1.5 if days[0] == days[1] else half
    return Plot(*days, low, high, low + pixels * per_pixel if used else high, per_pixel, padding)


def _days(data: pd.DataFrame, span: tuple[date, date] | None, grain: Grain) -> tuple[date, date]:
    """First and last period: those of the data, and those asked for; a week stands at its Monday."""
    days = [data["at"].min().date(), data["at"].max().date(), *(span or ())]
    first, last = min(days), max(days)
    return (first, last) if grain == "day" else (monday(first), monday(last))


def _axes(plot: Plot, unit: str) -> scales.Axes:
    return scales.Axes(
        scales.x_scale(plot.first, plot.last, plot.padding),
        scales.y_scale(plot.low, plot.top),
        scales.x_axis(scales.x_ticks(plot.first, plot.last)),
        scales.y_axis(scales.y_ticks(plot.low, plot.high), unit),
    )


def _names(shown: pd.DataFrame, plot: Plot, grain: Grain) -> list[series.Row]:
    """Names at the right edge, spread; a line that ended long before has its name where it ended."""
    ends = shown[shown["end"]]
    late = ends["at"].dt.date >= plot.last - 2 * STEP[grain]
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
