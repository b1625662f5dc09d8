"""One polling fragment in the frame: shows jobs at work, and redraws the page when data or runs changed."""

from collections.abc import Callable

import streamlit as st

from dashboard import filters
from dashboard.data import ask_now, operations, version, what_is_wrong
from dashboard.wording import plain
from language import _

BUSY_SECONDS, IDLE_SECONDS = 1.0, 5.0


def for_changes() -> None:
    """Notes what this page shows now, and looks for something newer every few seconds."""
    filters.remember("seen", _state())
    busy = bool(ask_now(operations.active_runs))
    st.fragment(_look, run_every=BUSY_SECONDS if busy else IDLE_SECONDS)()


def _look() -> None:
    if _state() != filters.remembered("seen") and not filters.remembered("dialog"):
        st.rerun(scope="app")


def until_ready(trouble: str) -> None:
    """Draws the page again as soon as it can be shown, or something else is wrong."""
    st.fragment(_look_again, run_every=IDLE_SECONDS)(trouble)


def _look_again(trouble: str) -> None:
    if what_is_wrong() != trouble:
        st.rerun(scope="app")


def _state() -> tuple[int, int, int]:
    return (version(), *ask_now(operations.newest_run))


def running_jobs(stop: Callable[[int], None], may_stop: bool) -> None:
    """The sidebar's live line for each run that waits or runs, with a button that stops it."""
    busy = BUSY_SECONDS if ask_now(operations.active_runs) else None
    st.fragment(_show_runs, run_every=busy)(stop, may_stop)


def _show_runs(stop: Callable[[int], None], may_stop: bool) -> None:
    for run in ask_now(operations.active_runs):
        told = run["message"] or (_("waiting") if run["status"] == "queued" else _("starting"))
        with st.container(gap=None):
            st.progress(run["progress"])
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(plain(f"{run['job']} · {told}"), width="stretch")
                if may_stop and not run["cancel_requested"]:
                    st.button(
                        _("Stop"),
                        icon=":material/stop:",
                        type="tertiary",
                        on_click=stop,
                        args=(run["id"],),
                        key=f"_stop_{run['id']}",
                    )
