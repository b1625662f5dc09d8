"""Models: how each model's predictions score, on how much data, and how sure that is."""

import streamlit as st

from dashboard import actions, cards, filters, tables, trends
from dashboard.data import ask, models
from dashboard.wording import span
from db.metrics import METRICS
from language import _, ngettext
from settings import current

newest, oldest, names = ask(models.newest_day), ask(models.oldest_day), ask(models.names)
if newest is None or oldest is None:
    cards.title(_("Models"), _("Scores of evaluated predictions"))
    actions.empty_page()
    trends.empty(METRICS["final_score"], actions.today())
    st.stop()

period = filters.period(newest, oldest)
days = {"since": period.first, "until": period.last}
ranked = tables.by_score(days)
cards.title(
    _("Models"),
    _("Scores of evaluated predictions · {models} · {span} (newest data), {grain} · {zone}").format(
        models=_("{shown} of {models}").format(
            shown=len(ranked), models=ngettext("{n} model", "{n} models", len(names))
        ),
        span=span(period.first, period.last),
        grain=_("weekly") if period.grain == "week" else _("daily"),
        zone=current().timezone,
    ),
)
highlighted = filters.highlighted(sorted(names), tables.noteworthy(days))

with st.container(border=True):
    with st.container(horizontal=True, vertical_alignment="center"):
        metric = METRICS[filters.metric(ask(models.metrics_with_data, **days) or ["final_score"])]
        view = filters.view()
        st.markdown(f"**{trends.heading(metric, period)}**", help=_(metric.definition), width="stretch")
    frame = ask(models.trend, metric=metric.name, grain=period.grain, today=actions.today(), **days)
    picked = None
    if view == "highlighted":
        picked = trends.highlighted(frame, metric, period, names, highlighted)
    else:
        trends.all_models(frame, metric, period, names, ranked)
    trends.footer(frame, metric, period, clickable=view == "highlighted")
if picked:
    tables.rows_behind(*picked, period, metric)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    trends.rates(METRICS["target_achieved_rate"], period, names, ranked)
with right.container(border=True, height="stretch"):
    trends.rates(METRICS["support_breach_rate"], period, names, ranked)

with st.container(border=True):
    trends.coverage(period, names, ranked)

with st.container(border=True):
    st.markdown(f"**{_('All models')}** :small[{span(period.first, period.last)}]")
    cards.comparison(tables.comparison(period, actions.today()))
