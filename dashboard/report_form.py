"""The weekly report before it is sent: which week, in which language, to which channel, and how it will look."""

import base64
from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import access, actions, filters
from dashboard.data import ask, ask_now, reports
from dashboard.wording import plain
from language import LANGUAGES, _
from reports.deliver import FILE, usual_channel
from reports.digest import KIND, last_finished_week, preview
from reports.render_html import render
from reports.wording import span, week_name
from settings import current

WEEKS, HEIGHT = 12, 560


def dialog() -> None:
    """The form over the page that is open."""
    filters.remember("dialog", True)
    st.dialog(_("Send weekly report"), width="large", on_dismiss=_close)(form)("dialog")


def _close() -> None:
    filters.remember("dialog", False)


def form(place: str) -> None:
    """Choices, the report as they make it, and the button that sends it; `place` keeps two forms apart."""
    values = _choices(place)
    asked = {name: values[name] for name in ("week", "language")}
    made = ask(preview, troubles=actions.troubles(values["language"]), **asked)
    channel = values["channel"] or usual_channel(current())
    status = ask_now(reports.standing, kind=KIND, week=values["week"]).get(channel.removeprefix("#"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_told(status, channel), width="stretch")
        off = access.why_not()
        label = _("Send again") if status == "sent" else _("Send")
        icon, key = ":material/send:", f"_send_{place}"
        pressed = st.button(label, icon=icon, disabled=off is not None, help=off, key=key)
    if pressed and actions.send_report(values | {"again": status == "sent"}):
        _close()
        st.rerun(scope="app")
    # An address of its own keeps what is in the frame apart from the page around it.
    page = base64.b64encode(render(made).encode()).decode()
    st.iframe(f"data:text/html;charset=utf-8;base64,{page}", height=HEIGHT)


def _choices(place: str) -> dict[str, Any]:
    newest = last_finished_week(actions.today())
    weeks = [newest - timedelta(weeks=k) for k in range(WEEKS)]
    usual = current().report_language or current().language
    left, middle, right = st.columns([2, 1, 2])
    week: date = left.selectbox(_("Week"), weeks, format_func=_named, key=f"_week_{place}")
    language = middle.selectbox(
        _("Language"),
        list(LANGUAGES),
        list(LANGUAGES).index(usual),
        LANGUAGES.__getitem__,
        key=f"_in_{place}",
    )
    asked = right.text_input(
        _("Channel"),
        max_chars=200,
        placeholder=usual_channel(current()),
        key=f"_to_{place}",
        disabled=not _bot(),
    )
    return {"week": week, "language": language, "channel": asked.strip() or None}


def _named(monday: date) -> str:
    return f"{week_name(monday)} · {span(monday, monday + timedelta(days=6))}"


def _bot() -> bool:
    return current().slack_bot_token is not None


def _told(status: str | None, channel: str) -> str:
    if status == "sent":
        return _("It was sent already: sent again, that message is changed, with a note in its thread.")
    if status == "unknown":
        return _("Nobody knows whether it was sent: see page Reports.")
    if channel == FILE:
        return _("No Slack is set (SLACK_BOT_TOKEN): it is written as an HTML file into REPORTS_DIR.")
    return _("Before it is sent, what is stale of both weeks is aggregated. It goes to {channel}.").format(
        channel=plain(channel)
    )
