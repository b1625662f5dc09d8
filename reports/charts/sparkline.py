"""One small line without axes: the shape of the last periods, and where it stands.

A page shows some twenty of them. Each is a picture, not a chart of the browser's library: that takes 10 to 20 ms for
each, in which the chart that one came for is not drawn yet.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Literal

import pandas as pd

from reports.charts.look import Look
from reports.charts.series import Row, prepare, rows
from reports.charts.text import STEP

# The picture is as wide as its place: pixels in height, parts of the whole in width.
WIDTH, HEIGHT, EDGE = 1000, 46, 12
Tone = Literal["plain", "improved", "declined"]
Point = tuple[float, float]


@dataclass(frozen=True)
class Sparkline:
    """An SVG picture, which may be stretched, and what each of its periods says, from left to right, equally wide."""

    svg: str
    told: Sequence[str]

    def html(self) -> str:
        """The picture, and over it a strip for each period that names it under the mouse."""
        known = [told for told in self.told if told]
        ends = escape(" … ".join(dict.fromkeys([known[0], known[-1]])) if known else "")
        picture = f"data:image/svg+xml;base64,{b64encode(self.svg.encode()).decode()}"
        strips = "".join(
            f'<span style="flex:1" title="{escape(told)}"></span>' if told else '<span style="flex:1"></span>'
            for told in self.told
        )
        over = f"position:absolute;inset:0 {100 * EDGE / WIDTH:g}%;display:flex"
        return (
            f'<div style="position:relative;height:{HEIGHT}px">'
            f'<img alt="{ends}" src="{picture}" style="width:100%;height:{HEIGHT}px;display:block">'
            f'<div style="{over}">{strips}</div></div>'
        )


def sparkline(frame: pd.DataFrame, look: Look, *, tone: Tone = "plain") -> Sparkline:
    """Grey line in a grey band; the last step and the last dot wear the colour of the verdict.

    A period without a value is a gap. `frame` has a row a period: period, value, and low, high, n where known.
    """
    data = prepare(frame.assign(subject=""), look.grain)
    if data.empty:
        return Sparkline(_svg([]), [])
    found = rows(data, [""], look.grain, look.show)
    first = data["at"].min()
    places = [round((at - first) / STEP[look.grain]) for at in data["at"]]
    count = places[-1] + 1
    across = [EDGE + (WIDTH - 2 * EDGE) * (place + 0.5) / count for place in places]
    told = [""] * count
    for place, row in zip(places, found, strict=True):
        told[place] = _told(row)
    return Sparkline(_svg(_parts(found, across, _bounds(data), tone, look)), told)


def _told(row: Row) -> str:
    said = f"{row['when']}: {row['text']}"
    return said if row["interval"] == "–" else f"{said} ({row['interval']})"


def _bounds(data: pd.DataFrame) -> Point:
    """Made for the line: a wide interval of one poor week is cut off instead of flattening the rest."""
    bottom, top = data["value"].min(), data["value"].max()
    room = (top - bottom) * 0.6 or abs(top) * 0.05 or 1.0
    low, high = data["low"].min(), data["high"].max()
    return (
        bottom - room * 0.2 if pd.isna(low) else max(min(low, bottom - room * 0.2), bottom - room),
        top + room * 0.2 if pd.isna(high) else min(max(high, top + room * 0.2), top + room),
    )


def _parts(found: list[Row], across: list[float], bounds: Point, tone: Tone, look: Look) -> Iterable[str]:
    colours, (low, high) = look.palette, bounds
    tones = {"plain": colours.muted, "improved": colours.improved, "declined": colours.declined}

    def height(value: float) -> float:
        return HEIGHT * (high - value) / (high - low)

    points = [(x, height(row["value"])) for x, row in zip(across, found, strict=True)]
    for band, own in _runs(found, "band"):
        upper = [(across[k], height(found[k]["high"])) for k in own if band]
        lower = [(across[k], height(found[k]["low"])) for k in reversed(own) if band]
        if len(upper) > 1:
            yield f'<path d="{_path(upper + lower)}Z" fill="{colours.faint}" fill-opacity=".35"/>'
    for _segment, own in _runs(found, "segment"):
        line = [points[k] for k in own]
        yield _line(line, colours.muted, 1.5) if len(own) > 1 else _dot(line[0], colours.muted, 3.5)
    if len(found) > 1 and found[-1]["segment"] == found[-2]["segment"]:
        yield _line(points[-2:], tones[tone], 2)
    yield _dot(points[-1], tones[tone], 6.5)


def _runs(found: list[Row], field: str) -> Iterable[tuple[int | None, list[int]]]:
    """The rows that follow each other with the same value, by their numbers."""
    return ((value, list(run)) for value, run in groupby(range(len(found)), lambda k: found[k].get(field)))


def _svg(parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f"{''.join(parts)}</svg>"
    )


def _line(points: Sequence[Point], colour: str, width: float) -> str:
    """A width in pixels, whatever the picture is stretched to."""
    drawn = f'fill="none" stroke="{colour}" stroke-width="{width}" vector-effect="non-scaling-stroke"'
    return f'<path d="{_path(points)}" {drawn} stroke-linecap="round" stroke-linejoin="round"/>'


def _dot(point: Point, colour: str, width: float) -> str:
    """A line without length, whose round ends stay round in a picture that is stretched."""
    return _line([point, point], colour, width)


def _path(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
