"""Operations: what ran, what runs, what is due, and how fresh each table is."""

import streamlit as st

from dashboard import actions, cards, health
from db.clock import utc_now
from language import _
from settings import current

cards.title(_("Operations"), _("Jobs and tables · {zone}").format(zone=current().timezone))

with st.container(border=True):
    st.markdown(f"**{_('Runs')}**", help=_("The newest runs of every job; click one for its log."))
    actions.run_history()

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    st.markdown(f"**{_('Schedule')}**")
    health.schedule(actions.job_health())
with right.container(border=True, height="stretch"):
    st.markdown(
        f"**{_('Tables')}**", help=_("Newest day of each table, and days that wait to be aggregated.")
    )
    health.freshness(actions.freshness(), utc_now())
