"""Swaps of agents' models: which model ran when, why it was swapped, what that did, and the way back."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import access, beside, filters, swap_forms
from dashboard.data import ask, derive, swaps
from dashboard.drawing import draw
from dashboard.period import Period
from db.clock import business_day, starts_at
from language import _, ngettext
from reports.charts.look import Look
from reports.charts.text import signed
from reports.charts.timeline import timeline
from reports.swap_words import BY, STATUSES, VERDICTS, model_name, status_of
from settings import current

SHOWN, BARS = 200, 20
COLOURS = {
    "validating": "blue",
    "kept": "green",
    "rolled_back": "orange",
    "inconclusive": "gray",
    "rollback": "violet",
}


def who_ran_what(period: Period) -> None:
    """A line an agent: its models, one after the other."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{_('Which model ran when')}**",
            help=_(
                "A red bar is a model that was rolled back: its agent got the model from before it again."
            ),
            width="stretch",
        )
        off = access.why_not()
        icon, label = ":material/swap_horiz:", _("Swap a model …")
        if st.button(label, icon=icon, disabled=off is not None, help=off, key="_swap_now"):
            swap_forms.swap()
    rows = derive(_stretches, first=period.first, last=period.last)
    if rows.empty:
        st.caption(_("No swap is known, and no agent has a model assigned."))
        return
    kept = list(dict.fromkeys(rows["subject"]))[:BARS]
    look = Look(filters.is_dark(), span=period.span)
    draw(timeline, rows[rows["subject"].isin(kept)], "timeline", look=look)
    if (more := rows["subject"].nunique() - len(kept)) > 0:
        st.caption(ngettext("{n} agent more", "{n} agents more", more))


def history() -> None:
    """Every swap, newest first: what it did, why it got its status, and the button that takes it back."""
    rows = ask(swaps.newest, limit=SHOWN)
    st.markdown(
        f"**{_('Swaps')}**",
        help=_(
            "After its validation period a swap is rolled back where the agent's rating fell by more than the "
            "threshold and, by 2,000 draws of its trades, not by luck. Then the agent rests for a week."
        ),
    )
    if rows.empty:
        st.caption(_("No model was swapped yet."))
        return
    may = access.why_not() is None
    table = _listed(rows, may)
    st.dataframe(table, hide_index=True, placeholder="–", column_config=_columns(rows))
    with st.container(horizontal=True, horizontal_alignment="right"):
        beside.csv(lambda: table.drop(columns="back"), "swaps")
    if number := filters.remembered("roll_back"):
        filters.remember("roll_back", None)
        found = rows[rows["id"] == number]
        if len(found):
            swap_forms.rollback(found.to_dict("records")[0])


def _stretches(first: date, last: date) -> pd.DataFrame:
    zone = current().zone
    rows = ask(swaps.stretches, since=starts_at(first, zone), until=starts_at(last + timedelta(days=1), zone))
    known = ask(swaps.newest, limit=10_000).set_index("id")
    found: list[dict[str, Any]] = []
    turns: dict[str, int] = {}
    for row in rows.to_dict("records"):
        agent, number = row["agent_name"], row["swap"]
        turns[agent] = turns.get(agent, -1) + 1
        swap = known.loc[number].to_dict() if number == number and number in known.index else None
        status = status_of(swap) if swap else ""
        found.append(
            {
                "subject": agent,
                "model": model_name("", row["model"]),
                "begun": business_day(row["begun"], zone),
                "ended": business_day(row["ended"], zone),
                "told": _(STATUSES[status]) if status else "",
                "mark": status == "rolled_back",
                "tone": "odd" if turns[agent] % 2 else "even",
            }
        )
    columns = ["subject", "model", "begun", "ended", "told", "mark", "tone"]
    return pd.DataFrame(found, columns=columns)


def _listed(rows: pd.DataFrame, may: bool) -> pd.DataFrame:
    zone = current().zone
    records = rows.to_dict("records")
    return pd.DataFrame(
        {
            "at": [row["timestamp"].astimezone(zone).replace(tzinfo=None) for row in records],
            "agent": rows["agent_name"],
            "swap": [
                f"{model_name(row['old_provider'], row['old_model'])} → "
                f"{model_name(row['new_provider'], row['new_model'])}"
                for row in records
            ],
            "status": [[status_of(row)] for row in records],
            "back": [_("Roll back") if row["can_roll_back"] and may else None for row in records],
            "what": [_what_it_did(row) for row in records],
            "why": [_(VERDICTS[row["verdict"]]) if row["verdict"] in VERDICTS else None for row in records],
            "reason": rows["reason"],
            "by": [_(BY.get(row["triggered_by"], row["triggered_by"])) for row in records],
        }
    )


def _what_it_did(row: dict[Any, Any]) -> str | None:
    """The rating before and after it, on how many decisions."""
    if pd.isna(row["rating_before"]) or pd.isna(row["rating_after"]):
        return None
    return _("{before} → {after} ({change} %, n = {n} / {m})").format(
        before=f"{row['rating_before']:.1f}",
        after=f"{row['rating_after']:.1f}",
        change="–" if pd.isna(row["observed_change"]) else signed(100 * row["observed_change"], 0),
        n=int(row["decisions_before"]),
        m=int(row["decisions_after"]),
    )


def _columns(rows: pd.DataFrame) -> dict[str, Any]:
    kinds = st.column_config
    return {
        "at": kinds.DatetimeColumn(_("When"), format=_("D MMM YYYY, HH:mm"), width=140),
        "agent": kinds.TextColumn(_("Agent"), width=120),
        "swap": kinds.TextColumn(_("From → to"), width=230),
        "status": kinds.MultiselectColumn(
            _("Status"),
            options=list(COLOURS),
            color=list(COLOURS.values()),
            format_func=lambda word: _(STATUSES[word]),
            width=120,
        ),
        "back": kinds.ButtonColumn(
            "", width=100, key="_back_clicked", on_click=_ask_to_roll_back, args=(list(rows["id"]),)
        ),
        "what": kinds.TextColumn(_("Rating before → after"), width=200),
        "why": kinds.TextColumn(_("Why"), width=210),
        "reason": kinds.TextColumn(_("Reason given"), width=220),
        "by": kinds.TextColumn(_("By"), width=80),
    }


def _ask_to_roll_back(ids: list[int]) -> None:
    """Remembers whose button was pressed: the dialog asks for the reason, nothing is done at once."""
    filters.remember("roll_back", int(ids[filters.clicked_row("_back_clicked")]))
