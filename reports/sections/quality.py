"""AI quality in the weekly digest: this week's mean score and the last one's, likes, and the trend."""

from datetime import date, timedelta
from typing import Any

import pandas as pd

from db.metrics import METRICS
from db.queries import quality
from language import _
from reports.blocks import Block, Heading, Picture, Span, Text
from reports.charts.look import Look
from reports.charts.trend import trend
from reports.context import Context
from reports.pictures import drawn
from reports.ranked_changes import counts
from reports.subjects import TOGETHER
from reports.verdict_words import WORDS
from reports.wording import figure, short_span, signed_percent, span

SCORE = METRICS["score"]
WEEKS, HEIGHT = 12, 260
Row = dict[Any, Any]


def section(context: Context) -> list[Block]:
    """Nothing where neither the week nor the one before it had answers or feedback."""
    rows = {
        row["week_start"]: row
        for row in quality.weeks(context.connection, context.before, context.week).to_dict("records")
    }
    now, before = rows.get(context.week), rows.get(context.before)
    if now is None and before is None:
        return []
    title = Heading([Span(_("📈 AI performance report"), bold=True)])
    lines = [
        [_("- Average score this week ({span}): {score}").format(**_week(context.week, now))],
        [_("- Average score last week ({span}): {score}").format(**_week(context.before, before))],
        [_("- Change: {change}").format(change=_change(context, now))],
        [_("- 👍 {likes} / 👎 {dislikes}").format(**_likes(now))],
        [_("- Made at: {at}").format(at=f"{context.now.astimezone(context.settings.zone):%Y-%m-%d %H:%M}")],
    ]
    return [title, Text(lines), *_picture(context)]


def _week(monday: date, row: Row | None) -> dict[str, str]:
    days = short_span(monday, monday + timedelta(days=6))
    return {"span": days, "score": figure(row["avg_score"] if row else None, SCORE)}


def _change(context: Context, now: Row | None) -> str:
    """In % of the week before, with the verdict and on how many conversations it stands."""
    percent = now["change_pct"] if now else None
    told = "–" if percent is None or pd.isna(percent) else signed_percent(percent)
    judged = context.of_word("quality")
    judged = judged[(judged["subject"] == TOGETHER) & (judged["metric"] == SCORE.column)]
    for row in judged.to_dict("records"):
        pattern = _("{change}  ({verdict}, {counts})")
        return pattern.format(change=told, verdict=_(WORDS[row["verdict"]]), counts=counts(row))
    return told


def _likes(now: Row | None) -> dict[str, str]:
    return {name: f"{int(now[name]):,}" if now else "–" for name in ("likes", "dislikes")}


def _picture(context: Context) -> list[Picture]:
    if not context.pictures:
        return []
    first, last = context.week - timedelta(weeks=WEEKS - 1), context.week + timedelta(days=6)
    over = last + timedelta(days=1)
    rows = quality.trend(context.connection, SCORE.name, first, last, "week", over)
    if rows.empty:
        return []
    rows["subject"] = label = _(SCORE.label)
    look = Look(dark=False, subjects=[label], highlighted=[label], span=(first, last))
    told = _("{metric} by week, {span}: {last} in the last of {n} weeks with answers.").format(
        metric=label, span=span(first, last), last=figure(rows["value"].iloc[-1], SCORE), n=len(rows)
    )
    subtitle = _("weekly mean, 0–10; band: 95% interval")
    return [drawn(trend(rows, look, height=HEIGHT), "quality", label, subtitle, told)]
