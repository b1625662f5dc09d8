"""Reports: the weekly report as it will look, and how each of those before was delivered."""

import streamlit as st

from dashboard import cards, report_archive, report_form
from language import _
from settings import current

cards.title(
    _("Reports"),
    _("Weekly report, Mondays {at} · {zone}").format(
        at=f"{current().digest_at:%H:%M}", zone=current().timezone
    ),
)

with st.container(border=True):
    st.markdown(f"**{_('As it will look')}**")
    st.fragment(report_form.form)("page")

with st.container(border=True):
    st.markdown(f"**{_('Sent, and to be sent')}**", help=_("Each week goes to each channel once."))
    report_archive.archive()
