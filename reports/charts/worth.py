"""What a decision costs against how well it does: a point for each agent and model, named where there is room."""

from math import log
from typing import Literal

import altair as alt
import pandas as pd

from language import _
from reports.charts.look import Look
from reports.charts.money import dollars
from reports.charts.scales import y_axis, y_domain, y_ticks
from reports.charts.series import Row, short
from reports.charts.text import number, text_width
from reports.charts.theme import finish

HEIGHT, WIDTH = 320, 430  # pixels: the least that a card has room for
SIZE, LINE = 11.5, 13  # of a name: font size, and what a line takes
LEFT = 20  # pixels that a name may stand out at the left
WIDE_APART = 20  # times: then costs are on a logarithmic axis


def worth(frame: pd.DataFrame, look: Look, *, height: int = HEIGHT) -> alt.LayerChart:
    """Frame: subject, model, per_decision (> 0, US dollars), per_win, rating (0–100), decisions."""
    shown = frame[frame["per_decision"] > 0]
    several = shown["subject"].duplicated(keep=False)
    shown = shown.assign(name=shown["subject"].where(~several, shown["subject"] + " · " + shown["model"]))
    colours = look.palette
    low, high = y_domain(shown["rating"])
    costs = shown["per_decision"]
    kind: Literal["log", "linear"] = (
        "log" if len(costs) and costs.max() > WIDE_APART * costs.min() else "linear"
    )
    bounds = [costs.min() * 0.7, costs.max() * 2] if kind == "log" else [0, costs.max() * 1.25]
    places = _places(shown, bounds, (low, high), kind == "log", height)
    rows = [_row(row) | {"side": side} for row, side in zip(shown.to_dict("records"), places, strict=True)]
    chart = alt.Chart(alt.InlineData(values=rows))
    x = alt.X(
        "cost:Q",
        scale=alt.Scale(type=kind, domain=[short(bound) for bound in bounds], nice=False),
        axis=alt.Axis(title=_("cost per decision, $"), grid=True, domain=False, tickCount=4, format="~g"),
    )
    axis = y_axis(y_ticks(low, high), look.unit)
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
    right, left = (chart.transform_filter(f"datum.side === '{side}'") for side in ("right", "left"))
    names = (
        right.mark_text(align="left", dx=8, fontSize=SIZE, color=colours.text),
        left.mark_text(align="right", dx=-8, fontSize=SIZE, color=colours.text),
    )
    parts = [dots.encode(x=x, y=y, tooltip=told), *(mark.encode(x=x, y=y, text="name:N") for mark in names)]
    return finish(parts, dark=look.dark, height=height, title=look.title or _("Rating against cost"))


def _places(
    shown: pd.DataFrame, across: list[float], up: tuple[float, float], logarithmic: bool, height: int
) -> list[str]:
    """On which side of its point each name stands: right, left, or '' where it would lie on another one."""
    scale = log if logarithmic else float
    first, last = scale(across[0]), scale(across[1])
    taken: list[
        tuple[float, float, float]
    ] = []  # from, to and middle of what stands there already, in pixels
    found = []
    for name, cost, rating in zip(shown["name"], shown["per_decision"], shown["rating"], strict=True):
        x = (scale(cost) - first) / ((last - first) or 1) * WIDTH
        y = (rating - up[0]) / ((up[1] - up[0]) or 1) * height
        long = text_width(str(name), SIZE) + 14
        sides = {"right": (x - 5, x + long, y), "left": (x - long, x + 5, y)}
        free = [
            side
            for side, (begin, end, _y) in sides.items()
            if begin > -LEFT and not any(begin < b and end > a and abs(y - m) < LINE for a, b, m in taken)
        ]
        found.append(free[0] if free else "")
        taken.append(sides[free[0]] if free else (x - 5, x + 5, y))
    return found


def _row(row: Row) -> Row:
    per_win = row["per_win"]
    return {
        "subject": row["subject"],
        "name": row["name"],
        "model": row["model"] or "–",
        "cost": short(row["per_decision"]),
        "rating": short(row["rating"]),
        "rating_text": number(row["rating"]),
        "cost_text": dollars(row["per_decision"]),
        "win_text": dollars(per_win) if per_win == per_win else "–",
        "n": f"{int(row['decisions']):,}",
    }
