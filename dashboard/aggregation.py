"""Aggregating again: the dialog of the sidebar, and the days that were chosen in the calendar; both with a preview."""

from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import access, actions, filters, rehearsal
from dashboard.data import ask, models, overall
from dashboard.wording import plain
from language import _
from reports.subjects import WORDS
from reports.wording import span

ALL_STALE, ONE_DAY, RANGE = "stale", "day", "range"


def dialog() -> None:
    """Opens the form, without the preview of another time."""
    filters.remember("preview", None)
    filters.remember("dialog", True)
    st.dialog(_("Run aggregation"), on_dismiss=close)(_form)()


def close() -> None:
    filters.remember("dialog", False)


def _form() -> None:
    days, words = _days(), _words()
    values = (days or {}) | (_model() if "models" in words else {})
    words = words if not values.get("model") else ["models"]
    if values.get("only", "all") != "all" and "quality" in words:
        st.caption(_("AI quality is computed again for every day of the range."))
    usual: dict[str, Any] = {"width": "stretch", "disabled": days is None}
    preview, run = st.columns(2)
    if preview.button(_("Preview"), icon=":material/preview:", key="_preview_button", **usual):
        actions.aggregate(values | {"dry_run": True}, "preview", words)
        filters.remember("previewed", (values, words))
    pressed = run.button(_("Run"), icon=":material/play_arrow:", key="_run_button", **usual)
    if pressed and actions.aggregate(values, "started", words):
        close()
        st.rerun(scope="app")
    chosen = (values, words)
    if filters.remembered("previewed") == chosen:  # a preview for other choices says nothing of these
        rehearsal.shown("preview")


def _days() -> dict[str, Any] | None:
    """Which days: what is stale, one day, or a range and what of it; None while a range lacks its last day."""
    kinds = {ALL_STALE: _("All that is stale"), ONE_DAY: _("One day"), RANGE: _("A range of days")}
    kind = st.segmented_control(
        _("Days"), list(kinds), default=ALL_STALE, required=True, format_func=kinds.__getitem__, key="_days"
    )
    newest = ask(overall.newest_day) or actions.today()
    if kind == ONE_DAY:
        return {"day": st.date_input(_("Day"), newest, key="_day")}
    if kind == RANGE:
        chosen = st.date_input(_("From – to"), (newest - timedelta(days=6), newest), key="_range")
        if len(chosen) < 2:
            st.caption(_("Choose the last day of the range, too."))
            return None
        return dict(zip(("since", "until"), chosen, strict=True)) | {"only": _which()}
    told = _("Whatever came, changed or went since it was aggregated, and yesterday; today as unfinished.")
    st.caption(told)
    return {}


def _which() -> str:
    """Of a range all days, or those that need it."""
    kinds = {"all": _("All"), "stale": _("Only stale"), "missing": _("Only missing")}
    which: str = st.segmented_control(
        _("Which of them"),
        list(kinds),
        default="all",
        required=True,
        format_func=kinds.__getitem__,
        key="_only",
    )
    told = {
        "all": _("Every day is computed again. Stopped half-way, it can be resumed."),
        "stale": _("Days whose evaluations changed since they were aggregated."),
        "missing": _("Days with evaluations that were never aggregated."),
    }
    st.caption(told[which])
    return which


def _words() -> list[str]:
    """Of everything, or of one word."""
    kinds = {"all": _("All")} | {word: _(label) for word, label in WORDS.items()}
    word = st.segmented_control(
        _("Of what"), list(kinds), default="all", required=True, format_func=kinds.__getitem__, key="_word"
    )
    return list(WORDS) if word == "all" else [word]


def _model() -> dict[str, Any]:
    names = ask(models.names)
    model = st.selectbox(_("Model"), names, index=None, placeholder=_("all models"), key="_model")
    return {"model": model} if model else {}


def again(names: list[str], first: date, last: date) -> None:
    """What running the chosen days again would change, and the button that does it."""
    model = {"model": names[0]} if len(names) == 1 else {}
    values: dict[str, Any] = {"since": first, "until": last} | model
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            subject = plain(names[0]) if model else _("All models")
            st.markdown(f"**{subject}** :small[{span(first, last)}]", width="stretch")
            off = access.why_not()
            icon, told = ":material/replay:", off or _("Computes these days again from their evaluations.")
            pressed = st.button(_("Run again"), icon=icon, disabled=off is not None, help=told, key="_again")
        if off:
            st.caption(off)
            return
        if len(names) > 1:
            st.caption(_("Several models are chosen: these days are run again for all of them."))
        if pressed and actions.aggregate(values, "started"):
            st.rerun()
        wanted = (tuple(names), first, last, filters.remembered("data_version"))
        if filters.remembered("rehearsed") != wanted:  # once for a choice, and again after data changed
            filters.remember("rehearsed", wanted)
            actions.aggregate(values | {"dry_run": True}, "rehearsal")
        rehearsal.shown("rehearsal")
