"""Usage & cost: what calls of models cost, how long they take and how often they fail."""

import streamlit as st

from dashboard import actions, cards
from dashboard.data import ask, usage
from dashboard.ending import end_page
from language import _

newest = ask(usage.newest_day)
cards.title(_("Usage & cost"), _("What calls of models cost, how long they take and how often they fail"))
if newest is None:
    actions.empty_page("usage")
    end_page()
st.caption("…")
