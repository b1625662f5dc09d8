"""The card that renames, merges and retires models, and takes that back: choose, read what it would do, confirm."""

from typing import Any

import streamlit as st

from dashboard import access, actions, filters, model_changing
from dashboard.data import ask_now, model_changes
from dashboard.model_changing import Wish
from dashboard.wording import plain, said
from language import N_, _

KINDS = {
    "rename": N_("Rename"),
    "merge": N_("Merge into another"),
    "retire": N_("Retire"),
    "undo": N_("Take a change back"),
}
DONE = {"rename": N_("renamed"), "merge": N_("merged"), "retire": N_("retired")}


def card() -> None:
    """The whole card; for operators only."""
    told = _("A slip in a file makes a model. What you do here is shown first, and can be taken back.")
    st.markdown(f"**{_('Models')}**", help=told)
    if reason := access.why_not():
        model_changing.forget()
        st.caption(reason)
        return
    wish = _wish()
    ready = wish is not None and (wish.kind not in ("rename", "merge") or bool(wish.other))
    st.button(
        _("Preview"),
        icon=":material/visibility:",
        on_click=model_changing.preview,
        args=(wish,),
        disabled=not ready,
        key="model_preview",
    )
    _tried()
    _done()


def _wish() -> Wish | None:
    """What is chosen; None where there is nothing to choose."""
    usual: dict[str, Any] = {"on_change": model_changing.forget}
    left, middle, right = st.columns(3)
    kind = left.selectbox(
        _("Kind of change"), list(KINDS), format_func=lambda name: _(KINDS[name]), key="model_kind", **usual
    )
    if kind == "undo":
        standing = ask_now(model_changes.standing)
        chosen = middle.selectbox(
            _("Taken back"),
            list(standing),
            format_func=lambda number: _in_words(standing[number]),
            key="model_undo",
            **usual,
        )
        return None if chosen is None else Wish(kind, chosen)
    names = ask_now(model_changes.changeable)
    model = middle.selectbox(_("Model"), names, key="model_model", **usual)
    if model is None:
        return None
    if kind == "rename":
        return Wish(kind, model, right.text_input(_("New name"), key="model_name", **usual))
    if kind == "merge":
        others = [name for name in names if name != model]
        return Wish(kind, model, right.selectbox(_("Into"), others, key="model_into", **usual) or "")
    return Wish(kind, model)


def _in_words(change: dict[str, Any]) -> str:
    """A change in a list, whose entries are shown as they are."""
    to = f" → {change['new_name']}" if change["new_name"] else ""
    unfinished = ", " + _("not finished") if change["under_way"] else ""
    return f"{change['id']}: {change['old_name']}{to}, {said(change['kind'], DONE)}{unfinished}"


def _tried() -> None:
    """What would be done, and the button that does it."""
    tried = filters.remembered("model_wish")
    if tried is None:
        return
    wish, change = tried
    st.markdown(_("This would be the outcome: {told}").format(told=plain(change.told)))
    st.button(
        _("Confirm"),
        icon=":material/check:",
        on_click=model_changing.confirm,
        args=(wish,),
        key="model_confirm",
    )


def _done() -> None:
    """What was done, the way back, and the aggregation where days wait for it."""
    change = filters.remembered("model_changed")
    if change is None:
        return
    st.markdown(f":material/check_circle: {plain(change.told)}")
    with st.container(horizontal=True):
        if change.id is not None:
            wish = Wish("undo", change.id)
            icon = ":material/undo:"
            st.button(
                _("Take back"), icon=icon, on_click=model_changing.confirm, args=(wish,), key="model_back"
            )
        if change.stale:
            st.button(
                _("Run aggregation"),
                icon=":material/cached:",
                on_click=actions.run_now,
                args=("aggregate_models",),
                key="model_aggregate",
            )
