"""The sidebar's buttons, and everything else by which a page sets a job going; the only file that imports jobs."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import access, cards, filters, runs, watch
from dashboard import health as health_cards
from dashboard.data import ask, ask_now, models, operations
from dashboard.wording import plain
from db.clock import business_day, utc_now
from db.engine import default_engine
from db.errors import Refused
from jobs import queue
from jobs.health import Health, health
from jobs.job import Parameters
from jobs.timetable import job_named
from language import _
from settings import current

ALL_STALE, ONE_DAY, RANGE = "stale", "day", "range"


def today() -> date:
    """The business day that it is now."""
    return business_day(utc_now(), current().zone)


def job_health() -> Health:
    """How the jobs are now."""
    return health(default_engine(), current(), utc_now())


def empty_page() -> None:
    """What is missing for a page that shows aggregated evaluations."""
    source = freshness().iloc[0]
    cards.empty(int(source["rows"]), int(source["stale_days"]), access.why_not() is None)


def freshness() -> pd.DataFrame:
    """How fresh each table is, also where rows came by plain SQL."""
    return ask(operations.freshness, newest_mark=ask_now(operations.newest_mark))


def sidebar() -> None:
    """Actions, jobs at work, and the line of health."""
    st.caption(_("Actions"))
    _close()  # a run of the whole page closes a dialog that is open, however it came about
    reason = access.why_not()
    if st.button(
        _("Run aggregation"),
        icon=":material/cached:",
        width="stretch",
        disabled=reason is not None,
        help=reason,
        key="run_aggregation",
    ):
        filters.remember("preview", None)
        filters.remember("dialog", True)
        _aggregation_dialog()
    access.password_form()
    if reason and not filters.remembered("operator"):
        st.caption(reason)
    watch.running_jobs()
    _tell_result()
    health_cards.line(job_health())


def start(job: str, params: Parameters) -> queue.Requested:
    """Queues a run for a worker, or finds the one that does the same; raises Refused."""
    access.refuse_outsider()
    return queue.request(
        default_engine(),
        job_named(job),
        params,
        trigger="manual",
        by=_("operator"),
        now=utc_now(),
        join_running=True,
    )


def run_again(run_id: int) -> None:
    """Queues a run with the parameters of an old one."""
    try:
        row = queue.run_row(default_engine(), run_id)
        asked = start(row.job, job_named(row.job).read(row.params))
        st.toast(_("Run {id} is queued.").format(id=asked.id))
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")


def cancel(run_id: int) -> None:
    """Stops a run."""
    try:
        access.refuse_outsider()
        st.toast(queue.cancel(default_engine(), run_id, utc_now()))
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")


def _tell_result() -> None:
    """How the run that this session started ended, with the way to its log."""
    started = filters.remembered("started")
    run = ask_now(operations.run, run_id=started) if started else None
    if run is None or run["finished_at"] is None:
        return
    told = _("Run {id}").format(id=run["id"])
    st.markdown(f"{told} {runs.badge(run['status'])}  \n:small[{plain(run['error'] or run['message'])}]")


def _close() -> None:
    filters.remember("dialog", False)


def _aggregation_dialog() -> None:
    st.dialog(_("Run aggregation"), on_dismiss=_close)(_aggregation_form)()


def _aggregation_form() -> None:
    kinds = {ALL_STALE: _("All that is stale"), ONE_DAY: _("One day"), RANGE: _("A range of days")}
    kind = st.segmented_control(
        _("Days"), list(kinds), default=ALL_STALE, required=True, format_func=kinds.__getitem__, key="_days"
    )
    values: dict[str, Any] = {}
    newest = ask(models.newest_day) or today()
    if kind == ONE_DAY:
        values["day"] = st.date_input(_("Day"), newest, key="_day")
    elif kind == RANGE:
        chosen = st.date_input(_("From – to"), (newest - timedelta(days=6), newest), key="_range")
        values |= dict(zip(("since", "until"), chosen, strict=False))
    else:
        st.caption(
            _("Whatever came, changed or went since it was aggregated, and yesterday; today as unfinished.")
        )
    model = st.selectbox(_("Model"), ask(models.names), index=None, placeholder=_("all models"), key="_model")
    if model:
        values["model"] = model
    preview, run = st.columns(2)
    if preview.button(_("Preview"), icon=":material/preview:", width="stretch", key="_preview_button"):
        _request(values | {"dry_run": True}, "preview")
    pressed = run.button(_("Run"), icon=":material/play_arrow:", width="stretch", key="_run_button")
    if pressed and _request(values, "started"):
        _close()
        st.rerun(scope="app")
    if filters.remembered("preview"):
        waits = ask_now(operations.is_active, run_id=filters.remembered("preview"))
        st.fragment(_preview, run_every=0.5 if waits else None)()


def _request(values: dict[str, Any], name: str) -> bool:
    try:
        asked = start("aggregate_models", job_named("aggregate_models").read(values))
    except Refused as refused:
        st.error(plain(refused))
        return False
    filters.remember(name, asked.id)
    return True


def _preview() -> None:
    """The rehearsal's result, as soon as the worker has it."""
    row = ask_now(operations.run, run_id=filters.remembered("preview"))
    if row is None:
        return
    if row["status"] == "queued" and not job_health().worker_is_there:
        st.warning(_("No worker is running, so this waits. Start one with: python -m jobs loop"))
    elif row["status"] in ("queued", "running"):
        st.progress(row["progress"])
        st.text(row["message"] or _("waiting"))
    elif row["status"] != "succeeded":
        st.error(plain(row["error"] or row["message"]))
    else:
        runs.changes(row["message"], row["result"] or {})


def run_history() -> None:
    """The newest runs, live while one is under way; a selected one with its log and what can be done to it."""
    busy = bool(ask_now(operations.active_runs))
    st.fragment(_run_history, run_every=watch.BUSY_SECONDS if busy else None)()


def _run_history() -> None:
    table = ask_now(operations.runs)
    if table.empty:
        st.caption(
            _("Nothing ran yet. Press Run aggregation in the sidebar, or wait for the schedule below.")
        )
        return
    # A new run moves all rows down, so the table gets a new key and the chosen run is known by its number.
    key = f"runs_{table['id'].max()}"
    position = filters.picked_row(runs.listed(table, utc_now(), key))
    if position is not None and position < len(table):
        filters.remember("run", int(table["id"].iloc[position]))
    elif filters.remembered("runs_key") == key:
        filters.remember("run", None)
    filters.remember("runs_key", key)
    chosen = filters.remembered("run")
    row = ask_now(operations.run, run_id=chosen) if chosen else None
    if row is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        runs.title(row)
        _what_to_do(row["id"], row["status"] in ("queued", "running"))
    runs.details(row, with_log=access.why_not() is None)


def _what_to_do(run_id: int, is_active: bool) -> None:
    """A run that waits or works can be stopped; one that ended can be run again."""
    off = access.why_not() is not None
    if is_active:
        st.button(_("Cancel"), icon=":material/stop:", on_click=cancel, args=(run_id,), disabled=off)
    else:
        st.button(_("Run again"), icon=":material/replay:", on_click=run_again, args=(run_id,), disabled=off)
