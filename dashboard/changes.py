"""What changed from week to week, ranked by surprise: every comparison at a glance, and a row for each clear one."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns, filters
from dashboard.beside import Data
from dashboard.data import agents, ask, derive, forecasts, models, quality, verdicts
from dashboard.drawing import draw, draw_small
from dashboard.period import Period
from dashboard.wording import plain
from db.metrics import BY_COLUMN, Metric
from jobs.formulas.verdict_names import DECLINED, IMPROVED, TOO_LITTLE_DATA
from jobs.formulas.verdicts import HISTORY_WEEKS, SURPRISE_CAP
from language import N_, _, ngettext
from reports.charts.look import Look
from reports.charts.surprise import surprise
from reports.subjects import TOGETHER, subject_name
from reports.verdict_words import CLEAR, WORDS, remark
from reports.wording import brief, difference, figure, isolated

ROWS = 8
LETTERS = 40  # of a model's name in a row
TEXT, FIGURES = 330, 136  # pixels

PAGES = {
    "models": ("views/models.py", N_("More about the models")),
    "quality": ("views/quality.py", N_("More about AI quality")),
    "forecasts": ("views/forecasts.py", N_("More about forecasts")),
    "agents": ("views/agents.py", N_("More about agents")),
}
BADGES = {
    IMPROVED: ":green-badge[:material/check: {word}]",
    DECLINED: ":orange-badge[:material/priority_high: {word}]",
}


def ranked(week: date, today: date) -> None:
    """All comparisons of the week as dots, the clear ones as rows, the quiet ones in one line."""
    table = ask(verdicts.of_week, week=week)
    compared = table[table["verdict"] != TOO_LITTLE_DATA]
    clear = compared[compared["verdict"].isin(CLEAR)]
    if len(compared):
        draw(surprise, derive(_dots, week=week), "surprise", look=Look(filters.is_dark()))
    for row in clear.head(ROWS).to_dict("records"):
        _row(row, week, today)
    _quiet(table, len(compared) - len(clear), max(0, len(clear) - ROWS), week)


def compared(week: date | None) -> bool:
    """Whether anything of the week had enough data to be compared."""
    return week is not None and bool((ask(verdicts.of_week, week=week)["verdict"] != TOO_LITTLE_DATA).any())


def meaning() -> str:
    """How the ranking and the verdicts are to be read."""
    return _(
        "The last finished week against the one before it. Surprise is the change over its standard error, in which "
        "the shocks that weeks have by themselves are counted. A change is called improved or declined only where it "
        "is clear among all comparisons of the week (Holm's correction, 5 %)."
    )


def badge(verdict: str) -> str:
    """A verdict as a chip in Markdown."""
    quiet = ":gray-badge[:material/drag_handle: {word}]"
    if verdict == TOO_LITTLE_DATA:
        quiet = ":gray-badge[:material/hourglass_empty: {word}]"
    return BADGES.get(verdict, quiet).format(word=_(WORDS[verdict]))


def sigmas(surprise: float) -> str:
    """How surprising a change is, in standard errors."""
    return _("{n} σ").format(n=f"{surprise:.1f}" if surprise < SURPRISE_CAP else "> 99")


def _dots(week: date) -> pd.DataFrame:
    table = ask(verdicts.of_week, week=week)
    compared = table[table["verdict"] != TOO_LITTLE_DATA]
    metrics = [BY_COLUMN[name] for name in compared["metric"]]
    better = [
        (change > 0) == (m.better == "up") for change, m in zip(compared["change"], metrics, strict=True)
    ]
    sign = pd.Series(better, index=compared.index).map({True: 1.0, False: -1.0})
    shown = [isolated(brief(name, LETTERS)) for name in _subjects(compared)]
    names = [f"{name}, {_(m.label)}" for name, m in zip(shown, metrics, strict=True)]
    told = zip(compared["change"], compared["surprise"], metrics, strict=True)
    return pd.DataFrame(
        {
            "name": names,
            "signed": sign * compared["surprise"],
            "verdict": compared["verdict"],
            "told": [f"{difference(change, m)} · {sigmas(size)}" for change, size, m in told],
        }
    )


def _row(row: dict[Any, Any], week: date, today: date) -> None:
    """One change: what, whose, how much on how much data, its last weeks, and its interval."""
    metric = BY_COLUMN[row["metric"]]
    look = Look(filters.is_dark(), grain="week", show=partial(figure, metric=metric))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width=TEXT, gap=None):
            whose = plain(brief(subject_name(row["word"], row["subject"]), LETTERS))
            st.markdown(
                f"**{_(metric.label)}** · {whose} {badge(row['verdict'])}",
                help=" ".join([_(metric.definition), remark(row)]).strip(),
            )
            st.caption(_evidence(row, metric))
        with st.container(width="stretch"):
            line = _weeks(metric, row["subject"], week, today)
            draw_small(line, look=look, tone=row["verdict"])
        with st.container(width=FIGURES, gap=None):
            st.markdown(f"**{difference(row['change'], metric)}**", text_alignment="right")
            bounds = {
                "low": difference(row["low"], metric, False),
                "high": difference(row["high"], metric, False),
            }
            st.caption(_("95%: {low} … {high}").format(**bounds), text_alignment="right")


def _evidence(row: dict[Any, Any], metric: Metric) -> str:
    return _("{before} → {now} · n = {n} / {n_before} · {sigmas}").format(
        before=figure(row["previous"], metric),
        now=figure(row["value"], metric),
        n=f"{row['n']:,}",
        n_before=f"{row['n_previous']:,}",
        sigmas=sigmas(row["surprise"]),
    )


def _weeks(metric: Metric, subject: str, week: date, today: date) -> pd.DataFrame:
    """The weeks up to this one that tell how much they vary."""
    span = {"since": week - timedelta(weeks=HISTORY_WEEKS), "until": week + timedelta(days=6)}
    asked = {"metric": metric.name, "grain": "week", "today": today} | span
    if metric.word == "quality":
        rows = ask(quality.trend, by="" if subject == TOGETHER else "model", **asked)
    elif metric.word == "forecasts":
        rows = ask(forecasts.trend, **asked)
    elif metric.word == "agents":
        rows = ask(agents.trend, **asked)
    else:
        rows = ask(models.trend, **asked)
    found: pd.DataFrame = rows[rows["subject"] == subject]
    return found


def _quiet(table: pd.DataFrame, quiet: int, hidden: int, week: date) -> None:
    """In one line what needs no look, and all of it as a table."""
    few = int((table["verdict"] == TOO_LITTLE_DATA).sum())
    told = [
        ngettext("{n} more clear change", "{n} more clear changes", hidden) if hidden else "",
        ngettext("{n} comparison is within its noise", "{n} comparisons are within their noise", quiet)
        if quiet
        else "",
        ngettext("{n} has too little data", "{n} have too little data", few) if few else "",
    ]
    chip = f":gray-badge[:material/drag_handle: {_('quiet')}]"
    beside.foot(f"{chip} {'; '.join(filter(None, told))}", data(table, week))
    words = set(table["word"])
    for word, (page, label) in PAGES.items():
        if word in words:
            filters.link(page, _(label))


def _subjects(table: pd.DataFrame) -> list[str]:
    return [subject_name(word, name) for word, name in zip(table["word"], table["subject"], strict=True)]


def data(table: pd.DataFrame, week: date) -> Data:
    """The verdicts of a week as a table and as CSV."""
    days = Period(week, week + timedelta(days=6), "week")
    words = set(table["word"])
    named = columns.AGENT_VERDICT if words == {"agents"} else columns.VERDICT
    return Data("verdicts", days, lambda: _in_words(table), named)


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        subject=_subjects(table),
        metric=[_(BY_COLUMN[name].label) for name in table["metric"]],
        said=[_(WORDS[verdict]) for verdict in table["verdict"]],
        remark=[remark(row) for row in table.to_dict("records")],
    )
