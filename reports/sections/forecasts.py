"""Forecasts in the weekly digest: which forecaster is right how often, what its weight became, and the trend."""

from datetime import timedelta
from typing import Any

from db.metrics import METRICS
from db.queries import forecast_codes, forecasts, weight_moves
from language import _, ngettext
from reports.blocks import Block, Heading, Line, Picture, Span, Text
from reports.charts.look import Look
from reports.charts.rates import percent
from reports.charts.trend import trend
from reports.context import Context
from reports.pictures import drawn
from reports.wording import brief, figure, span

HITS = METRICS["hit_rate"]
WEEKS, HEIGHT, NAMED, LETTERS = 12, 280, 4, 40


def section(context: Context) -> list[Block]:
    """Nothing where neither the week nor the one before it had outcomes."""
    now, before = (
        forecasts.together(context.connection, HITS.name, **days)
        for days in (context.days, context.days_before)
    )
    if now.empty and before.empty:
        return []
    title: Line = [Span(_("Forecasts"), bold=True)]
    lines = [_hits(now, before), *_moved(context), *_too_old(context)]
    return [Heading(title), Text(lines), *_picture(context)]


def _hits(now: Any, before: Any) -> Line:
    """Each model's share of right directions over all codes and horizons, beside that of the week before."""
    if now.empty:
        return [_("No outcome became known this week.")]
    earlier = dict(zip(before["subject"], before["value"], strict=True))
    parts: list[Any] = [_("Right directions: ")]
    for k, row in enumerate(now.head(NAMED).to_dict("records")):
        told = _("{now} (before {before}, n = {n})").format(
            now=figure(row["value"], HITS),
            before=figure(earlier.get(row["subject"]), HITS),
            n=f"{int(row['n']):,}",
        )
        parts += [", "] if k else []
        parts += [Span(brief(row["subject"], LETTERS)), " ", told]
    if (more := len(now) - NAMED) > 0:
        parts.append(ngettext(" and {n} more", " and {n} more", more))
    return parts


def _moved(context: Context) -> list[Line]:
    """How many weights the week's adjustments moved, and the largest of these moves."""
    moved = weight_moves.between(context.connection, **context.days)
    if moved.empty:
        return []
    groups = len(moved[["code", "horizon"]].drop_duplicates())
    top = moved.iloc[0]
    told = ngettext("Weights: {n} ensemble changed; most", "Weights: {n} ensembles changed; most", groups)
    largest = _(", {n} d: {model} {before} → {after}").format(
        n=int(top["horizon"]),
        model=brief(top["model"], LETTERS),
        before="–" if top["before"] != top["before"] else f"{100 * top['before']:.0f}%",
        after="–" if top["after"] != top["after"] else f"{100 * top['after']:.0f}%",
    )
    return [[told, " ", Span(brief(top["code"], LETTERS)), largest]]


def _too_old(context: Context) -> list[Line]:
    """Which models are not used any more because of their age."""
    days = context.settings.model_max_age_days
    rows = forecast_codes.too_old(context.connection, context.now - timedelta(days=days))
    if rows.empty:
        return []
    first = rows.iloc[0]
    told = _(" for {code}, {n} d").format(code=brief(first["code"], LETTERS), n=int(first["horizon"]))
    line: list[str | Span] = [_("Too old to be used: "), Span(brief(first["model"], LETTERS)), told]
    if len(rows) > 1:
        line.append(ngettext(" and {n} more", " and {n} more", len(rows) - 1))
    return [line]


def _picture(context: Context) -> list[Picture]:
    if not context.pictures:
        return []
    first, last = context.week - timedelta(weeks=WEEKS - 1), context.week + timedelta(days=6)
    horizon = forecasts.usual_horizon(context.connection, first, last)
    if horizon is None:
        return []
    over = last + timedelta(days=1)
    rows = forecasts.trend(context.connection, HITS.name, first, last, "week", over, horizon)
    names = forecasts.models(context.connection)
    sizes = rows.groupby("subject")["n"].sum().nlargest(NAMED).index
    chosen = [name for name in names if name in set(sizes)]
    rows = rows[rows["subject"].isin(chosen)]
    look = Look(dark=False, subjects=names, highlighted=chosen, span=(first, last), show=percent)
    told = _("Hit rate by week, {span}, {n} days ahead, of {models}.").format(
        span=span(first, last), n=horizon, models=", ".join(chosen)
    )
    subtitle = _("% of right directions, {n} days ahead; bands: 95% intervals").format(n=horizon)
    return [
        drawn(trend(rows, look, targets=(50.0,), height=HEIGHT), "forecasts", _("Hit rates"), subtitle, told)
    ]
