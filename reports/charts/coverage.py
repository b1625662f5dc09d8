"""How much of a whole is there: a bar on a grey track, one row a subject."""

import altair as alt
import pandas as pd

from language import _
from reports.charts.look import Look
from reports.charts.series import Row, short
from reports.charts.text import text_width
from reports.charts.theme import NARROW, category_axis, finish

ROW = 27
THICKNESS = 10
SIZE = 12
# From the end of the bars to the right edge of the share, and from there to the widest counts, in pixels.
SHARE, BETWEEN = 44, 18


def coverage(frame: pd.DataFrame, look: Look) -> alt.LayerChart:
    """Share and counts at the right of each bar, each in its column; rows as given."""
    rows = [_row(row) for row in frame.fillna({"part": 0, "whole": 0}).to_dict("records")]
    order = frame["subject"].tolist()
    chart = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("subject:N", sort=order, scale=alt.Scale(domain=order), axis=category_axis(look.dark))
    scale = alt.Scale(domain=[0, 1], nice=False)
    part, whole = (alt.X(f"{field}:Q", scale=scale, axis=None) for field in ("share", "one"))
    tooltip = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("percent:N", title=_("Coverage")),
        alt.Tooltip("counts:N", title=_("Predictions")),
    ]
    bar = chart.mark_bar(height=THICKNESS, cornerRadius=2)
    parts = [
        chart.mark_bar(color=look.palette.border, height=THICKNESS, cornerRadius=2).encode(x=whole, y=y),
        bar.encode(x=part, y=y, color=look.colour(order), tooltip=tooltip),
        *_texts(chart, y, rows, look),
    ]
    return finish(parts, dark=look.dark, height=ROW * max(len(order), 1) + 6, title=look.title)


def _texts(chart: alt.Chart, y: alt.Y, rows: list[Row], look: Look) -> list[alt.Chart]:
    """Right-aligned, so that digits stand under digits; on a phone the counts are in the tooltip only."""
    colours, edge = look.palette, alt.value(alt.expr("width"))
    widest = max((text_width(row["counts"], SIZE) for row in rows), default=0)
    share = chart.mark_text(align="right", dx=SHARE, fontSize=SIZE, color=colours.text)
    counts = chart.mark_text(
        align="right",
        dx=alt.expr(f"{NARROW} ? {SHARE} : {SHARE + BETWEEN + round(widest)}"),
        fontSize=alt.expr(f"{NARROW} ? 0 : {SIZE}"),
        color=colours.muted,
    )
    return [share.encode(x=edge, y=y, text="percent:N"), counts.encode(x=edge, y=y, text="counts:N")]


def _row(row: Row) -> Row:
    part, whole = int(row["part"]), int(row["whole"])
    share = part / whole if whole else 0
    counts = _("{part} of {whole}").format(part=f"{part:,}", whole=f"{whole:,}") if whole else ""
    percent = f"{100 * share:.0f}%" if whole else "–"
    return {"subject": row["subject"], "share": short(share), "one": 1, "percent": percent, "counts": counts}
