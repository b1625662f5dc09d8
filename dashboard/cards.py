"""What every page begins with: banner, title, and what is missing where there is no data."""

from collections.abc import Sequence
from dataclasses import dataclass

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


def empty(fill: Sequence["Fill"], may_press: bool) -> None:
    """What a page without data says: which imports and jobs fill it, and how far that is."""
    told = _("These pages read {table}, which {job} fills from {sources}.")
    with st.container(border=True):
        st.markdown(f"**{_('Nothing has been aggregated yet')}**")
        for one in fill:
            sources = ", ".join(one.waiting)
            st.caption(told.format(table=one.table, job=one.job, sources=sources))
        headings = [_("Step"), _("State"), _("Next")]
        steps = [step for one in fill for step in _steps(one, may_press)]
        st.table(pd.DataFrame(steps, columns=headings), border="horizontal", hide_index=True)
        if not any(one.rows for one in fill):
            st.caption(_("Only looking around? python -m db demo fills every page with simulated data."))


@dataclass(frozen=True)
class Fill:
    """What fills an aggregated table: the job, and its sources with their rows and the days that wait."""

    table: str
    job: str
    waiting: dict[str, tuple[int, int]]

    @property
    def rows(self) -> int:
        return sum(rows for rows, _days in self.waiting.values())


def _steps(fill: Fill, may_press: bool) -> list[tuple[str, str, str]]:
    """Table or job, how it is, and what to do next."""
    open_, done = ":material/radio_button_unchecked:", ":material/check_circle:"
    bring = _("import a file: on page Operations, or python -m db import {table} FILE")
    press = _("press Run aggregation in the sidebar")
    run = press if may_press else _("python -m jobs run {job}").format(job=fill.job)
    waits = max(days for _rows, days in fill.waiting.values())
    state = ngettext("{n} day waits", "{n} days wait", waits) if waits else _("nothing to do")
    return [
        (
            f"{done if rows else open_} {name}",
            ngettext("{n} row", "{n} rows", rows),
            _("fine") if rows else bring.format(table=name),
        )
        for name, (rows, _days) in fill.waiting.items()
    ] + [(f"{open_} {fill.job}", state, run if fill.rows else _("waits for the rows above"))]
