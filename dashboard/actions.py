"""Everything by which a page sets a job going, or asks how the jobs are; the only file that imports jobs."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard import access, cards, filters, picked, runs, watch
from dashboard import health as health_words
from dashboard.data import ask, ask_now, operations
from dashboard.wording import plain
from db.clock import business_day, utc_now
from db.engine import default_engine
from db.errors import Refused
from jobs import pausing, queue
from jobs.health import Health, health
from jobs.job import Parameters
from jobs.send_digest import troubles_of
from jobs.timetable import job_named
from language import _, speaking
from reports.context import Trouble
from reports.deliver import resolve
from reports.wording import moment
from settings import current

SCHEDULED = 260  # pixels of what is told of a job, beside its buttons


def today() -> date:
    """The business day that it is now."""
    return business_day(utc_now(), current().zone)


def note_health() -> None:
    """Asks how the jobs are: once for a run of the page."""
    filters.remember("health", health(default_engine(), current(), utc_now()))


def job_health() -> Health:
    """How the jobs are, as this run of the page shows it."""
    noted: Health = filters.remembered("health")
    return noted


def troubles(language: str) -> tuple[Trouble, ...]:
    """What a report in this language would tell of the jobs."""
    with speaking(language):
        return tuple(troubles_of(job_health(), {}))


def worker_is_there() -> bool:
    """Whether a worker is there at this moment."""
    return health(default_engine(), current(), utc_now()).worker_is_there


FILLS = {
    "models": ("daily_model_performance", "aggregate_models", ("model_evaluations",)),
    "quality": ("daily_ai_quality", "aggregate_quality", ("conversation_evaluation", "feedback_log")),
    "forecasts": ("daily_forecasts", "aggregate_forecasts", ("prediction_outcomes",)),
    "agents": ("agent_performance", "aggregate_agents", ("trade_records",)),
    "usage": ("daily_llm_usage", "aggregate_agents", ("llm_usage_log",)),
}


def empty_page(*words: str) -> None:
    """What is missing for a page that shows the aggregated rows of these words."""
    known = freshness().set_index("table")[["rows", "stale_days"]]
    fills = []
    for table, job, sources in (FILLS[word] for word in words):
        waiting = {name: (int(known["rows"][name]), int(known["stale_days"][name])) for name in sources}
        fills.append(cards.Fill(table, job, waiting))
    cards.empty(fills, access.why_not() is None)


def freshness() -> pd.DataFrame:
    """How fresh each table is, also where rows came by plain SQL."""
    return ask(operations.freshness, newest_mark=ask_now(operations.newest_mark))


def title(job: str) -> str:
    """What a job is called, in English."""
    return job_named(job).title


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


def aggregate(values: dict[str, Any], name: str, words: Sequence[str] = ("models",)) -> bool:
    """Queues the aggregation of these words, each with those parameters that it knows, and remembers the runs under
    a name; False where it is refused."""
    try:
        jobs = [job_named(FILLS[word][1]) for word in words]
        asked = []
        for job in jobs:
            known = {key: value for key, value in values.items() if key in job.parameters.model_fields}
            asked.append((job, job.read(known)))
        filters.remember(name, tuple(start(job.name, params).id for job, params in asked))
    except Refused as refused:
        st.error(plain(refused))
        return False
    return True


def adjust(values: dict[str, Any], name: str) -> bool:
    """Queues an adjustment of weights, or its undo or rehearsal, and remembers the run; False where it is refused."""
    try:
        asked = start("adjust_weights", job_named("adjust_weights").read(values))
    except Refused as refused:
        st.error(plain(refused))
        return False
    filters.remember(name, (asked.id,))
    return True


def next_weights(code: str) -> pd.DataFrame:
    """What an adjustment at this moment would decide on a code: before, after, hit_rate, action, reason, …"""
    return ask(_planned, code=code, as_of=today())


def _planned(connection: Any, code: str, as_of: date) -> pd.DataFrame:
    from jobs.weighing import planned  # with it comes scipy, which no other page needs

    return planned(connection, current(), as_of, code)


def next_run(job: str) -> str:
    """When the schedule runs a job next, in words; '' where it does not."""
    found = next((one for one in job_health().jobs if one.name == job), None)
    if found is None or found.next_slot is None:
        return ""
    return moment(found.next_slot, job_health().now)


def send_report(values: dict[str, Any]) -> bool:
    """Queues the weekly report; False where it is refused."""
    try:
        asked = start("send_digest", job_named("send_digest").read(values))
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")
        return False
    filters.remember("started", (asked.id,))
    return True


def send_again(values: dict[str, Any]) -> None:
    """Queues the weekly report, as a button does that has no form."""
    send_report(values)


def found_report(report: int) -> None:
    """Writes down that a person saw a report in the channel, of which nobody knew."""
    _settle(report, "there")


def resend_report(report: int, values: dict[str, Any]) -> None:
    """Sends a report again that nobody found in the channel."""
    if _settle(report, "again"):
        send_report(values)


def _settle(report: int, seen: Literal["there", "again"]) -> bool:
    try:
        access.refuse_outsider()
        resolve(default_engine(), report, seen, utc_now())
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")
        return False
    return True


def run_again(run_id: int) -> None:
    """Queues a run with the parameters of an old one; what a cancelled one left is gone on with."""
    try:
        row = queue.run_row(default_engine(), run_id)
        job = job_named(row.job)
        params = job.read(row.params)
        if row.status == "cancelled" and job.rest:
            params = job.rest(params)
        asked = start(row.job, params)
        filters.remember("started", (asked.id,))
        st.toast(_("Run {id} is queued.").format(id=asked.id))
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")


def run_now(job: str) -> None:
    """Queues a run as the schedule would."""
    try:
        asked = start(job, job_named(job).read({}))
        filters.remember("started", (asked.id,))
        st.toast(_("Run {id} is queued.").format(id=asked.id))
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")


def pause(job: str) -> None:
    """Takes a job off the schedule."""
    _switch(pausing.pause, job)


def resume(job: str) -> None:
    """Gives a job back to the schedule."""
    _switch(pausing.resume, job)


def _switch(to: Callable[..., str], job: str) -> None:
    try:
        access.refuse_outsider()
        st.toast(to(default_engine(), current(), job, utc_now()))
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")


def cancel(run_id: int) -> None:
    """Stops a run."""
    try:
        access.refuse_outsider()
        st.toast(queue.cancel(default_engine(), run_id, utc_now()))
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")


def run_history() -> None:
    """The newest runs, live while one is under way; a selected one with its log and what can be done to it."""
    busy = bool(ask_now(operations.active_runs))
    st.fragment(_run_history, run_every=watch.BUSY_SECONDS if busy else None)()


def job_controls() -> None:
    """For each job: when it runs and how it is; run it now, and take it off the schedule or give it back."""
    off, jobs = access.why_not(), job_health()
    for job in jobs.jobs:
        row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
        row.markdown(health_words.scheduled(job, jobs.now), width=SCHEDULED)
        with (
            row,
            st.container(horizontal=True, width="content", gap="xsmall"),
        ):  # both, or none, in a new line
            usual: dict[str, Any] = {"args": (job.name,), "disabled": off is not None, "help": off}
            icon, key = ":material/play_arrow:", f"_now_{job.name}"
            st.button(_("Run now"), icon=icon, on_click=run_now, key=key, **usual)
            if job.paused_since:
                icon, key = ":material/event_available:", f"_resume_{job.name}"
                st.button(_("Resume"), icon=icon, on_click=resume, key=key, **usual)
            else:
                icon, key = ":material/pause:", f"_pause_{job.name}"
                st.button(_("Pause"), icon=icon, on_click=pause, key=key, **usual)


def _run_history() -> None:
    table = ask_now(
        operations.runs, rehearsals=False
    )  # each preview is one, and is shown where it was asked for
    if table.empty:
        st.caption(
            _("Nothing ran yet. Press Run aggregation in the sidebar, or wait for the schedule below.")
        )
        return
    # A new run moves all rows down, so the table gets a new key and the chosen run is known by its number.
    key = f"runs_{table['id'].max()}"
    position = picked.row(runs.listed(table, utc_now(), key))
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
        _what_to_do(row["id"], row["status"])
    runs.details(row, with_log=access.why_not() is None)


def _what_to_do(run_id: int, status: str) -> None:
    """A run that waits or works can be stopped; one that was stopped can go on, one that ended be run again."""
    off = access.why_not() is not None
    if status in ("queued", "running"):
        st.button(_("Cancel"), icon=":material/stop:", on_click=cancel, args=(run_id,), disabled=off)
    else:
        label = _("Resume") if status == "cancelled" else _("Run again")
        st.button(label, icon=":material/replay:", on_click=run_again, args=(run_id,), disabled=off)
