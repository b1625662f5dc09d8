"""What a run would change, as soon as a worker has found it out."""

import streamlit as st

from dashboard import actions, filters, runs
from dashboard.data import ask_now, operations
from dashboard.wording import plain
from language import _


def shown(name: str) -> None:
    """The dry runs that were asked for under a name."""
    for run_id in filters.remembered(name) or ():
        waits = ask_now(operations.is_active, run_id=run_id)
        st.fragment(_rehearsal, run_every=0.5 if waits else None)(run_id)


def _rehearsal(run_id: int) -> None:
    row = ask_now(operations.run, run_id=run_id)
    if row is None:
        return
    if row["status"] == "queued" and not actions.worker_is_there():
        st.warning(_("No worker is running, so this waits. Start one with: python -m jobs loop"))
    elif row["status"] in ("queued", "running"):
        st.progress(row["progress"])
        st.text(row["message"] or _("waiting"))
    elif row["status"] != "succeeded":
        st.error(plain(row["error"] or row["message"]))
    else:
        told = _(actions.title(row["job"]))
        runs.changes(f"{told}: {row['message']}", row["result"] or {})
