"""The pages, by word. Every page stands here, one line each."""

from pathlib import Path
from typing import Any

import streamlit as st

from language import _

VIEWS = Path(__file__).parent / "views"


def pages() -> dict[str, list[Any]]:
    """Sections of the navigation and their pages."""
    return {
        "": [st.Page(VIEWS / "overview.py", title=_("Overview"), icon=":material/waves:", default=True)],
        _("What we watch"): [
            st.Page(VIEWS / "models.py", title=_("Models"), icon=":material/query_stats:"),
            st.Page(VIEWS / "forecasts.py", title=_("Forecasts"), icon=":material/moving:"),
            st.Page(VIEWS / "agents.py", title=_("Agents"), icon=":material/smart_toy:"),
            st.Page(VIEWS / "usage.py", title=_("Usage & cost"), icon=":material/payments:"),
            st.Page(VIEWS / "quality.py", title=_("AI quality"), icon=":material/award_star:"),
        ],
        _("How it runs"): [
            st.Page(VIEWS / "operations.py", title=_("Operations"), icon=":material/event_available:"),
            st.Page(VIEWS / "reports.py", title=_("Reports"), icon=":material/forward_to_inbox:"),
        ],
    }
