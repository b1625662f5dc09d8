"""The patterns that pages are built of: banner, empty state, headline numbers, rows, tables."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.data import ask, holds_demo
from dashboard.drawing import draw
from dashboard.wording import day_in_words, figure, moment, plain, took
from db.metrics import METRICS, Metric
from language import _, ngettext
from reports.charts.sparkline import sparkline
from reports.charts.text import Grain
from settings import current

STATUS_COLOURS = {
    "queued": "gray",
    "running": "blue",
    "succeeded": "green",
    "failed": "red",
    "lost": "red",
    "cancelled": "yellow",
    "covered": "gray",
}


def demo_banner() -> None:
    """Says on every page that what it shows is invented."""
    if ask(holds_demo):
        told = _("Every number here is invented. The first real import takes the simulated data out.")
        st.markdown(f":violet-badge[:material/science: {_('simulated data')}] :small[{told}]")


def title(text: str, second_line: str) -> None:
    """The page's name, and in small what it shows."""
    with st.container(gap=None):
        st.title(text, anchor=False)
        st.caption(second_line)


def empty(rows: int, waiting: int, may_press: bool) -> None:
    """What a page without data says: which import and which job fill it, and how far that is."""
    with st.container(border=True):
        st.markdown(f"**{_('No evaluations have been aggregated yet')}**")
        st.caption(
            _(
                "These pages read daily_model_performance, which aggregate_models fills from model_evaluations."
            )
        )
        press = _("press Run aggregation in the sidebar")
        by_command = _("python -m jobs run aggregate_models")
        steps = [
            (
                (":material/check_circle:" if rows else ":material/radio_button_unchecked:")
                + " model_evaluations",
                ngettext("{n} row", "{n} rows", rows),
                _("fine") if rows else _("import a file: python -m db import model_evaluations FILE"),
            ),
            (
                ":material/radio_button_unchecked: aggregate_models",
                ngettext("{n} day waits", "{n} days wait", waiting) if waiting else _("nothing to do"),
                (press if may_press else by_command) if rows else _("waits for the rows above"),
            ),
        ]
        st.table(
            pd.DataFrame(steps, columns=[_("Step"), _("State"), _("Next")]),
            border="horizontal",
            hide_index=True,
        )
        if not rows:
            st.caption(_("Only looking around? python -m db demo fills every page with simulated data."))


def headline(metric: Metric, value: float | None, delta: str | None, note: str, spark: list[float]) -> None:
    """One number in a bordered card, with its change and a small line."""
    st.metric(
        _(metric.label),
        figure(value, metric),
        delta,
        delta_color="off",
        delta_arrow="off",
        delta_description=note if delta else None,
        help=_(metric.definition),
        border=True,
        height="stretch",
        chart_data=spark if len(spark) > 1 else None,
    )


def no_headlines(names: list[str]) -> None:
    """The headline cards of a page without data."""
    with st.grid(4, min_column_width=168):
        for name in names:
            headline(METRICS[name], None, None, "", [])


def model_row(
    name: str, metric: Metric, now: pd.Series, line: pd.DataFrame, grain: Grain, dark: bool
) -> None:
    """One model: its name and n, its line, its value and interval."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width=250, gap=None):
            st.markdown(f"**{plain(name)}**")
            st.caption(ngettext("n = {n}", "n = {n}", int(now["n"])))
        with st.container(width="stretch"):
            draw(sparkline, line, f"spark_{name}", dark=dark, tone="plain", grain=grain)
        with st.container(width=124, gap=None):
            st.markdown(f"**{figure(now['value'], metric)}**", text_alignment="right")
            st.caption(interval(now, metric), text_alignment="right")


def interval(row: Any, metric: Metric) -> str:
    """A value's 95 % interval; nothing where there are too few rows."""
    if row["low"] is None or row["low"] != row["low"]:
        return _("too few for an interval")
    return f"95%: {figure(row['low'], metric)} … {figure(row['high'], metric)}"


def comparison(table: pd.DataFrame) -> None:
    """The table of models: numbers right-aligned, one line each, CSV at the table's own button."""
    number = st.column_config.NumberColumn
    points = [point for line in table["line"].dropna() for point in line if point == point]
    low, high = (min(points), max(points)) if points else (0, 100)
    score, achieved, breach = (
        METRICS["final_score"],
        METRICS["target_achieved_rate"],
        METRICS["support_breach_rate"],
    )
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        column_config={
            "model": st.column_config.TextColumn(_("Model"), pinned=True),
            "score": number(_("Score"), format="%.1f", help=_(score.definition)),
            "interval": st.column_config.TextColumn(_("95% interval")),
            "n": number("n", format="localized", help=_("Scored predictions in the period.")),
            "line": st.column_config.LineChartColumn(_("Week by week"), color="gray", y_min=low, y_max=high),
            "achieved": number(_("Target, %"), format="%.0f", help=_(achieved.definition)),
            "breach": number(_("Breach, %"), format="%.0f", help=_(breach.definition)),
            "human": number(_("Human"), format="%.1f", help=_(METRICS["human_score"].definition)),
            "evaluated": number(_("Evaluated, %"), format="%.0f", help=_(METRICS["coverage"].definition)),
            "newest": st.column_config.DateColumn(_("Newest day"), format="D MMM YYYY"),
        },
    )


