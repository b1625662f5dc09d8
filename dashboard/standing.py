"""Which model is best and which are level with it; and two models on the predictions that both made."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import pickers
from dashboard.data import ask, derive, models
from dashboard.lineup import SCORE
from dashboard.period import Period
from dashboard.wording import plain
from db.clock import week_start
from jobs.formulas.standing import level_with_best, paired
from jobs.formulas.verdicts import ALPHA, ENOUGH
from language import _, ngettext
from reports.wording import difference, figure, span

NAMED = 6


def _meaning() -> str:
    """How the comparison of two models is to be read."""
    return _(
        "Only predictions that both models made and that are scored for both, matched by their prediction_id: the "
        "mean of the differences with its 95 % interval (paired t test). What is hard for both is no difference. "
        "From six weeks on, how much the difference varies from week to week counts where that is more."
    )


def best(period: Period) -> None:
    """The model with the highest mean score of those with enough, those level with it, and how many are behind."""
    totals = derive(_levels, since=period.first, until=period.last)
    if len(totals) < 2:
        return
    level, top = totals["level"], totals.iloc[0]
    told = _("Best: **{model}**, {score} on {n} scores.").format(
        model=plain(top["subject"]), score=figure(top["value"], SCORE), n=f"{int(top['n']):,}"
    )
    st.markdown(
        f"{told} {_others([str(name) for name in totals['subject'][level][1:]], int((~level).sum()))}",
        help=_(
            "Level: the difference to the best is not clear, after Holm's correction over all models, at 5 %. It is "
            "measured by the rows, or by how much the weekly differences vary where that is more."
        ),
    )


def _levels(since: date, until: date) -> pd.DataFrame:
    """Models with enough scores, best first: subject, value, n, and whether it is level with the best."""
    totals = ask(models.totals, metric=SCORE.name, since=since, until=until)
    totals = totals[totals["n"] >= SCORE.enough].sort_values("value", ascending=False, ignore_index=True)
    if totals.empty:
        return totals
    first, last = week_start(since), week_start(until + timedelta(days=1)) - timedelta(days=7)
    first += timedelta(days=7) if first < since else timedelta(0)  # whole weeks only
    weekly = ask(models.weekly, metric=SCORE.name, first=first, last=last)
    wide = weekly.pivot(index="subject", columns="week", values="value").reindex(totals["subject"])
    mean, std, n = (totals[name].to_numpy(dtype=float) for name in ("value", "std", "n"))
    return totals.assign(level=level_with_best(mean, std, n, 0, wide.to_numpy(dtype=float)))


def _others(level: list[str], behind: int) -> str:
    lines = []
    if level:
        named = ", ".join(plain(name) for name in level[:NAMED])
        if (more := len(level) - NAMED) > 0:
            named += " " + ngettext("and {n} more", "and {n} more", more)
        lines.append(_("Level with it, not clearly different: {models}.").format(models=named))
    if behind:
        lines.append(ngettext("{n} is clearly behind.", "{n} are clearly behind.", behind))
    return " ".join(lines)


def head_to_head(names: list[str], period: Period) -> None:
    """Two models that somebody chose, on what both predicted in the period."""
    st.markdown(f"**{_('Two models head to head')}**", help=_meaning())
    pair = pickers.pair(names)
    if len(pair) < 2:
        st.caption(_("Choose two models: they are compared on the predictions that both made."))
        return
    one, other = pair
    found = ask(models.head_to_head, one=one, other=other, since=period.first, until=period.last)
    n = found["n"]
    who = {"one": plain(one), "other": plain(other), "span": span(*period.span)}
    if n < ENOUGH:
        told = ngettext("{n} scored prediction", "{n} scored predictions", n)
        pattern = _("{one} and {other} have {told} in common, {span}: too little to compare.")
        st.markdown(pattern.format(told=told, **who))
        return
    st.markdown(_verdict(found, who))
    ahead = _("{one} was ahead in {ahead}, behind in {behind}, equal in {equal}.")
    counts = {name: f"{found[name]:,}" for name in ("ahead", "behind")}
    st.caption(ahead.format(equal=f"{n - found['ahead'] - found['behind']:,}", one=plain(one), **counts))


def _verdict(found: dict[str, Any], who: dict[str, str]) -> str:
    test = paired(found["mean"], found["std"], found["n"], found["weekly"])
    clear = test.p <= ALPHA and not np.isclose(test.difference, 0)
    shown = {
        "difference": difference(test.difference, SCORE),
        "low": difference(test.low, SCORE, False),
        "high": difference(test.high, SCORE, False),
        "n": f"{found['n']:,}",
        "better": who["one"] if test.difference > 0 else who["other"],
    }
    said = _("**{better} is better**") if clear else _("**No clear difference**")
    figures = _("{one} scores {difference} against {other} (95%: {low} … {high}), n = {n}.")
    return f"{said.format(**shown)}: {figures.format(**shown, **who)}"
