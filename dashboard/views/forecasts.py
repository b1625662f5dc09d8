"""Forecasts: which forecaster earns its weight, and whether the weights that adjust themselves pay."""

import streamlit as st

from dashboard import (
    actions,
    adjusting,
    backtests,
    cards,
    code_card,
    filters,
    forecast_hits,
    pickers,
    verdict_table,
    weights,
)
from dashboard.data import ask, forecast_codes, forecasts, verdicts
from dashboard.ending import end_page
from language import _

newest, oldest, today = ask(forecasts.newest_day), ask(forecasts.oldest_day), actions.today()
codes = ask(forecast_codes.codes)
if newest is None or oldest is None or not codes:
    cards.title(_("Forecasts"), _("Predictions, what came true, and the weights of an ensemble's members"))
    actions.empty_page("forecasts")
    forecast_hits.empty(today)
    end_page()

period = filters.period(newest, oldest)
days = {"since": period.first, "until": period.last}
week = ask(verdicts.newest_week, until=period.last, word="forecasts")
cards.title(_("Forecasts"), forecast_hits.shown_in_words(len(codes), period, newest))
code_card.too_old(today)
with st.container(horizontal=True, vertical_alignment="center"):
    code = pickers.code(codes)
    horizon = pickers.horizon(ask(forecast_codes.horizons, code=code))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    weights.carried(code, horizon, period)
with right.container(border=True, height="stretch"):
    backtests.pays(code, horizon)

with st.container(border=True):
    adjusting.next_one(code)
with st.container(border=True):
    adjusting.ledger(period)
if len(codes) > pickers.FEW_CODES:
    with st.container(border=True):
        weights.everywhere(period)

with st.container(border=True):
    forecast_hits.over_time(period, today, horizon)
left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    forecast_hits.by_model("hit_rate", period, horizon)
with right.container(border=True, height="stretch"):
    forecast_hits.by_model("closer_rate", period, horizon)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    code_card.performance(code, period)
    code_card.resolved(code, horizon, period)
with right.container(border=True, height="stretch"):
    code_card.said_and_came(code, horizon, period)

with st.container(border=True):
    backtests.rules(code, horizon)
with st.container(border=True):
    code_card.trainings(code, horizon, period)
if week:
    with st.container(border=True):
        verdict_table.of_forecasts(week)
