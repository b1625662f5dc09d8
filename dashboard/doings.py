"""What the system did by itself, and what is still to come."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import actions
from dashboard.wording import plain
from language import _
from reports.wording import moment


def done(runs: pd.DataFrame, now: Any) -> None:
    """The newest scheduled runs that changed something."""
    if runs.empty:
        st.caption(_("Nothing in the last seven days."))
        return
    told = [row["message"] or _(actions.title(row["job"])) for row in runs.to_dict("records")]
    _lines(list(zip([moment(at, now) for at in runs["finished_at"]], told, strict=True)))


def to_come(jobs: Any) -> None:
    """The next run of each job."""
    coming = sorted((job.next_slot, job.title) for job in jobs.jobs if job.next_slot)
    if not coming:
        st.caption(_("No job has a time."))
        return
    _lines([(moment(at, jobs.now), _(title)) for at, title in coming])


def _lines(lines: list[tuple[str, str]]) -> None:
    table = pd.DataFrame(
        [(f":gray[{at}]", plain(told)) for at, told in lines], columns=[_("When"), _("What")]
    )
    st.table(table, border="horizontal", hide_index=True, hide_header=True)
