"""One polling fragment in the frame: shows jobs at work, and redraws the page when data or runs changed."""

import streamlit as st

from dashboard import filters
from dashboard.data import ask_now, operations, version
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


def _state() -> tuple[int, int, int]:
    return (version(), *ask_now(operations.newest_run))


def running_jobs() -> None:
    """The sidebar's live line for each run that waits or runs."""
    st.fragment(_show_runs, run_every=BUSY_SECONDS if ask_now(operations.active_runs) else None)()


def _show_runs() -> None:
    for run in ask_now(operations.active_runs):
        told = run["message"] or (_("waiting") if run["status"] == "queued" else _("starting"))
        with st.container(gap=None):
            st.progress(run["progress"])
            st.caption(plain(f"{run['job']} · {told}"))
