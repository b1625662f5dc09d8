"""How jobs and tables are: the sidebar's line, the schedule, and how fresh each table is."""

from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import runs
from dashboard.wording import plain
from language import _, ngettext
from reports.wording import day_in_words, moment, size_in_words


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


def scheduled(job: Any, now: datetime) -> str:
    """A job in three short lines: what it is and how; its name and when it runs; when it ran and will run."""
    last = moment(job.last.finished_at if job.last else None, now)
    told = _("last {last} · next {next}").format(last=last, next=moment(job.next_slot, now))
    lines = [
        f"**{_(job.title)}** {_state(job, now)}",
        f":small[:gray[{plain(job.name)} · {plain(job.rhythm)}]]",
        f":small[:gray[{told}]]",
    ]
    return "  \n".join(lines)


def _state(job: Any, now: datetime) -> str:
    if job.paused_since:
        return ":yellow-badge[" + _("paused since {at}").format(at=moment(job.paused_since, now)) + "]"
    if job.overdue_since:
        return ":red-badge[" + _("overdue since {at}").format(at=moment(job.overdue_since, now)) + "]"
    if job.failed:
        return runs.badge(job.last.status)
    return f":small[{_('fine') if job.last else _('never ran')}]"


def freshness(table: pd.DataFrame, now: datetime) -> None:
    """Rows and newest day of each table, and what waits; two lines each, which a phone has room for."""
    for row in table.to_dict("records"):
        rows = ngettext("{n} row", "{n} rows", int(row["rows"]))
        waits = int(row["stale_days"]) if row["stale_days"] == row["stale_days"] and row["stale_days"] else 0
        badge = f" :yellow-badge[{ngettext('{n} day waits', '{n} days wait', waits)}]" if waits else ""
        told = _("newest day {day} · changed {at}").format(
            day=_day(row["newest"]), at=moment(row["changed_at"], now)
        )
        st.markdown(f"**{plain(row['table'])}** :small[{rows}]{badge}  \n:small[:gray[{told}]]")


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
