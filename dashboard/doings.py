"""What the system did by itself, and what is still to come."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.wording import plain
from language import _
from reports.wording import moment


def done(runs: pd.DataFrame, now: Any) -> None:
    """The newest scheduled runs that changed something."""
    if runs.empty:
        st.caption(_("Nothing in the last seven days."))
        return
    _lines([(moment(at, now), told) for at, told in zip(runs["finished_at"], runs["message"], strict=True)])


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
