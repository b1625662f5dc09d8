"""Domains, ticks and the two axes that time charts share."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil, floor, isfinite, log10

import altair as alt

from reports.charts.series import Row
from reports.charts.text import day_name, month, month_of_year

# What stands above the plot (the unit) and below it (the labels of the time axis), in pixels.
AROUND_PLOT = 54


def milliseconds(day: date, later: timedelta = timedelta(0)) -> int:
    """Midnight UTC. Time is a plain number here: ticks and their names are ours, so no zone can shift a day."""
    return int((datetime(day.year, day.month, day.day, tzinfo=UTC) + later).timestamp() * 1000)


def step_for(span: float, count: int = 6) -> float:
    """The round step (1, 2, 2.5 or 5 times a power of ten) that gives at most so many."""
    rough = span / count
    power = 10.0 ** floor(log10(rough))
    return power * next((m for m in (1, 2, 2.5, 5) if m * power >= rough), 10)


def y_domain(
    values: Iterable[float], low: float | None = None, high: float | None = None
) -> tuple[float, float]:
    """Round bounds around the values; a bound that is given stays as it is."""
    found = [value for value in values if isfinite(value)] or [0.0, 1.0]
    bottom, top = min(found), max(found)
    if top - bottom < 1e-9:
        bottom, top = bottom - 1, top + 1
    step = step_for((top if high is None else high) - (bottom if low is None else low) or 1.0)
    bottom = floor(bottom / step) * step if low is None else low
    top = ceil(top / step) * step if high is None else high
    return bottom, top if top > bottom else bottom + step


def y_ticks(low: float, high: float, count: int = 6) -> list[float]:
    step = step_for(high - low, count)
    return [round(k * step, 10) for k in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def y_axis(ticks: list[float], unit: str) -> alt.Axis:
    """The unit stands horizontally above the axis; the plot may go on above the last tick."""
    widest = max((len(f"{tick:,g}") for tick in ticks), default=0)
    return alt.Axis(
        values=ticks,
        tickCount=len(ticks),  # without it Vega thins the values by height
        title=unit or None,
        titleAngle=0,
        titleAlign="left",
        titleAnchor="end",
        titleBaseline="bottom",
        titleX=-7 * widest - 8,
        titleY=-10,
        grid=True,
        domain=False,
        labelExpr="replace(format(datum.value, ',~g'), '-', '−')",
    )


def x_ticks(first: date, last: date, most: int = 13) -> dict[date, str]:
    """Days, Mondays or months, whichever is readable; January carries its year."""
    days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    if len(days) <= 10:
        return {day: day_name(day) for day in days}
    if len(days) <= 75:
        mondays = [day for day in days if day.weekday() == 0]
        every = ceil(len(mondays) / 8) or 1
        return {day: day_name(day) for day in mondays[::every]}
    starts = [day for day in days if day.day == 1]
    every = next(n for n in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200) if len(starts) <= most * n)
    kept = [day for day in starts if (12 * day.year + day.month - 1) % every == 0]
    return {day: month_of_year(day) if day.month == 1 else month(day) for day in kept}


def x_axis(ticks: dict[date, str]) -> alt.Axis:
    names = json.dumps({str(milliseconds(day)): name for day, name in ticks.items()}, ensure_ascii=False)
    return alt.Axis(
        values=[milliseconds(day) for day in ticks],
        tickCount=max(len(ticks), 1),
        title=None,
        grid=False,
        domain=True,
        ticks=True,
        tickSize=4,
        labelExpr=f"{names}[datum.value]",
        labelOverlap=True,
    )


def x_scale(first: date, last: date, padding: timedelta) -> alt.Scale:
    """From first to last, with room at the end for an unfinished period; a single period gets both sides."""
    domain = [milliseconds(first, -padding if first == last else timedelta(0)), milliseconds(last, padding)]
    return alt.Scale(domain=domain, nice=False, zero=False)


def y_scale(low: float, high: float) -> alt.Scale:
    return alt.Scale(domain=[low, high], nice=False, zero=False)


@dataclass(frozen=True)
class Axes:
    """The two axes of one chart and the rows drawn over them; all layers use the same, so Vega merges nothing."""

    x_scale: alt.Scale
    y_scale: alt.Scale
    x_axis: alt.Axis | None = None
    y_axis: alt.Axis | None = None
    datasets: dict[str, list[Row]] = field(default_factory=dict)

    def x(self, field: str = "at:Q") -> alt.X:
        return alt.X(field, scale=self.x_scale, axis=self.x_axis)

    def y(self, field: str = "value:Q") -> alt.Y:
        return alt.Y(field, scale=self.y_scale, axis=self.y_axis)

    def over(self, rows: list[Row]) -> alt.Chart:
        """A chart over rows given by name: Altair would copy and check every row in every layer.

        They go to the browser as they are, days as text, so that no date passes through a time zone.
        """
        names = [name for name, known in self.datasets.items() if known is rows]
        name = names[0] if names else f"rows-{len(self.datasets)}"
        self.datasets[name] = rows
        return alt.Chart(alt.NamedData(name=name)).transform_calculate(at="toDate(datum.period)")
