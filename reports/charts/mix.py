"""What a change is made of: for each segment, what the mix did and what the segment itself did."""

import altair as alt
import pandas as pd

from language import _
from reports.charts.look import Look
from reports.charts.series import Row, short
from reports.charts.text import signed
from reports.charts.theme import category_axis, finish

ROW, AXIS = 27, 58
DIGITS = 2


def mix(frame: pd.DataFrame, look: Look) -> alt.LayerChart:
    """Two bars a row from zero, one after the other where both go one way; the sum at the right.

    Frame: subject, mix, own (points of the mean); rows as given, the last is usually all together.
    """
    order, colours = frame["subject"].tolist(), look.palette
    parts = [_("mix"), _("answers themselves")]
    rows = [row for one in frame.to_dict("records") for row in _pieces(one, parts)]
    chart = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("subject:N", sort=order, scale=alt.Scale(domain=order), axis=category_axis(look.dark))
    axis = alt.Axis(title=look.unit, grid=True, domain=False, tickCount=5, format="+.2~f", titlePadding=6)
    x = alt.X("start:Q", axis=axis, scale=alt.Scale(nice=True))
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=parts, range=[colours.muted, colours.accent]),
        legend=alt.Legend(
            orient="top", title=None, labelColor=colours.text, symbolType="square", labelFontSize=12
        ),
    )
    told = [
        alt.Tooltip("subject:N", title=" "),
        alt.Tooltip("part:N", title=" "),
        alt.Tooltip("text:N", title=" "),
    ]
    bars = chart.mark_bar(height=13).encode(x=x, x2="end:Q", y=y, color=colour, tooltip=told)
    sums = alt.Chart(alt.InlineData(values=[_sum(one) for one in frame.to_dict("records")]))
    text = sums.mark_text(align="left", dx=6, fontSize=12, color=colours.text)
    zero = alt.Chart(alt.InlineData(values=[{}])).mark_rule(color=colours.muted).encode(x=alt.datum(0))
    layers = [zero, bars, text.encode(x="end:Q", y=y, text="text:N")]
    return finish(layers, dark=look.dark, height=ROW * max(len(order), 1) + AXIS, title=look.title)


def _pieces(row: Row, parts: list[str]) -> list[Row]:
    """Where both go one way the second begins where the first ends, else both begin at zero."""
    mixed, own = row["mix"], row["own"]
    start = mixed if mixed * own > 0 else 0.0
    ends = ((0.0, mixed), (start, start + own))
    return [
        {"subject": row["subject"], "part": part, "start": short(first), "end": short(last)}
        | {"text": signed(last - first, DIGITS)}
        for part, (first, last) in zip(parts, ends, strict=True)
    ]


def _sum(row: Row) -> Row:
    """Its text stands right of whatever reaches furthest."""
    total = row["mix"] + row["own"]
    return {
        "subject": row["subject"],
        "end": short(max(row["mix"], row["own"], total, 0.0)),
        "text": signed(total, DIGITS),
    }
