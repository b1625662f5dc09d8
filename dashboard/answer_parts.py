"""What AI quality is made of: the criteria, and of a change what the mix did and what the answers did."""

from datetime import date, timedelta
from math import ceil, floor
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import beside, columns, filters
from dashboard.answer_trends import SPLITS
from dashboard.answers import SCORE
from dashboard.beside import Data
from dashboard.columns import Column, Columns
from dashboard.data import ask, quality
from dashboard.drawing import draw
from dashboard.period import Period
from db.metrics import QUALITY_METRICS
from jobs.formulas.quality import split
from language import N_, _
from reports.charts.look import Look
from reports.charts.mix import mix
from reports.charts.rates import rates
from reports.subjects import segment_name
from reports.wording import difference, span, week_name

SEGMENTS = 8
WEEK = timedelta(weeks=1)
MIX: Columns = {
    "subject": Column(N_("Segment")),
    "n_before": Column(N_("n before"), "count"),
    "mean_before": Column(N_("Week before"), "figure"),
    "n": Column(N_("n"), "count"),
    "mean": Column(N_("Week"), "figure"),
    "mix": Column(N_("Mix"), "small"),
    "own": Column(N_("Answers themselves"), "small"),
}


def criteria(period: Period) -> None:
    """Every mark over the period with its interval, and the period before as a tick."""
    st.markdown(f"**{_('Criteria')}**", help=_("Each mark over the answers that have it."))
    rows = pd.DataFrame([found for metric in QUALITY_METRICS if (found := _mark(metric.name, period))])
    if rows.empty:
        st.caption(_("no data in this period"))
        return
    reach = rows[[name for name in ("low", "high", "value", "previous") if name in rows]]
    low, high = max(0, floor(reach.min().min())), min(10, ceil(reach.max().max()))
    low, high = (low, high) if low < high else (max(0, low - 1), min(10, high + 1))  # all marks are the same
    look = Look(filters.is_dark(), unit=_("mean, 0–10"), low=low, high=high)
    draw(rates, rows.rename(columns={"value": "rate"}), "criteria", look=look)
    told = [_("bar: 95% interval")]
    if "previous" in rows:
        told.append(_("tick: {span}").format(span=span(*period.before.span)))
    named = columns.of_metric(SCORE) | {"subject": Column(N_("Mark"))}
    named |= {"previous": Column(N_("Period before"), "figure")}
    beside.foot(" · ".join(told), Data("criteria", period, lambda: rows, named))


def _mark(name: str, period: Period) -> dict[Any, Any] | None:
    metric = next(metric for metric in QUALITY_METRICS if metric.name == name)
    if metric.is_rate:
        return None
    now, before = (
        ask(quality.totals, metric=name, since=one.first, until=one.last).to_dict("records")
        for one in (period, period.before)
    )
    if not now:
        return None
    earlier = {"previous": before[0]["value"]} if before else {}
    return now[0] | {"subject": _(metric.label)} | earlier


def made_of(week: date, by: str) -> None:
    """Of the change from the week before, what the mix of segments did and what the segments did."""
    by = by or "model"
    found = ask(quality.segments, week=week, by=by)
    n, n0 = found["n"].to_numpy(dtype=float), found["n_before"].to_numpy(dtype=float)
    told = _(
        "Mix: another share of easy and hard segments. The answers themselves: the segments scored otherwise than "
        "before. Both sum to the change exactly (E. M. Kitagawa, 1955); something new or gone is all mix."
    )
    if not n.sum() or not n0.sum():
        st.markdown(f"**{_('Mix or better answers')}**", help=told)
        st.caption(_("no scores in this week or in the one before it"))
        return
    parts = split(n, found["mean"], n0, found["mean_before"])
    found = found.assign(mix=parts.mix, own=parts.own)
    change, own = float(parts.mix.sum() + parts.own.sum()), float(parts.own.sum())
    title = _("Of {change} points, {own} come from the answers themselves")
    title = title.format(change=difference(change, SCORE), own=difference(own, SCORE))
    st.markdown(f"**{title}**", help=told)
    look = Look(filters.is_dark(), unit=_("points of the mean score"))
    draw(mix, _rows(found), f"mix_{by}", look=look)
    told = _("{week} against the week before, by {dimension}")
    told = told.format(week=week_name(week), dimension=_(SPLITS[by]).lower())
    named = found.assign(subject=[segment_name(name) for name in found["subject"]])
    beside.foot(
        told, Data(f"mix-by-{by}", Period(week - WEEK, week + timedelta(days=6), "week"), lambda: named, MIX)
    )


def _rows(found: pd.DataFrame) -> pd.DataFrame:
    """The segments that moved the mean most, the rest as one, and all together."""
    size = np.abs(found["mix"] + found["own"]) + np.abs(found["mix"]) / 1e6
    order = found.assign(size=size).sort_values("size", ascending=False)
    order["subject"] = [segment_name(name) for name in order["subject"]]
    kept, rest = order.head(SEGMENTS), order.iloc[SEGMENTS:]
    rows = kept[["subject", "mix", "own"]].to_dict("records")
    if len(rest):
        rows.append({"subject": _("the others"), "mix": rest["mix"].sum(), "own": rest["own"].sum()})
    rows.append({"subject": _("all together"), "mix": found["mix"].sum(), "own": found["own"].sum()})
    return pd.DataFrame(rows)
