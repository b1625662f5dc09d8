"""Days × subjects, a cell each: which are there. The state is told by colour, by lightness and by a shape."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil
from typing import Any

import altair as alt
import pandas as pd

from language import N_, _
from reports.charts.look import Look
from reports.charts.series import Row
from reports.charts.text import day_name, period_name
from reports.charts.theme import NARROW, category_axis, finish

ROW, AXIS = 25, 26
GLYPHS = {"missing": "✕", "restated": "↻"}
STATES = {
    "complete": N_("complete"),
    "partial": N_("partial"),
    "missing": N_("missing"),
    "restated": N_("restated"),
}
ON_A_PHONE = 28  # days that a phone has room for: the last ones
NARROWEST = 9  # pixels of a cell that still has room for its glyph
SIZE = 12
PALE, DASH = 0.28, 5
TICKS = 8


def days(frame: pd.DataFrame, look: Look, *, selection: Sequence[str] = ()) -> alt.LayerChart:
    """A row for each of the look's highlighted subjects, in their order, over the look's span.

    Frame: subject, day, state, told (a line for the tooltip). `selection`: the name under which a click selects a
    cell (subject, period), and the one under which a drag selects a range (lists of both).
    """
    assert look.span is not None
    order, (first, last) = list(look.highlighted), look.span
    shown = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    rows = [_cell(row, last) for row in frame.to_dict("records")]
    known = {(row["subject"], row["period"]) for row in rows}
    ground = [
        _ground(subject, day, last)
        for subject in order
        for day in shown
        if (subject, day.isoformat()) not in known
    ]
    x, y = _x(shown, look), alt.Y("subject:N", sort=order, axis=category_axis(look.dark), scale=_bands(0.14))
    parts = [*_cells(rows, ground, look, x=x, y=y), *_glyphs(rows, look, len(shown), x=x, y=y)]
    parts += [*_left_out(len(shown), look), _hits(rows + ground, look, selection, x=x, y=y)]
    height = ROW * max(len(order), 1) + AXIS
    return finish(parts, dark=look.dark, height=height, title=look.title or _("Is every day there?"))


def _left_out(n: int, look: Look) -> list[alt.Chart]:
    """On a phone, above the cells: how many of the days are drawn."""
    if n <= ON_A_PHONE:
        return []
    told = _("the last {shown} of {n} days; all of them in the table").format(shown=ON_A_PHONE, n=n)
    chart: Any = alt.Chart(alt.InlineData(values=[{"left_out": told}]))
    # Size 0 and not opacity 0: an invisible text would still take room.
    size = alt.expr(f"{NARROW} ? {SIZE} : 0")
    text = chart.mark_text(
        align="left", baseline="bottom", dy=-6, fontSize=size, color=look.palette.muted, clip=False
    )
    return [text.encode(x=alt.value(0), y=alt.value(0), text="left_out:N")]


def _bands(padding: float) -> alt.Scale:
    return alt.Scale(paddingInner=padding, paddingOuter=padding / 2)


def _x(shown: Sequence[date], look: Look) -> alt.X:
    """Without a domain, so that a phone may leave days out: every day has cells, sorted by their dates."""
    ticks = {day.isoformat(): day_name(day) for day in _ticks(shown)}
    axis = alt.Axis(
        title=None,
        grid=False,
        domain=False,
        labelAngle=0,
        labelOverlap=True,
        labelAlign="left",
        values=list(ticks),
        labelExpr=f"{json.dumps(ticks, ensure_ascii=False)}[datum.value]",
    )
    return alt.X("period:O", sort="ascending", axis=axis, scale=_bands(0.16 if len(shown) < 120 else 0))


def _ticks(shown: Sequence[date]) -> Sequence[date]:
    """Every day of a few, else Mondays, the last one among them, so that also a phone has some."""
    mondays = [day for day in shown if day.weekday() == 0]
    every = ceil(len(mondays) / TICKS) or 1
    return shown if len(shown) <= TICKS else mondays[::-1][::every][::-1]


def _cell(row: Row, last: date) -> Row:
    state = row["state"]
    made = _ground(row["subject"], row["day"], last) | {"state": state, "told": row["told"]}
    made["name"] = _(STATES[state])
    return made | ({"glyph": GLYPHS[state]} if state in GLYPHS else {})


def _ground(subject: str, day: date, last: date) -> Row:
    made: Row = {"subject": subject, "period": day.isoformat()}
    return made | ({"recent": True} if (last - day).days < ON_A_PHONE else {})


def _over(rows: list[Row]) -> alt.Chart:
    chart: alt.Chart = alt.Chart(alt.InlineData(values=rows)).transform_filter(f"!({NARROW}) || datum.recent")
    return chart


def _cells(rows: list[Row], ground: list[Row], look: Look, *, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Pale where all is well, and with a dash through it where not all is there; hollow; dark."""
    colours = look.palette
    marks: dict[str, dict[str, Any]] = {
        "complete": {"color": colours.accent, "opacity": PALE},
        "partial": {"color": colours.partial, "opacity": PALE},
        "missing": {
            "color": colours.failed,
            "fillOpacity": 0.08,
            "stroke": colours.failed,
            "strokeWidth": 1.5,
        },
        "restated": {"color": colours.restated},
    }
    cells: list[tuple[alt.Chart, dict[str, Any]]] = [(_over(ground), {"color": colours.column})]
    cells += [(_over(_of(state, rows)), mark) for state, mark in marks.items()]
    cells.append((_over(_of("partial", rows)), {"color": colours.partial, "height": DASH}))
    return [chart.mark_rect(cornerRadius=2, **mark).encode(x=x, y=y) for chart, mark in cells]


