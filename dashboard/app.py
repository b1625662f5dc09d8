"""The frame: page config, navigation, sidebar. It loads no data of a page."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path[0] != str(ROOT):  # `streamlit run dashboard/app.py` puts dashboard/ first, not the root
    sys.path.insert(0, str(ROOT))

import streamlit as st

from dashboard import actions, cards, data, filters, navigation, sidebar, watch
from language import _, speaking, spoken

BRAND = Path(__file__).parent / "brand"

st.set_page_config(page_title="Tidemark", page_icon=str(BRAND / "icon.png"), layout="wide")
with speaking(filters.language()):
    dark = filters.is_dark()
    st.logo(str(BRAND / ("logo-dark.svg" if dark else "logo-light.svg")), size="large")
    page = st.navigation(navigation.pages())
    if trouble := data.what_is_wrong():
        st.title(_("Not ready yet"))
        st.text(trouble)
        watch.until_ready(trouble)
        st.stop()
    data.note_version()
    actions.note_health()
    filters.follow_url(page.url_path)
    if filters.language() != spoken():  # the back button, to an address of another language
        st.rerun()
    with st.sidebar:
        newest, oldest = data.ask(data.overall.newest_day), data.ask(data.overall.oldest_day)
        filters.period_picker(newest or actions.today(), oldest or actions.today())
    cards.demo_banner()
    watch.for_changes()
    with sidebar.after_the_page():
        page.run()
