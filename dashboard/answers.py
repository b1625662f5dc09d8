"""AI quality in figures: the week's score and likes with their verdicts, how many are rated, whether both agree."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.data import ask, quality, verdicts
from dashboard.period import Period
from db.metrics import METRICS, Metric
from jobs.formulas.quality import ENOUGH
from jobs.formulas.verdict_names import DECLINED, IMPROVED
from language import _, ngettext
from reports.charts.text import number
from reports.subjects import TOGETHER
from reports.verdict_words import WORDS, remark
from reports.wording import difference, figure, span_with_end, week_name
from settings import current

SCORE, LIKES = METRICS["score"], METRICS["feedback_score"]
COLOURS: dict[str, Any] = {IMPROVED: "green", DECLINED: "orange"}
Row = dict[Any, Any]


def shown_in_words(period: Period, newest: date) -> str:
    """What the page shows: of which days, by which step, in which zone."""
    return _("Answers scored 0–10, likes and dislikes of users · {span}, {grain} · {zone}").format(
        span=span_with_end(period.first, period.last, newest),
        grain=_("weekly") if period.grain == "week" else _("daily"),
        zone=current().timezone,
    )


def week_shown(period: Period) -> date:
    """The week that the figures are of: the newest judged one of the period, or before any the newest with data."""
    judged: date | None = ask(verdicts.newest_week, until=period.last, word="quality")
    week: date = judged or ask(quality.newest_week, until=period.last) or period.first
    return week


def numbers(week: date) -> None:
    """Four cards on one week."""
    found = {row["week_start"]: row for row in ask(quality.weeks, since=week, until=week).to_dict("records")}
    judged = ask(verdicts.of_week, week=week, word="quality")
    own = judged[judged["subject"] == TOGETHER]
    rows: dict[str, Row] = {row["metric"]: row for row in own.to_dict("records")}
    with st.grid(4, min_column_width=168):
        for metric in (SCORE, LIKES):
            _judged(metric, rows.get(metric.column), week, found.get(week))
        _rated(found.get(week))
        _agreement(found.get(week))


def _judged(metric: Metric, row: Row | None, week: date, unjudged: Row | None) -> None:
    """A figure of the week, its change, and what is to be thought of it; of a running first week the figure alone."""
    label = _("{label}, {week}").format(label=_(metric.label), week=week_name(week).lower())
    value = row["value"] if row else _known(metric, unjudged)
    known = row is not None and row["change"] is not None and not pd.isna(row["change"])
    delta = difference(row["change"], metric) if row and known else None
    with _card():
        st.metric(
            label,
            figure(value, metric),
            delta,
            delta_color=COLOURS.get(row["verdict"], "off") if row else "off",
            delta_arrow="off",
            delta_description=_(WORDS[row["verdict"]]) if row and delta else None,
            help=" ".join([_(metric.definition), remark(row) if row else ""]).strip(),
        )
        if row:
            counts = f"{row['n']:,} / {row['n_previous']:,}"
            st.caption(_("n = {counts} conversations").format(counts=counts))


def _known(metric: Metric, weekly: Row | None) -> float | None:
    value: float | None = weekly[metric.column] if weekly else None
    return 100 * value if value is not None and metric.is_rate else value


def _rated(row: Row | None) -> None:
    with _card():
        n, rated = (int(row[name]) if row else 0 for name in ("conversation_count", "rated_count"))
        told = _("Conversations scored in the week, and how many of them have a like or dislike.")
        share = _("{rated} of {n}").format(rated=f"{rated:,}", n=f"{n:,}")
        st.metric(_("Rated by users"), share if n else "–", help=told)
        if n:
            st.caption(_("{share}% of the scored conversations").format(share=number(100 * rated / n)))


def _agreement(row: Row | None) -> None:
    told = _(
        "How often a liked conversation scores above a disliked one; 50% is chance (area under the ROC curve, with a "
        "bootstrap interval). Feedback counts that is given in the week or in the one after it."
    )
    with _card():
        value = row["agreement"] if row and row["agreement"] == row["agreement"] else None
        st.metric(
            _("Scores and likes agree"), "–" if value is None else f"{number(100 * value, 0)}%", help=told
        )
        if row and value is not None:
            low, high = (number(100 * row[name], 0) for name in ("agreement_low", "agreement_high"))
            counts = f"{int(row['liked_count']):,} / {int(row['disliked_count']):,}"
            st.caption(_("95%: {low} … {high} · n = {counts}").format(low=low, high=high, counts=counts))
        else:
            st.caption(ngettext("from {n} liked and disliked on", "from {n} liked and disliked on", ENOUGH))


def _card() -> Any:
    return st.container(border=True, height="stretch", gap="xsmall")


def days_of(week: date) -> dict[str, date]:
    """First and last day of a week, as queries take them."""
    return {"since": week, "until": week + timedelta(days=6)}
