"""Models: how each model's predictions score, on how much data, and how sure that is."""

import streamlit as st

from dashboard import (
    actions,
    bars,
    cards,
    events,
    filters,
    lineup,
    pickers,
    standing,
    tables,
    trends,
    verdict_table,
)
from dashboard.data import ask, models, verdicts
from dashboard.ending import end_page
from db.metrics import METRICS
from language import _
from reports.wording import span

newest, oldest, names = ask(models.newest_day), ask(models.oldest_day), ask(models.names)
if newest is None or oldest is None:
    cards.title(_("Models"), _("Scores of evaluated predictions"))
    actions.empty_page("models")
    trends.empty(METRICS["final_score"], actions.today())
    end_page()

period = filters.period(newest, oldest)
days = {"since": period.first, "until": period.last}
week, ranked = ask(verdicts.newest_week, until=period.last, word="models"), lineup.ranked(days)
cards.title(_("Models"), trends.shown_in_words(len(ranked), len(names), period, newest))

pills = st.container()  # filled below: which models a page highlights by itself goes by the metric
with st.container(border=True):
    with st.container(horizontal=True, vertical_alignment="center"):
        metric = METRICS[pickers.metric(ask(models.metrics_with_data, **days) or ["final_score"])]
        view = pickers.view()
        st.markdown(f"**{trends.heading(metric, period)}**", help=_(metric.definition), width="stretch")
    with pills:
        highlighted = pickers.highlighted(sorted(names), lineup.noteworthy(metric, days))
    shown = lineup.Lineup(names, ranked, highlighted)
    frame = ask(models.trend, metric=metric.name, grain=period.grain, today=actions.today(), **days)
    frame, picked = events.with_restated(frame, metric, period), None
    if view == "highlighted":
        picked = trends.highlighted(frame, metric, period, shown)
    else:
        trends.all_models(frame, metric, period, shown)
    trends.footer(frame, metric, period, shown, view)
if picked:
    tables.rows_behind(*picked, period, metric)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    bars.rates(METRICS["target_achieved_rate"], period, shown)
with right.container(border=True, height="stretch"):
    bars.rates(METRICS["support_breach_rate"], period, shown)

with st.container(border=True):
    bars.coverage(period, shown)

if week:
    with st.container(border=True):
        verdict_table.show(week, actions.today())

with st.container(border=True):
    standing.head_to_head(sorted(names), period)

with st.container(border=True):
    st.markdown(f"**{_('All models')}** :small[{span(period.first, period.last)}]")
    standing.best(period)
    tables.comparison(period, actions.today())
