"""Money won and lost: a bar to the right or to the left for each subject, its amount beside it."""

from math import log10

import altair as alt
import pandas as pd

from language import _
from reports.charts.look import Look
from reports.charts.rates import AXIS, ROW
from reports.charts.scales import y_domain
from reports.charts.series import Row, short
from reports.charts.text import number, signed
from reports.charts.theme import category_axis, finish

ROOM = 0.2  # of the reach: for the amounts, which stand beyond the bars


def money(frame: pd.DataFrame, look: Look) -> alt.LayerChart:
    """Rows as given. Frame: subject, value, n, and `total`: whether it is the sum of others, drawn in grey."""
    order, colours = frame["subject"].tolist(), look.palette
    chart = alt.Chart(alt.InlineData(values=[_row(row) for row in frame.to_dict("records")]))
    low, high = y_domain([0.0, *frame["value"].astype(float)])
    room = (high - low) * ROOM
    scale = alt.Scale(domain=[low - room * bool(low < 0), high + room], nice=False)
    axis = alt.Axis(title=look.unit, grid=True, domain=False, tickCount=5, titlePadding=6, format=",~s")
    x = alt.X("value:Q", scale=scale, axis=axis)
    y = alt.Y("subject:N", sort=order, scale=alt.Scale(domain=order), axis=category_axis(look.dark))
    tones = alt.Scale(
        domain=["gain", "loss", "total"], range=[colours.accent, colours.declined, colours.muted]
    )
    told = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("text:N", title=look.unit),
        alt.Tooltip("n:N", title=_("Trades")),
    ]
    bars = chart.mark_bar(height=13, cornerRadiusEnd=3).encode(
        x=x, x2=alt.datum(0), y=y, color=alt.Color("tone:N", scale=tones, legend=None), tooltip=told
    )
    won, lost = (chart.transform_filter(f"datum.value {sign} 0") for sign in (">=", "<"))
    beyond = (
        won.mark_text(align="left", dx=6, fontSize=12, color=colours.text),
        lost.mark_text(align="right", dx=-6, fontSize=12, color=colours.text),
    )
    amounts = [mark.encode(x=x, y=y, text="text:N") for mark in beyond]
    height = ROW * max(len(order), 1) + AXIS
    return finish([bars, *amounts], dark=look.dark, height=height, title=look.title or look.unit)


def amount(value: float, sign: bool = True) -> str:
    """An amount of money with as many decimals as it needs: +1,234, −0.5, +0.00012."""
    size = abs(value)
    decimals = 0 if size >= 1_000 or not size else min(8, max(0, 2 - int(log10(size)))) if size < 1_000 else 0
    return signed(value, decimals) if sign else number(value, decimals)


def dollars(value: float) -> str:
    """A cost, which needs no sign."""
    return amount(value, sign=False)


def _row(row: Row) -> Row:
    value = float(row["value"])
    tone = "total" if row["total"] else "gain" if value >= 0 else "loss"
    made = {"subject": row["subject"], "value": short(value), "tone": tone}
    return made | {"text": amount(value), "n": f"{int(row['n']):,}"}
