"""The sidebar below the period: actions, jobs at work, and the line of health."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import streamlit as st

from dashboard import access, actions, adjusting, aggregation, filters, health, report_form, runs, watch
from dashboard.data import ask_now, operations
from dashboard.ending import PageEnds
from dashboard.wording import plain
from language import _


@contextmanager
def after_the_page() -> Iterator[None]:
    """Draws this part of the sidebar after the page, for which one waits; also after one that ends early or fails.

    A page that asks for another run leaves it to that one, or what a link asked for would be taken and lost.
    """
    aggregation.close()  # a run of the whole page closes a dialog that is open, however it came about
    try:
        with suppress(PageEnds):
            yield
    except Exception:
        with st.sidebar:
            _show()
        raise
    with st.sidebar:
        _show()


def _show() -> None:
    """The buttons of those who may press them, what runs, and how the jobs are."""
    st.caption(_("Actions"))
    reason = access.why_not()
    if _action(_("Run aggregation"), "cached", "run_aggregation", reason):
        aggregation.dialog()
    if _action(_("Adjust weights"), "tune", "adjust_weights", reason):
        adjusting.dialog()
    if _action(_("Send weekly report"), "send", "send_weekly_report", reason):
        report_form.dialog()
    if reason is None:
        _open_what_a_link_asked_for()
    access.password_form()
    if reason and not filters.remembered("operator"):
        st.caption(reason)
    watch.running_jobs(actions.cancel, may_stop=reason is None)
    _tell_result(may_resume=reason is None)
    health.line(actions.job_health())
    filters.language_picker()


def _action(label: str, icon: str, key: str, reason: str | None) -> bool:
    """A button of those who may press it; the others read why not."""
    off: dict[str, Any] = {"disabled": reason is not None, "help": reason}
    return st.button(label, icon=f":material/{icon}:", width="stretch", key=key, **off)


def _open_what_a_link_asked_for() -> None:
    """A message's button leads to the form of an action, where it waits for a press."""
    forms = {"aggregate": aggregation.dialog, "send": report_form.dialog}
    if show_form := forms.get(filters.taken("do")):
        show_form()


def _tell_result(may_resume: bool) -> None:
    """How the runs that this session started ended; one that was stopped can go on."""
    for started in filters.remembered("started", ()):
        run = ask_now(operations.run, run_id=started)
        if run is not None and run["finished_at"] is not None:
            _told(run, may_resume)


def _told(run: dict[str, Any], may_resume: bool) -> None:
    told = _("Run {id}").format(id=run["id"])
    st.markdown(f"{told} {runs.badge(run['status'])}  \n:small[{plain(run['error'] or run['message'])}]")
    if url := (run["result"] or {}).get("url"):
        st.link_button(_("Open the message"), url, icon=":material/open_in_new:", width="stretch")
    if run["status"] == "cancelled" and may_resume:
        icon, go_on = ":material/play_arrow:", actions.run_again
        st.button(
            _("Resume"),
            icon=icon,
            width="stretch",
            on_click=go_on,
            args=(run["id"],),
            key=f"_go_on_{run['id']}",
        )