def health(jobs: Any) -> None:
    """The sidebar's line: in red what failed, is overdue, or has no worker; then last and next run."""
    st.caption(_("Health"))
    failed = [job.name for job in jobs.jobs if job.failed]
    overdue = [job.name for job in jobs.jobs if job.overdue_since and not job.failed]
    fine = len(jobs.jobs) - len(failed) - len(overdue)
    counts = [
        ngettext("**{n} job failed**", "**{n} jobs failed**", len(failed)) if failed else "",
        ngettext("**{n} job overdue**", "**{n} jobs overdue**", len(overdue)) if overdue else "",
        ngettext("{n} job fine", "{n} jobs fine", fine) if fine else "",
    ]
    badges = " ".join(f":red-badge[{name}]" for name in failed + overdue)
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
    if job.overdue_since:
        return ":red-badge[" + _("overdue since {at}").format(at=moment(job.overdue_since, now)) + "]"
    if job.failed:
        return f":red-badge[{job.last.status}]"
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


def _day(day: date | None) -> str:
    return day_in_words(day) if day is not None and day == day else "–"


def runs(table: pd.DataFrame, now: datetime, key: str) -> Any:
    """The newest runs; a click on one selects it."""
    local = {
        name: pd.to_datetime(table[name], utc=True) for name in ("queued_at", "started_at", "finished_at")
    }
    begun = local["started_at"].fillna(local["queued_at"]).dt.tz_convert(current().zone).dt.tz_localize(None)
    shown = pd.DataFrame(
        {
            "id": table["id"],
            "started": begun,
            "job": table["job"],
            "status": [[status] for status in table["status"]],
            "took": [
                took(a, b if b == b else now)
                for a, b in zip(local["started_at"], local["finished_at"], strict=True)
            ],
            "progress": table["progress"],
            "rows": table["rows_written"],
            "by": [
                by or trigger for by, trigger in zip(table["triggered_by"], table["trigger"], strict=True)
            ],
            "told": table["error"].fillna(table["message"]),
        }
    )
    return st.dataframe(
        shown,
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        column_config={
            "id": st.column_config.NumberColumn(_("Run"), format="%d", width=60),
            "started": st.column_config.DatetimeColumn(_("Started"), format="D MMM, HH:mm:ss"),
            "job": st.column_config.TextColumn(_("Job")),
            "status": st.column_config.MultiselectColumn(
                _("Status"), options=list(STATUS_COLOURS), color=list(STATUS_COLOURS.values())
            ),
            "took": st.column_config.TextColumn(_("Took"), width=70),
            "progress": st.column_config.ProgressColumn(_("Progress"), min_value=0, max_value=1, width=90),
            "rows": st.column_config.NumberColumn(_("Rows"), format="localized", width=70),
            "by": st.column_config.TextColumn(_("By")),
            "told": st.column_config.TextColumn(_("Summary"), width="large"),
        },
    )


def run_details(run: dict[str, Any], with_log: bool) -> None:
    """One run: parameters, outcome, and for operators its log."""
    st.markdown(
        f"**{_('Run {id}').format(id=run['id'])}** :small[{plain(run['job'])} · {plain(run['status'])}]"
    )
    if run["error"]:
        st.text(run["error"])
    elif run["message"]:
        st.text(run["message"])
    st.caption(_("Parameters"))
    st.code(", ".join(f"{k}={v}" for k, v in run["params"].items()) or _("none"), language=None)
    if not with_log:
        return
    st.caption(_("Log (times in UTC)"))
    st.code(run["log"] or _("empty"), language=None, height=180)


def changes(summary: str, result: dict[str, Any]) -> None:
    """What a rehearsal found: one line, then the values that would change, old beside new."""
    st.text(summary)
    if result.get("more"):
        st.caption(_("the first {n} changes").format(n=len(result["changes"])))
    rows = [
        (
            change.get("date"),
            change.get("model"),
            change["change"],
            column,
            *_old_new(change["change"], values),
        )
        for change in result.get("changes", [])
        for column, values in change["columns"].items()
    ]
    if rows:
        names = [_("Day"), _("Model"), _("What"), _("Column"), _("Old"), _("New")]
        st.dataframe(pd.DataFrame(rows, columns=names), hide_index=True, height=240, placeholder="–")


def _old_new(kind: str, values: Any) -> Iterable[Any]:
    return values if kind == "changed" else (None, values) if kind == "added" else (values, None)
