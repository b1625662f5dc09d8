"""How confident a decision was against how often it won: a point for each tenth, and the diagonal of the honest."""

import altair as alt
import pandas as pd

from language import _
from reports.charts.layers import empty
from reports.charts.look import Look
from reports.charts.scales import y_axis
from reports.charts.series import Row, short
from reports.charts.text import interval, number
from reports.charts.theme import finish

HEIGHT = 300


def confidence(frame: pd.DataFrame, look: Look, *, height: int = HEIGHT) -> alt.LayerChart:
    """Frame: bin, n, said, won, low, high, as shares; n stands above each point."""
    if frame.empty:
        return empty(look, height)
    colours = look.palette
    chart = alt.Chart(alt.InlineData(values=[_row(row) for row in frame.to_dict("records")]))
    ticks = [0.0, 20, 40, 60, 80, 100]
    scale = alt.Scale(domain=[0, 100], nice=False)
    x = alt.X("said:Q", scale=scale, axis=alt.Axis(title=_("confidence, %"), grid=False, values=ticks))
    shown = y_axis(ticks, look.unit)
    y, low = (alt.Y(f"{name}:Q", scale=scale, axis=shown) for name in ("won", "low"))
    told = [
        alt.Tooltip("bin:N", title="title"),
        alt.Tooltip("said_text:N", title=_("Confidence")),
        alt.Tooltip("won_text:N", title=_("Won")),
        alt.Tooltip("interval:N", title=_("95% interval")),
        alt.Tooltip("n:N", title=_("n")),
    ]
    diagonal = (
        alt.Chart(alt.InlineData(values=[{"said": 0, "won": 0}, {"said": 100, "won": 100}]))
        .mark_line(color=colours.muted, strokeDash=[6, 4], strokeWidth=1)
        .encode(x=x, y=y)
    )
    bars = chart.mark_rule(strokeWidth=4, opacity=0.28, color=colours.accent).encode(x=x, y=low, y2="high:Q")
    dots = chart.mark_circle(size=72, opacity=1, color=colours.accent, stroke=colours.page, strokeWidth=1)
    counts = chart.mark_text(dy=-12, fontSize=11.5, color=colours.muted)
    parts = [diagonal, bars, dots.encode(x=x, y=y, tooltip=told), counts.encode(x=x, y=y, text="n:N")]
    return finish(parts, dark=look.dark, height=height, title=look.title or _("Confidence and wins"))


def _row(row: Row) -> Row:
    k = int(row["bin"])
    made = {name: short(100 * row[name]) for name in ("said", "won", "low", "high")}
    return made | {
        "bin": f"{10 * k}–{10 * (k + 1)}%",
        "n": f"{int(row['n']):,}",
        "said_text": _percent(row["said"]),
        "won_text": _percent(row["won"]),
        "interval": interval(row["low"], row["high"], _percent),
    }


def _percent(share: float) -> str:
    return f"{number(100 * share, 0)}%"
