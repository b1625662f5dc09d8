"""Models in the weekly digest: how many got better or worse, the mean over all of them, and the trend."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from db.metrics import METRICS
from db.queries import models, overall
from jobs.formulas.verdict_names import DECLINED, IMPROVED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA
from language import _, ngettext
from reports.blocks import Block, Heading, Line, Picture, Span, Text
from reports.charts.look import Look
from reports.charts.trend import trend
from reports.context import Context
from reports.pictures import drawn
from reports.verdict_words import CLEAR, WORDS
from reports.wording import brief, difference, figure, span

SCORE = METRICS["final_score"]
WEEKS, HEIGHT, GHOSTS, NAMED, LETTERS = 12, 280, 24, 3, 40


def section(context: Context) -> list[Block]:
    """Nothing where neither the week nor the one before it had predictions."""
    connection = context.connection
    now, before = (
        overall.overall(connection, SCORE.name, **days) for days in (context.days, context.days_before)
    )
    if models.coverage(connection, context.before, context.days["until"]).empty:
        return []
    return [Heading(_title(now, before)), *_verdicts(context), *_picture(context)]


def _title(now: Any, before: Any) -> Line:
    """The mean over all predictions; no verdict is made on it, since it moves with which models predict."""
    told = _("mean score {score}").format(score=figure(now["value"] if now else None, SCORE))
    if now and before:
        change = difference(now["value"] - before["value"], SCORE)
        pattern = _("{mean} ({change} to the week before, n = {n} / {n_before})")
        numbers = {"n": f"{int(now['n']):,}", "n_before": f"{int(before['n']):,}"}
        told = pattern.format(mean=told, change=change, **numbers)
    return [Span(_("Models"), bold=True), f" · {told}"]


def _verdicts(context: Context) -> list[Text]:
    """How many models' scores got which verdict, the clear ones by name."""
    judged = context.of_word("models")
    judged = judged[judged["metric"] == SCORE.column]
    told: list[Line] = []
    for verdict in (IMPROVED, DECLINED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA):
        names = [brief(str(name), LETTERS) for name in judged.loc[judged["verdict"] == verdict, "subject"]]
        if names:
            counted = _("{n} {verdict}").format(n=f"{len(names):,}", verdict=_(WORDS[verdict]))
            told.append([counted, *(_named(names) if verdict in CLEAR else ())])
    before, _told, after = _("Scores: {told}").partition("{told}")
    return [Text([[before, *_with_commas(told), after]])] if told else []


def _named(names: list[str]) -> Line:
    more = len(names) - NAMED
    rest: list[Line] = [[ngettext("and {n} more", "and {n} more", more)]] if more > 0 else []
    return [" (", *_with_commas([[Span(name)] for name in names[:NAMED]] + rest), ")"]


def _with_commas(parts: Sequence[Line]) -> Line:
    """One line of them; names stay spans of their own, so that letters that run leftwards move nothing else."""
    return [piece for n, part in enumerate(parts) for piece in ([", "] if n else []) + list(part)]


def _picture(context: Context) -> list[Picture]:
    if not context.pictures:
        return []
    first, last = context.week - timedelta(weeks=WEEKS - 1), context.week + timedelta(days=6)
    over = last + timedelta(days=1)
    rows = models.trend(context.connection, SCORE.name, first, last, "week", over)
    if rows.empty:
        return []
    chosen = _noteworthy(context, rows)
    if rows["subject"].nunique() > GHOSTS:
        rows = rows[rows["subject"].isin(chosen)]
    others = rows["subject"].nunique() - len(chosen)
    look = Look(dark=False, subjects=models.names(context.connection), highlighted=chosen, span=(first, last))
    parts = [_("weekly mean, 0–100; bands: 95% intervals")]
    if others:
        parts.append(ngettext("grey: {n} other model", "grey: {n} other models", others))
    told = _("Score by week, {span}, of {models}.").format(span=span(first, last), models=", ".join(chosen))
    title = _("Model scores")
    return [drawn(trend(rows, look, height=HEIGHT), "models", title, "; ".join(parts), told)]


def _noteworthy(context: Context, rows: pd.DataFrame) -> list[str]:
    """Those with a clear change, then the best of the week; at most so many have room."""
    judged = context.of_word("models")
    clear = judged[(judged["metric"] == SCORE.column) & judged["verdict"].isin(CLEAR)]["subject"].tolist()
    week = rows[(rows["period"] == context.week) & (rows["n"] >= SCORE.enough)]
    best = week.sort_values("value", ascending=False)["subject"].tolist()
    known = set(rows["subject"])
    return [name for name in dict.fromkeys([*clear[:NAMED], *best[:1]]) if name in known] or sorted(known)[:1]
