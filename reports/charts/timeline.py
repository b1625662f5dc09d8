"""Which model each agent ran on, from when to when: a bar for each stretch, named where it has room."""

from datetime import date, timedelta

import altair as alt
import pandas as pd

from language import _
from reports.charts import scales
from reports.charts.layers import empty
from reports.charts.look import Look
from reports.charts.rates import AXIS, ROW
from reports.charts.series import Row
from reports.charts.text import day_name, text_width
from reports.charts.theme import category_axis, finish

WIDE = 700  # pixels that a name's room is guessed from
SIZE = 11.5


def timeline(frame: pd.DataFrame, look: Look) -> alt.LayerChart:
    """Frame: subject, model, begun, ended (days), told (what of it, for the tooltip), mark ('', or what befell it)."""
    if frame.empty or look.span is None:
        return empty(look, 120)
    order, colours = list(dict.fromkeys(frame["subject"])), look.palette
    first, last = look.span
    after = last + timedelta(days=1)
    x_scale = scales.x_scale(first, after, timedelta(0))
    axis = scales.x_axis(scales.x_ticks(first, last))
    x = alt.X("begun:Q", scale=x_scale, axis=axis)
    y = alt.Y("subject:N", sort=order, scale=alt.Scale(domain=order), axis=category_axis(look.dark))
    rows = [_row(row, first, after) for row in frame.to_dict("records")]
    chart = alt.Chart(alt.InlineData(values=rows))
    tones = alt.Scale(domain=["even", "odd", "back"], range=[colours.faint, colours.column, colours.declined])
    told = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("model:N", title=_("Model")),
        alt.Tooltip("when:N", title=_("From – to")),
        alt.Tooltip("told:N", title=_("Swap")),
    ]
    bars = chart.mark_bar(height=17, cornerRadius=2, stroke=colours.page, strokeWidth=1).encode(
        x=x, x2="ended:Q", y=y, color=alt.Color("tone:N", scale=tones, legend=None), tooltip=told
    )
    names = (
        chart.transform_filter("datum.room")
        .mark_text(
            align="left",
            dx=5,
            fontSize=SIZE,
            color=alt.expr(f"datum.tone === 'back' ? '{colours.page}' : '{colours.text}'"),
        )
        .encode(x=x, y=y, text="model:N", tooltip=told)
    )
    height = ROW * len(order) + AXIS
    return finish([bars, names], dark=look.dark, height=height, title=look.title or _("Models of the agents"))


def _row(row: Row, first: date, after: date) -> Row:
    begun, ended = max(row["begun"], first), min(row["ended"], after)
    share = (ended - begun).days / max((after - first).days, 1)
    return {
        "subject": row["subject"],
        "model": row["model"],
        "begun": scales.milliseconds(begun),
        "ended": scales.milliseconds(ended),
        "when": f"{day_name(row['begun'])} – {day_name(row['ended'])}",
        "told": row["told"] or "–",
        "tone": "back" if row["mark"] else row["tone"],
        "room": share * WIDE > text_width(str(row["model"]), SIZE) + 12,
    }
