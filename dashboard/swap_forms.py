"""The forms by which an operator swaps an agent's model, or takes a swap back; each asks why."""

from typing import Any

import streamlit as st

from dashboard import filters, swap_actions
from dashboard.data import ask, swaps
from dashboard.wording import plain
from language import _
from reports.swap_words import model_name


def swap() -> None:
    filters.remember("dialog", True)
    st.dialog(_("Swap a model"), on_dismiss=_close)(_swap_form)()


def _swap_form() -> None:
    """Agent, new model and why; the swap is validated like any other."""
    known = ask(swaps.assignments).set_index("agent_name")
    named: str | None = st.selectbox(
        _("Agent"),
        list(known.index),
        index=None,
        accept_new_options=True,
        key="_swap_agent",
        format_func=plain,
    )
    if named is not None and named in known.index:
        runs_on = model_name(str(known.at[named, "provider"]), str(known.at[named, "model"]))
        told = _("It runs on {model}.").format(model=plain(runs_on))
        st.caption(told)
    left, right = st.columns(2)
    provider = left.text_input(_("Provider"), key="_swap_provider", max_chars=200)
    model = right.text_input(_("Model"), key="_swap_model", max_chars=200)
    reason = st.text_input(_("Why"), key="_swap_reason", max_chars=2000)
    st.caption(
        _("This writes down the swap, and validates it after 7 days; your program reads which model to use.")
    )
    icon = ":material/swap_horiz:"
    if st.button(_("Swap"), icon=icon, type="primary", key="_swap_press") and swap_actions.swap(
        named or "", provider, model, reason
    ):
        _close()
        st.rerun(scope="app")


def rollback(row: dict[Any, Any]) -> None:
    filters.remember("dialog", True)
    st.dialog(_("Roll back a swap"), on_dismiss=_close)(_rollback_form)(row)


def _rollback_form(row: dict[Any, Any]) -> None:
    told = _("{agent} gets {model} again, and rests for a week.")
    model = model_name(row["old_provider"], row["old_model"])
    st.caption(told.format(agent=plain(row["agent_name"]), model=plain(model)))
    reason = st.text_input(_("Why"), key="_rollback_reason", max_chars=2000)
    icon = ":material/undo:"
    pressed = st.button(_("Roll back"), icon=icon, type="primary", key="_rollback_press")
    if pressed and swap_actions.roll_back(int(row["id"]), reason):
        _close()
        st.rerun(scope="app")


def _close() -> None:
    filters.remember("dialog", False)
