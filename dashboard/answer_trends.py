"""AI quality over time: a mark by model, evaluator, channel or topic; likes; and scores and likes side by side."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns, filters, picked, pickers
from dashboard.answers import LIKES, SCORE
from dashboard.beside import Data
from dashboard.data import ask, quality
from dashboard.drawing import draw
from dashboard.period import Period
from dashboard.trends import aims, heading
from db.metrics import METRICS, Metric
from language import N_, _
from reports.charts.look import Look
from reports.charts.rates import percent
from reports.charts.series import COLUMNS
from reports.charts.text import number
from reports.charts.trend import trend
from reports.subjects import TOGETHER, segment_name, subject_name
from reports.wording import span

SMALL = 290  # pixels
SPLITS = {
    "": N_("Together"),
    "model": N_("Model"),
    "evaluator": N_("Evaluator"),
    "channel": N_("Channel"),
    "topic": N_("Topic"),
}
GHOSTS = 24
Picked = tuple[str, date] | None


def marks(period: Period, today: date) -> tuple[str, Picked]:
    """The trend of a mark, split as chosen; returns by what, and the point that was clicked."""
    days = {"since": period.first, "until": period.last}
    known = [name for name in ask(quality.metrics_with_data, **days) if name != LIKES.name]
    with st.container(horizontal=True, vertical_alignment="center"):
        head = st.container(width="stretch")  # filled below: it says what was chosen at its right
        metric = METRICS[pickers.metric(known or [SCORE.name], "answers")]
        by = pickers.by({name: _(label) for name, label in SPLITS.items()})
        head.markdown(f"**{heading(metric, period)}**", help=_(metric.definition))
    frame = ask(quality.trend, metric=metric.name, grain=period.grain, today=today, by=by, **days)
    frame, also = _named(frame, by), pickers.also("before", "targets")
    more: dict[str, Any] = {"targets": aims(metric) if "targets" in also else ()}
    if "before" in also:
        more["previous"] = _named(_moved_on(metric, period, by), by)
    look = _look(metric, period, by, frame)
    shown = _few(frame, look.highlighted)
    event = draw(trend, shown, f"answers_{metric.name}_{by}", look=look, selection="point", **more)
    told = [_("band: 95% interval"), _("click a point for its conversations"), *_unfinished(frame, period)]
    _foot(f"{metric.name}-{by or 'together'}", frame, metric, period, told)
    return by, _inside(picked.point(event), period)


def _inside(clicked: Picked, period: Period) -> Picked:
    """A point may still be marked that stood in the period shown before."""
    first, last = days_of(clicked, period) if clicked else period.span
    return clicked if first <= last else None


def likes(period: Period, today: date) -> None:
    """The share of likes, of all models together."""
    st.markdown(f"**{heading(LIKES, period)}**", help=_(LIKES.definition))
    frame = _named(_trend(LIKES, period, today), "")
    if frame.empty:
        st.caption(_("no likes or dislikes in this period"))
        return
    draw(trend, frame, "likes", look=_look(LIKES, period, "", frame), height=SMALL)
    _foot("likes", frame, LIKES, period, [_("band: 95% interval (Wilson)"), *_unfinished(frame, period)])


def side_by_side(period: Period, today: date) -> None:
    """Scores and likes on one scale, for whether they go the same way."""
    told = _(
        "Likes are their share times ten, so that both stand on 0–10: what matters is whether they go one way."
    )
    st.markdown(f"**{_('Scores and likes')}**", help=told)
    tenth = _trend(LIKES, period, today)
    tenth[["value", "low", "high"]] /= 10
    names = [_(SCORE.label), _("Likes × 10")]
    both = [_trend(SCORE, period, today).assign(subject=names[0]), tenth.assign(subject=names[1])]
    frame = pd.concat(both, ignore_index=True)
    look = replace(_look(SCORE, period, "", frame), subjects=names, highlighted=names, low=None, high=None)
    draw(trend, frame, "side_by_side", look=replace(look, unit=_("0–10")), height=SMALL)
    _foot("scores-and-likes", frame, SCORE, period, [_("bands: 95% intervals"), *_unfinished(frame, period)])


def days_of(picked: tuple[str, date], period: Period) -> tuple[date, date]:
    """The days behind a point, as far as the period shows them."""
    start = picked[1]
    last = start + timedelta(days=6) if period.grain == "week" else start
    return max(start, period.first), min(last, period.last)


def empty(today: date) -> None:
    """The frame of the trend without anything in it."""
    period = Period(today - timedelta(weeks=12), today, "week")
    with st.container(border=True):
        st.markdown(f"**{_(SCORE.label)}**", help=_(SCORE.definition))
        draw(trend, pd.DataFrame(columns=COLUMNS), "empty", look=_look(SCORE, period, "", pd.DataFrame()))


def _trend(metric: Metric, period: Period, today: date) -> pd.DataFrame:
    days = {"since": period.first, "until": period.last}
    rows: pd.DataFrame = ask(quality.trend, metric=metric.name, grain=period.grain, today=today, **days)
    return rows


def _moved_on(metric: Metric, period: Period, by: str) -> pd.DataFrame:
    """The period before, each of its days or weeks under the one that it is compared with."""
    before, later = period.before, period.first - period.before.first
    days = {"since": before.first, "until": before.last, "today": period.last + timedelta(days=7)}
    rows: pd.DataFrame = ask(quality.trend, metric=metric.name, grain=period.grain, by=by, **days)
    return rows.assign(period=[day + later for day in rows["period"]])


def _named(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    return frame.assign(subject=_names(list(frame["subject"]), by))


def _names(subjects: list[str], by: str) -> list[str]:
    """Split by a dimension, one that is named * is not all answers."""
    return [segment_name(name) if by else subject_name("quality", name) for name in subjects]


def _few(frame: pd.DataFrame, highlighted: Any) -> pd.DataFrame:
    """Without the grey lines where they are too many."""
    many = frame["subject"].nunique() > GHOSTS
    return frame[frame["subject"].isin(highlighted)] if many else frame


def _look(metric: Metric, period: Period, by: str, frame: pd.DataFrame) -> Look:
    """Those with most rows are in colour."""
    names = _names(ask(quality.names, by=by) if by else [TOGETHER], by)
    sizes = frame.groupby("subject")["n"].sum() if len(frame) else pd.Series(dtype=float)
    rows = set(sizes.nlargest(pickers.HIGHLIGHTS).index)
    return Look(
        filters.is_dark(),
        subjects=tuple(names),
        highlighted=tuple(name for name in names if name in rows),
        unit=_(metric.unit),
        show=percent if metric.is_rate else number,
        grain=period.grain,
        span=period.span,
    )


def _unfinished(frame: pd.DataFrame, period: Period) -> list[str]:
    found: list[date] = list(frame.loc[frame["unfinished"].eq(True), "period"]) if len(frame) else []
    if not found:
        return []
    last = max(found) + timedelta(days=6 if period.grain == "week" else 0)
    return [_("grey column: {span}, unfinished").format(span=span(max(found), last))]


def _foot(name: str, frame: pd.DataFrame, metric: Metric, period: Period, told: list[str]) -> None:
    data = Data(f"{name}-by-{period.grain}", period, lambda: frame, columns.trend(metric, period))
    beside.foot(" · ".join(told), data)
