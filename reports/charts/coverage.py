"""How much of a whole is there: a bar on a grey track, one row a subject."""

import altair as alt
import pandas as pd

from language import _
from reports.charts.series import Row, short
from reports.charts.theme import category_axis, finish, palette, subject_colour

ROW = 27
THICKNESS = 10


def coverage(frame: pd.DataFrame, *, subjects: list[str], dark: bool, title: str = "") -> alt.LayerChart:
    """Share and counts at the right of each bar; rows as given."""
    colours = palette(dark)
    order = frame["subject"].tolist()
    chart = alt.Chart(
        alt.InlineData(values=[_row(row) for row in frame.fillna({"part": 0, "whole": 0}).to_dict("records")])
    )
    y = alt.Y("subject:N", sort=order, scale=alt.Scale(domain=order), axis=category_axis(dark))
    scale = alt.Scale(domain=[0, 1], nice=False)
    part, whole = (alt.X(f"{field}:Q", scale=scale, axis=None) for field in ("share", "one"))
    tooltip = [alt.Tooltip("subject:N", title="title"), alt.Tooltip("text:N", title=_("Coverage"))]
    text = chart.mark_text(align="left", dx=8, fontSize=12, color=colours.muted)
    parts = [
        chart.mark_bar(color=colours.border, height=THICKNESS, cornerRadius=2).encode(x=whole, y=y),
        chart.mark_bar(height=THICKNESS, cornerRadius=2).encode(
            x=part, y=y, color=subject_colour(subjects), tooltip=tooltip
        ),
        text.encode(x=alt.value(alt.expr("width")), y=y, text="text:N"),
    ]
    return finish(parts, dark=dark, height=ROW * max(len(order), 1) + 6, title=title)


def _row(row: Row) -> Row:
    part, whole = int(row["part"]), int(row["whole"])
    if whole == 0:
        return {"subject": row["subject"], "share": 0, "one": 1, "text": "–"}
    share = part / whole
    words = _("{percent}% · {part} of {whole}").format(
        percent=round(100 * share), part=f"{part:,}", whole=f"{whole:,}"
    )
    return {"subject": row["subject"], "share": short(share), "one": 1, "text": words}
