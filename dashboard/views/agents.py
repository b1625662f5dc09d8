"""Agents: who contributes, who loses money, how honest their confidence is, and what swaps of their models did."""

import streamlit as st

from dashboard import (
    actions,
    agent_money,
    agent_scores,
    cards,
    filters,
    pickers,
    swap_card,
    system_days,
    verdict_table,
)
from dashboard.data import agents, ask, verdicts
from dashboard.ending import end_page
from language import _
from reports.wording import span_with_end

newest, oldest, today = ask(agents.newest_trade), ask(agents.oldest_trade), actions.today()
markets = ask(agents.markets)
if newest is None or oldest is None or not markets:
    cards.title(_("Agents"), _("Trades, who took part in them, and which model each agent runs on"))
    actions.empty_page("agents")
    with st.container(border=True):
        swap_card.history()
    end_page()

period = filters.period(newest, oldest)
week = ask(verdicts.newest_week, until=period.last, word="agents")
titled = st.container()
market = pickers.market(markets)
with titled:
    shown = span_with_end(period.first, period.last, newest)
    cards.title(_("Agents"), agent_scores.shown_in_words(market, period, shown))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    agent_money.attribution(market, period)
with right.container(border=True, height="stretch"):
    agent_scores.win_rates(market, period)
with st.container(border=True):
    agent_scores.underperforming(market, period.last)
with st.container(border=True):
    agent_money.over_time(market, period, today)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    agent_scores.confidence(market, period)
with right.container(border=True, height="stretch"):
    system_days.by_day(market, period, today)

with st.container(border=True):
    swap_card.who_ran_what(period)
with st.container(border=True):
    swap_card.history()
if week:
    with st.container(border=True):
        verdict_table.of_agents(week)
