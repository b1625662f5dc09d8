"""Forecasts: which forecaster earns its weight, and whether the weights that adjust themselves pay."""

import streamlit as st

from dashboard import actions, cards, filters, forecast_hits, pickers, verdict_table
from dashboard.data import ask, forecasts, verdicts
from language import _
from reports.wording import span_with_end
from settings import current

newest, oldest, today = ask(forecasts.newest_day), ask(forecasts.oldest_day), actions.today()
if newest is None or oldest is None:
    cards.title(_("Forecasts"), _("Predictions, what came true, and the weights of an ensemble's members"))
    actions.empty_page("forecasts")
    forecast_hits.empty(today)
    st.stop()

period = filters.period(newest, oldest)
week = ask(verdicts.newest_week, until=period.last, word="forecasts")
cards.title(_("Forecasts"), f"{span_with_end(period.first, period.last, newest)} · {current().timezone}")
horizon = pickers.horizon(ask(forecasts.horizons))

with st.container(border=True):
    forecast_hits.over_time(period, today, horizon)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    forecast_hits.by_model("hit_rate", period, horizon)
with right.container(border=True, height="stretch"):
    forecast_hits.by_model("closer_rate", period, horizon)

if week:
    with st.container(border=True):
        verdict_table.of_forecasts(week)
