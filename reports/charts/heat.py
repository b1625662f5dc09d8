"""Codes × horizons, a cell each: how much one member counts there, by colour and in figures."""

import altair as alt
import pandas as pd

from language import _
from reports.charts.look import Look
from reports.charts.series import Row
from reports.charts.theme import NARROW, category_axis, finish

ROW, AXIS = 27, 30
SIZE = 12
# From one member to the other, pale where both count alike; the theme's own for what is low and what is high.
LIGHT = ["#B5651D", "#F3E3D0", "#F1F6FA", "#B8D3EA", "#0F5E9C"]
DARK = ["#E89553", "#5A3E28", "#18232F", "#264B6B", "#6DB3EA"]


def heat(frame: pd.DataFrame, look: Look) -> alt.LayerChart:
    """Frame: subject, horizon (days), percent, told (a line for the tooltip); rows and columns as they come."""
    order = list(dict.fromkeys(frame["subject"]))
    rows = [_row(row) for row in frame.to_dict("records")]
    horizons = [_("{n} d").format(n=n) for n in sorted(set(frame["horizon"]))]
    chart = alt.Chart(alt.InlineData(values=rows))
    axis = alt.Axis(title=None, orient="top", labelAngle=0, ticks=False, domain=False)
    x = alt.X("horizon:N", sort=horizons, axis=axis, scale=alt.Scale(domain=horizons, paddingInner=0.06))
    y = alt.Y(
        "subject:N",
        sort=order,
        axis=category_axis(look.dark),
        scale=alt.Scale(domain=order, paddingInner=0.1),
    )
    scale = alt.Scale(domain=[0, 25, 50, 75, 100], range=DARK if look.dark else LIGHT)
    told = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("horizon:N", title=_("Horizon")),
        alt.Tooltip("told:N", title=_("Weight")),
    ]
    cells = chart.mark_rect(cornerRadius=2).encode(
        x=x, y=y, color=alt.Color("percent:Q", scale=scale, legend=None), tooltip=told
    )
    figures = chart.mark_text(
        fontSize=alt.expr(f"{NARROW} ? 10 : {SIZE}"),
        color=alt.expr(
            f"datum.percent > 70 || datum.percent < 15 ? '{look.palette.page}' : '{look.palette.text}'"
        ),
    ).encode(x=x, y=y, text="text:N")
    return finish([cells, figures], dark=look.dark, height=ROW * max(len(order), 1) + AXIS, title=look.title)


def _row(row: Row) -> Row:
    percent = float(row["percent"])
    return {
        "subject": row["subject"],
        "horizon": _("{n} d").format(n=int(row["horizon"])),
        "percent": round(percent, 1),
        "text": f"{percent:.0f}%",
        "told": row["told"],
    }
