"""What was said against what came true: a point for each tenth of the forecasts, by how much was said."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from language import _
from reports.charts import scales
from reports.charts.layers import empty
from reports.charts.look import Look
from reports.charts.series import Row, short
from reports.charts.text import interval, signed
from reports.charts.theme import finish

HEIGHT = 290


def calibration(frame: pd.DataFrame, look: Look, *, height: int = HEIGHT) -> alt.LayerChart:
    """Mean move that came (with its 95 % interval) over mean move that was said; on the diagonal both are the same.

    Frame: subject, said, came, low, high, n; in the look's unit. The look's highlighted subjects are drawn.
    """
    shown = frame[frame["subject"].isin(look.highlighted)]
    if shown.empty:
        return empty(look, height)
    bound = _bound(shown)
    rows = [_row(row) for row in shown.to_dict("records")]
    x, y, low = _x(bound, look), _y(bound, look), _y(bound, look, "low:Q")
    colour = look.colour(look.highlighted)
    parts = [*_ground(bound, x, y, look), *_points(rows, (x, y, low), colour, look.palette.page)]
    return finish(parts, dark=look.dark, height=height, title=look.title or _("Said and come true"))


def _bound(shown: pd.DataFrame) -> float:
    """Both axes reach equally far, either way; a wide interval is cut off."""
    reach = max(shown["said"].abs().max(), shown["came"].abs().max())
    return scales.y_domain([-reach * 1.25, reach * 1.25])[1]


def _row(row: Row) -> Row:
    made: Row = {"subject": row["subject"], "said": short(row["said"]), "came": short(row["came"])}
    made |= {
        "n": f"{int(row['n']):,}",
        "said_text": signed(row["said"], 2),
        "came_text": signed(row["came"], 2),
    }
    if row["low"] == row["low"]:
        made |= {"low": short(row["low"]), "high": short(row["high"])}
        made["interval"] = interval(row["low"], row["high"], lambda value: signed(value, 2))
    return {"interval": "–"} | made


def _x(bound: float, look: Look) -> alt.X:
    axis = alt.Axis(title=_("said, {unit}").format(unit=look.unit), grid=False, tickCount=5, format="+~g")
    return alt.X("said:Q", scale=alt.Scale(domain=[-bound, bound], nice=False), axis=axis)


def _y(bound: float, look: Look, field: str = "came:Q") -> alt.Y:
    axis = scales.y_axis(scales.y_ticks(-bound, bound), _("came, {unit}").format(unit=look.unit))
    return alt.Y(field, scale=alt.Scale(domain=[-bound, bound], nice=False), axis=axis)


def _ground(bound: float, x: alt.X, y: alt.Y, look: Look) -> list[alt.Chart]:
    """The diagonal, and the two lines on which nothing was said or nothing came."""
    colours = look.palette
    lines: Sequence[tuple[str, float, float, float, float]] = (
        ("diagonal", -bound, -bound, bound, bound),
        ("said", 0, -bound, 0, bound),
        ("came", -bound, 0, bound, 0),
    )
    ends = [
        {"line": name, "said": said, "came": came}
        for name, said, came, said_too, came_too in lines
        for said, came in ((said, came), (said_too, came_too))
    ]
    chart = alt.Chart(alt.InlineData(values=ends))
    diagonal = chart.transform_filter("datum.line === 'diagonal'").mark_line(
        color=colours.muted, strokeDash=[6, 4], strokeWidth=1
    )
    others = chart.transform_filter("datum.line !== 'diagonal'").mark_line(
        color=colours.border, strokeWidth=1
    )
    return [mark.encode(x=x, y=y, detail="line:N") for mark in (others, diagonal)]


def _points(
    rows: list[Row], places: tuple[alt.X, alt.Y, alt.Y], colour: alt.Color, page: str
) -> list[alt.Chart]:
    x, y, low = places
    chart = alt.Chart(alt.InlineData(values=rows))
    told = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("said_text:N", title=_("Said")),
        alt.Tooltip("came_text:N", title=_("Came")),
        alt.Tooltip("interval:N", title=_("95% interval")),
        alt.Tooltip("n:N", title=_("n")),
    ]
    bars = chart.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=4, opacity=0.25, clip=True)
    dots = chart.mark_circle(size=64, opacity=1, stroke=page, strokeWidth=1, clip=True)
    ends = list({row["subject"]: row for row in sorted(rows, key=lambda row: float(row["said"]))}.values())
    names = alt.Chart(alt.InlineData(values=ends)).mark_text(
        align="left", dx=8, dy=-8, fontSize=12.5, fontWeight=600
    )
    return [
        bars.encode(x=x, y=low, y2="high:Q", color=colour),
        dots.encode(x=x, y=y, color=colour, tooltip=told),
        names.encode(x=x, y=y, color=colour, text="subject:N"),
    ]