def _narrow(n: int) -> str:
    """Whether a cell is too narrow for a glyph; a phone shows fewer cells."""
    return f"width / ({NARROW} ? {min(n, ON_A_PHONE)} : {n}) < {NARROWEST}"


def _glyphs(rows: list[Row], look: Look, n: int, *, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    size = alt.expr(f"{_narrow(n)} ? 0 : {SIZE}")
    paints = {"missing": look.palette.failed, "restated": look.palette.page}
    marks = [
        _over(_of(state, rows)).mark_text(fontSize=size, baseline="middle", dy=1, color=paint)
        for state, paint in paints.items()
    ]
    return [mark.encode(x=x, y=y, text="glyph:N") for mark in marks]


def _of(state: str, rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["state"] == state]


def _hits(rows: list[Row], look: Look, selection: Sequence[str], *, x: alt.X, y: alt.Y) -> alt.Chart:
    """Invisible cells over all: the tooltip, the click and the drag, and a frame around what is chosen."""
    names = {row["period"]: period_name(date.fromisoformat(row["period"]), "day") for row in rows}
    chart = _over(rows).transform_calculate(
        when=f"{json.dumps(names, ensure_ascii=False)}[datum.period]",
        name=f"datum.name || {json.dumps(_('nothing expected'), ensure_ascii=False)}",
        told="datum.told || '–'",
    )
    told = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("when:N", title=_("Day")),
        alt.Tooltip("name:N", title=_("State")),
        alt.Tooltip("told:N", title=_("Predictions")),
    ]
    if not selection:
        plain: alt.Chart = chart.mark_rect(opacity=0).encode(x=x, y=y, tooltip=told)
        return plain
    click, drag = selection
    pick = alt.selection_point(name=click, fields=["subject", "period"], empty=False)
    brush = alt.selection_interval(name=drag, encodings=["x", "y"], empty=False)
    marks = chart.mark_rect(
        fillOpacity=0, stroke=look.palette.text, strokeWidth=2, cornerRadius=2, cursor="pointer"
    )
    seen = alt.condition(pick, alt.value(1), alt.value(0))
    made: alt.Chart = marks.encode(x=x, y=y, tooltip=told, strokeOpacity=seen).add_params(pick, brush)
    return made
