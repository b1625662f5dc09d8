"""Is every day there? Days × models, worst first, with the way to run some of them again."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns, filters, picked, pickers
from dashboard.beside import Data
from dashboard.data import ask, ask_now, derive, models, operations
from dashboard.data import coverage as queries
from dashboard.drawing import draw
from dashboard.period import Period
from dashboard.wording import said
from language import _, ngettext
from reports.charts.days import STATES, days
from reports.charts.look import Look

ROWS = 24
LONGEST = 182  # days that are drawn; a longer period has its last ones
LATELY = 21  # data that ended so many days ago are still waited for
BADGES = {
    "complete": "blue-badge[■",
    "partial": "yellow-badge[▬",
    "missing": "red-badge[✕",
    "restated": "violet-badge[↻",
}
Cells = tuple[list[str], date, date]


def shown_days(period: Period, newest: date, today: date) -> Period:
    """The days of the period that are drawn: its last ones, and where data ended lately all until today."""
    waited_for = period.last == newest and timedelta(0) <= today - newest <= timedelta(days=LATELY)
    last = today if waited_for else min(period.last, today)
    if period.first > last:  # days to come, of which there is nothing to say
        return Period(period.first, period.last, "day")
    return Period(max(period.first, last - timedelta(days=LONGEST - 1)), last, "day")


def calendar(period: Period, today: date) -> Cells | None:
    """The calendar with its legend; returns the models and days that somebody chose."""
    mark = ask_now(operations.newest_mark)
    asked = {"since": period.first, "until": period.last, "today": today, "newest_mark": mark}
    table = ask(queries.coverage_calendar, **asked)
    _legend(table)
    if table.empty:
        st.caption(_("no data in this period"))
        return None
    ranked = worst_first(table)
    wanted = pickers.searched(sorted(ask(models.names))) if len(ranked) > ROWS else []
    order = [name for name in wanted if name in set(ranked)] or ranked[:ROWS]
    look = Look(filters.is_dark(), highlighted=order, grain="day", span=period.span)
    told = derive(_cells, shown=tuple(order), **asked)
    event = draw(days, told, "coverage_calendar", look=look, selection=("point", "range"))
    beside.foot(
        _how_many(len(ranked), order, wanted), Data("days", period, lambda: _in_words(table), columns.DAYS)
    )
    return picked.cells(event)


def _cells(shown: tuple[str, ...], **asked: Any) -> pd.DataFrame:
    table = ask(queries.coverage_calendar, **asked)
    cells = table[table["subject"].isin(shown)]
    return cells[["subject", "day", "state"]].assign(told=[_told(row) for row in cells.to_dict("records")])


def meaning() -> str:
    """What the states mean."""
    return _(
        "Missing: the weekday had predictions in at least 6 of the model's last 8 weeks, and this day has none. "
        "Partial: not all is evaluated, a change is still to be aggregated, or it is today. "
        "Restated: a figure changed that had been complete for over 7 days; the old one is kept."
    )


def worst_first(table: pd.DataFrame) -> list[str]:
    """The models by missing, then partial, then restated days; those without any by name."""
    counts = pd.crosstab(table["subject"], table["state"])
    worst = ["missing", "partial", "restated"]
    counts = counts.reindex(columns=worst, fill_value=0).sort_index()
    ranked: list[str] = counts.sort_values(worst, ascending=False, kind="stable").index.tolist()
    return ranked


def _legend(table: pd.DataFrame) -> None:
    """What each state looks like, and how many days of models have it."""
    counts = table["state"].value_counts()
    badges = [f":{badge} {said(state, STATES)} {counts.get(state, 0):,}]" for state, badge in BADGES.items()]
    st.markdown(" ".join([*badges, f":gray-badge[{_('nothing expected')}]"]))


def _told(row: dict[Any, Any]) -> str:
    """What the tooltip says of a day: how much is there, and what happened to it."""
    part, whole = f"{row['part']:,}", f"{row['whole']:,}"
    told = [_("{part} of {whole} evaluated").format(part=part, whole=whole) if row["whole"] else _("none")]
    if row["waits"]:
        told.append(_("changed since it was aggregated"))
    if row["restated"]:
        told.append(ngettext("{n} figure restated", "{n} figures restated", row["restated"]))
    return " · ".join(told)


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(state=[said(state, STATES) for state in table["state"]])


def _how_many(there: int, order: list[str], wanted: list[str]) -> str:
    how = _("click a day, or drag over several, to preview what running it again would change")
    if wanted or there <= len(order):
        return how
    return (
        _("the {n} of {all} models with most missing and partial days").format(n=len(order), all=there)
        + f" · {how}"
    )
