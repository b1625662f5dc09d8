"""What every page begins with: banner, title, and what is missing where there is no data."""

import pandas as pd
import streamlit as st

from dashboard.data import ask, holds_demo
from language import _, ngettext


def demo_banner() -> None:
    """Says on every page that what it shows is invented."""
    if ask(holds_demo):
        told = _("Every number here is invented. The first real import takes the simulated data out.")
        st.markdown(f":violet-badge[:material/science: {_('simulated data')}] :small[{told}]")


def title(text: str, second_line: str) -> None:
    """The page's name, and in small what it shows."""
    with st.container(gap=None):
        st.title(text, anchor=False)
        st.caption(second_line)


def empty(rows: int, waiting: int, may_press: bool) -> None:
    """What a page without data says: which import and which job fill it, and how far that is."""
    pages = _(
        "These pages read daily_model_performance, which aggregate_models fills from model_evaluations."
    )
    with st.container(border=True):
        st.markdown(f"**{_('No evaluations have been aggregated yet')}**")
        st.caption(pages)
        headings = [_("Step"), _("State"), _("Next")]
        steps = pd.DataFrame(_steps(rows, waiting, may_press), columns=headings)
        st.table(steps, border="horizontal", hide_index=True)
        if not rows:
            st.caption(_("Only looking around? python -m db demo fills every page with simulated data."))


def _steps(rows: int, waiting: int, may_press: bool) -> list[tuple[str, str, str]]:
    """Table or job, how it is, and what to do next."""
    done = ":material/check_circle:" if rows else ":material/radio_button_unchecked:"
    press = _("press Run aggregation in the sidebar")
    run = press if may_press else _("python -m jobs run aggregate_models")
    return [
        (
            f"{done} model_evaluations",
            ngettext("{n} row", "{n} rows", rows),
            _("fine")
            if rows
            else _("import a file: on page Operations, or python -m db import model_evaluations FILE"),
        ),
        (
            ":material/radio_button_unchecked: aggregate_models",
            ngettext("{n} day waits", "{n} days wait", waiting) if waiting else _("nothing to do"),
            run if rows else _("waits for the rows above"),
        ),
    ]
