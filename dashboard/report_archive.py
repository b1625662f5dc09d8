"""The reports that were sent, or should have been: how each stands, and what can be done about it."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import access, actions
from dashboard.data import ask_now, reports
from dashboard.wording import plain, said
from db.clock import utc_now
from language import N_, _
from reports.deliver import FILE, WEBHOOK
from reports.digest import KIND
from reports.render_html import render
from reports.stored import from_json
from reports.wording import moment, week_name

STATUSES = {
    "sent": N_("sent"),
    "failed": N_("failed"),
    "unknown": N_("not known"),
    "sending": N_("sending"),
}
COLOURS = {"sent": "green", "failed": "red", "unknown": "yellow", "sending": "blue"}
ICONS = {"sent": "check", "failed": "close", "unknown": "question_mark", "sending": "hourglass_empty"}
PLACES = {FILE: N_("file"), WEBHOOK: N_("webhook")}


def archive() -> None:
    """A row for each, newest week first."""
    rows = ask_now(reports.archive, kind=KIND)
    if rows.empty:
        st.caption(_("Nothing was sent yet. The schedule sends on Mondays what the week before was."))
        return
    for row in rows.to_dict("records"):
        _row(row)


def _row(row: dict[Any, Any]) -> None:
    status, error = row["status"], row["error"]
    chip = f":{COLOURS[status]}-badge[:material/{ICONS[status]}: {said(status, STATUSES)}]"
    at = moment(_known(row["sent_at"]) or _known(row["claimed_at"]), utc_now())
    place = said(row["channel"], PLACES) if row["channel"] in PLACES else f"#{row['channel']}"
    where = f":small[:gray[{plain(place)} · {row['language']} · {at}]]"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{week_name(row['week_start'])}** {chip} {where}", width="stretch")
        if _known(row["permalink"]):
            st.link_button(
                _("Open in Slack"), row["permalink"], icon=":material/open_in_new:", type="tertiary"
            )
        _html(row)
        _what_to_do(row)
    if isinstance(error, str) and error:
        st.caption(f":red[{plain(error)}]" if status == "failed" else plain(error))


def _known(value: Any) -> Any:
    """None where the table has nothing: pandas says NaT, or NaN beside texts."""
    return None if pd.isna(value) else value


def _html(row: dict[Any, Any]) -> None:
    report = int(row["id"])
    st.download_button(
        _("HTML"),
        data=lambda: _page(report),
        file_name=f"tidemark-{row['week_start']}-{row['language']}.html",
        mime="text/html",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"_html_{report}",
    )


def _page(report: int) -> bytes:
    content = ask_now(reports.content, report=report)
    return render(from_json(content)).encode() if content else b""


def _what_to_do(row: dict[Any, Any]) -> None:
    """Sent again it changes the message; of one that nobody knows of, people say what they see in the channel."""
    off = access.why_not()
    usual: dict[str, Any] = {"disabled": off is not None, "help": off}
    channel = None if row["channel"] in PLACES else row["channel"]
    values = {"week": row["week_start"], "language": row["language"], "channel": channel}
    report, icon = int(row["id"]), ":material/replay:"
    again = {"label": _("Send again"), "icon": icon, "key": f"_again_{report}"} | usual
    if row["status"] == "unknown":
        there, key = _("It is there"), f"_there_{report}"
        st.button(there, on_click=actions.found_report, args=(report,), key=key, **usual)
        st.button(on_click=actions.resend_report, args=(report, values), **again)
    elif row["status"] != "sending":
        values["again"] = row["status"] == "sent"
        st.button(on_click=actions.send_again, args=(values,), **again)
