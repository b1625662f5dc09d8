"""Usage & cost: what calls of models cost, how long they take, how often they fail, and whether they are worth it."""

import streamlit as st

from dashboard import actions, cards, filters, pickers, usage_figures, usage_worth
from dashboard.data import ask, usage
from dashboard.ending import end_page
from language import _

newest, oldest, today = ask(usage.newest_day), ask(usage.oldest_day), actions.today()
if newest is None or oldest is None:
    cards.title(_("Usage & cost"), _("What calls of models cost, how long they take and how often they fail"))
    actions.empty_page("usage")
    end_page()

period = filters.period(newest, oldest)
cards.title(_("Usage & cost"), usage_figures.shown_in_words(period, newest))
usage_figures.cards(period)

with st.container(border=True):
    with st.container(horizontal=True, vertical_alignment="center"):
        figure = pickers.figure("used", {name: _(told[0]) for name, told in usage_figures.FIGURES.items()})
        by = pickers.by({name: _(label) for name, label in usage_figures.BY.items()}, "called_by")
    usage_figures.over_time(by, figure, period, today)
with st.container(border=True):
    usage_figures.table(by, period)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    usage_worth.month(today)
with right.container(border=True, height="stretch"):
    usage_worth.rating_against_cost(period)
with st.container(border=True):
    usage_figures.dearest(period)
