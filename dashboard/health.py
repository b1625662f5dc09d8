"""How jobs and tables are: the sidebar's line, the schedule, and how fresh each table is."""

from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import runs
from dashboard.wording import day_in_words, moment, size_in_words
from language import _, ngettext


def line(jobs: Any) -> None:
    """The sidebar's line: in red what failed, is overdue, or has no worker; what is paused; then last and next run."""
    st.caption(_("Health"))
    failed = [job.name for job in jobs.jobs if job.failed]
    overdue = [job.name for job in jobs.jobs if job.overdue_since and not job.failed]
    paused = [job.name for job in jobs.jobs if job.paused_since and not job.failed]
    fine = len(jobs.jobs) - len(failed) - len(overdue) - len(paused)
    counts = [
        ngettext("**{n} job failed**", "**{n} jobs failed**", len(failed)) if failed else "",
        ngettext("**{n} job overdue**", "**{n} jobs overdue**", len(overdue)) if overdue else "",
        ngettext("{n} job paused", "{n} jobs paused", len(paused)) if paused else "",
        ngettext("{n} job fine", "{n} jobs fine", fine) if fine else "",
    ]
    badges = " ".join(
        [f":red-badge[{name}]" for name in failed + overdue] + [f":yellow-badge[{name}]" for name in paused]
    )
    last = max((job.last.finished_at for job in jobs.jobs if job.last), default=None)
    soon = min((job.next_slot for job in jobs.jobs if job.next_slot), default=None)
    lines = [f":small[{', '.join(filter(None, counts))}] {badges}"]
    if not jobs.worker_is_there:
        told = _("start one: python -m jobs loop")
        lines.append(f":red-badge[:material/warning: {_('no worker')}] :small[{told}]")
    times = _("last {last} · next {next}").format(last=moment(last, jobs.now), next=moment(soon, jobs.now))
    lines.append(f":small[:gray[{times}]]")
    st.markdown("  \n".join(lines))


def schedule(jobs: Any) -> None:
    """When each job runs, ran, and will run."""
    rows = [
        {
            _("Job"): job.name,
            _("When"): job.rhythm,
            _("Last run"): moment(job.last.finished_at if job.last else None, jobs.now),
            _("Next run"): moment(job.next_slot, jobs.now),
            _("State"): _state(job, jobs.now),
        }
        for job in jobs.jobs
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)


def _state(job: Any, now: datetime) -> str:
    if job.paused_since:
        return ":yellow-badge[" + _("paused since {at}").format(at=moment(job.paused_since, now)) + "]"
    if job.overdue_since:
        return ":red-badge[" + _("overdue since {at}").format(at=moment(job.overdue_since, now)) + "]"
    if job.failed:
        return runs.badge(job.last.status)
    return _("fine") if job.last else _("never ran")


def freshness(table: pd.DataFrame, now: datetime) -> None:
    """Rows and newest day of each table, and what waits."""
    shown = pd.DataFrame(
        {
            _("Table"): table["table"],
            _("Rows"): [f"{n:,}" for n in table["rows"]],
            _("Newest day"): [_day(day) for day in table["newest"]],
            _("Changed"): [moment(at, now) for at in table["changed_at"]],
            _("Waiting"): [
                ngettext("{n} day", "{n} days", int(n)) if n else "–" for n in table["stale_days"].fillna(0)
            ],
        }
    )
    st.table(shown, border="horizontal", hide_index=True)


def storage(found: dict[str, Any]) -> None:
    """What the database takes on the disk, and how many rows its own books have."""
    size = _("{n} on disk").format(n=size_in_words(found["bytes"]))
    if found["log_bytes"]:
        log = size_in_words(found["log_bytes"])
        size = _("{size}, and {log} of write-ahead log").format(size=size, log=log)
    rows = [f"{name} {n:,}" for name, n in found["rows"].items()]
    st.caption(
        _("{engine}: {size} · rows: {rows}").format(engine=found["engine"], size=size, rows=", ".join(rows))
    )


def _day(day: date | None) -> str:
    return day_in_words(day) if day is not None and day == day else "–"
