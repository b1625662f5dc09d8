"""Overview: the latest figures of each model, the health of the jobs, and the next step where data is missing."""

import streamlit as st

from dashboard import actions, cards, filters, headlines, health
from dashboard.data import ask, models
from dashboard.wording import span_with_end
from db.clock import utc_now
from db.metrics import METRICS
from language import _
from settings import current

newest, oldest = ask(models.newest_day), ask(models.oldest_day)
if newest is None or oldest is None:
    cards.title(_("Overview"), _("What your models did, and whether the jobs ran"))
    actions.empty_page()
    headlines.no_numbers(["final_score", "target_achieved_rate", "support_breach_rate", "coverage"])
    st.stop()

period = filters.period(newest, oldest)
cards.title(
    _("Overview"),
    f"{span_with_end(period.first, period.last, newest)} · {current().timezone}",
)

headlines.numbers(
    ["final_score", "target_achieved_rate", "support_breach_rate", "coverage"], period, actions.today()
)

st.subheader(_("Models"), anchor=False)
with st.container(border=True):
    headlines.best_models(METRICS["final_score"], period, actions.today())

left, right = st.columns(2)
with left:
    st.subheader(_("Jobs"), anchor=False)
    with st.container(border=True):
        health.schedule(actions.job_health())
with right:
    st.subheader(_("Data"), anchor=False)
    with st.container(border=True):
        health.freshness(actions.freshness(), utc_now())
