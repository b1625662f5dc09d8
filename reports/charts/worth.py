"""What a decision costs against how well it does: a point for each agent, its name beside it."""

from typing import Literal

import altair as alt
import pandas as pd

from language import _
from reports.charts.look import Look
from reports.charts.money import dollars
from reports.charts.scales import y_domain, y_ticks
from reports.charts.series import Row, short
from reports.charts.text import number
from reports.charts.theme import finish

HEIGHT, NAMES = 320, 20
WIDE_APART = 20  # times: then costs are on a logarithmic axis


def worth(frame: pd.DataFrame, look: Look, *, height: int = HEIGHT) -> alt.LayerChart:
    """Frame: subject, model, per_decision (> 0, US dollars), per_win, rating (0–100), decisions."""
    shown = frame[frame["per_decision"] > 0]
    colours = look.palette
    chart = alt.Chart(alt.InlineData(values=[_row(row) for row in shown.to_dict("records")]))
    low, high = y_domain(shown["rating"])
    costs = shown["per_decision"]
    kind: Literal["log", "linear"] = (
        "log" if len(costs) and costs.max() > WIDE_APART * costs.min() else "linear"
    )
    bounds = [costs.min() * 0.7, costs.max() * 2] if kind == "log" else [0, costs.max() * 1.25]
    x = alt.X(
        "cost:Q",
        scale=alt.Scale(type=kind, domain=[short(bound) for bound in bounds], nice=False),
        axis=alt.Axis(title=_("cost per decision, $"), grid=True, domain=False, tickCount=4, format="~g"),
    )
    axis = alt.Axis(title=look.unit, domain=False, values=y_ticks(low, high), titleAngle=0)
    axis.titleAlign, axis.titleAnchor, axis.titleBaseline, axis.titleX, axis.titleY = (
        "left",
        "end",
        "bottom",
        -30,
        -10,
    )
    y = alt.Y("rating:Q", scale=alt.Scale(domain=[low, high], nice=False), axis=axis)
    told = [
        alt.Tooltip("subject:N", title="title"),
        alt.Tooltip("model:N", title=_("Model")),
        alt.Tooltip("rating_text:N", title=_("Rating")),
        alt.Tooltip("cost_text:N", title=_("Cost per decision, $")),
        alt.Tooltip("win_text:N", title=_("Cost per winning decision, $")),
        alt.Tooltip("n:N", title=_("Decisions")),
    ]
    dots = chart.mark_circle(size=80, opacity=1, color=colours.accent, stroke=colours.page, strokeWidth=1)
    parts = [dots.encode(x=x, y=y, tooltip=told)]
    if len(shown) <= NAMES:
        names = chart.mark_text(align="left", dx=8, fontSize=11.5, color=colours.text)
        parts.append(names.encode(x=x, y=y, text="subject:N"))
    return finish(parts, dark=look.dark, height=height, title=look.title or _("Rating against cost"))


def _row(row: Row) -> Row:
    per_win = row["per_win"]
    return {
        "subject": row["subject"],
        "model": row["model"] or "–",
        "cost": short(row["per_decision"]),
        "rating": short(row["rating"]),
        "rating_text": number(row["rating"]),
        "cost_text": dollars(row["per_decision"]),
        "win_text": dollars(per_win) if per_win == per_win else "–",
        "n": f"{int(row['decisions']):,}",
    }
