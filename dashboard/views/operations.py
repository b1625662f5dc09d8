"""Operations: which days are there, what ran, what runs, what is due, and how fresh each table is."""

import streamlit as st

from dashboard import actions, aggregation, cards, coverage, filters, health, import_card, model_card
from dashboard.data import ask, ask_now, models, operations
from db.clock import utc_now
from language import _
from reports.wording import span
from settings import current

newest, oldest, today = ask(models.newest_day), ask(models.oldest_day), actions.today()
period = filters.period(newest or today, oldest or today)
shown = coverage.shown_days(period, newest or today, today)
cards.title(
    _("Operations"),
    _("Days, jobs and tables · {span} · {zone}").format(span=span(*shown.span), zone=current().timezone),
)

chosen = None
with st.container(border=True):
    st.markdown(f"**{_('Is every day there?')}**", help=coverage.meaning())
    if newest is None:
        st.caption(_("No evaluations have been aggregated yet: import a file, then run the aggregation."))
    else:
        chosen = coverage.calendar(shown, today)
if chosen:
    aggregation.again(*chosen)

with st.container(border=True):
    st.markdown(f"**{_('Runs')}**", help=_("The newest runs of every job; click one for its log."))
    actions.run_history()

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    st.markdown(f"**{_('Schedule')}**")
    actions.job_controls()
with right.container(border=True, height="stretch"):
    st.markdown(
        f"**{_('Tables')}**", help=_("Newest day of each table, and days that wait to be aggregated.")
    )
    health.freshness(actions.freshness(), utc_now())
    health.storage(ask_now(operations.storage))

with st.container(border=True):
    import_card.card()

with st.container(border=True):
    model_card.card()
