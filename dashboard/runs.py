"""Runs of jobs: the list, one in detail, and what a rehearsal would change."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns
from dashboard.wording import CHANGES, STATUSES, TRIGGERS, plain, said
from language import N_, _
from reports.wording import took
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
# What a change is of, where it says so.
KEYS = {"date": N_("Day"), "code": N_("Code"), "horizon": N_("Horizon"), "model": N_("Model")}
LINES = 6  # a longer log scrolls


def badge(status: str) -> str:
    """A status as a chip in Markdown."""
    return f":{STATUS_COLOURS.get(status, 'gray')}-badge[{said(status, STATUSES)}]"


def listed(table: pd.DataFrame, now: datetime, key: str) -> Any:
    """The newest runs; a click on one selects it."""
    rows = _rows(table, now)
    event = st.dataframe(
        rows,
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        column_config=_columns(),
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        beside.csv(lambda: _in_words(rows), "runs")
    return event


def _in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """The list of runs for a file."""
    told = rows.assign(status=[said(status, STATUSES) for (status,) in rows["status"]])
    return told.rename(columns={name: str(column["label"]) for name, column in _columns().items()})


def _rows(table: pd.DataFrame, now: datetime) -> pd.DataFrame:
    at = {
        name: pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
        for name in ("queued_at", "started_at", "finished_at")
    }
    ended = at["finished_at"].fillna(pd.Timestamp(now).as_unit("us"))
    begun = at["started_at"].fillna(at["queued_at"]).dt.tz_convert(current().zone).dt.tz_localize(None)
    by = zip(table["triggered_by"], table["trigger"], strict=True)
    return pd.DataFrame(
        {
            "id": table["id"],
            "status": [[status] for status in table["status"]],
            "started": begun,
            "job": table["job"],
            "took": [took(a, b) for a, b in zip(at["started_at"], ended, strict=True)],
            "progress": table["progress"],
            "rows": table["rows_written"],
            "by": [person or said(trigger, TRIGGERS) for person, trigger in by],
            "told": table["error"].fillna(table["message"]),
        }
    )


def _columns() -> dict[str, Any]:
    kinds = st.column_config
    return {
        "id": kinds.NumberColumn(_("Run"), format="%d", width=50),
        "status": kinds.MultiselectColumn(
            _("Status"),
            options=list(STATUS_COLOURS),
            color=list(STATUS_COLOURS.values()),
            format_func=lambda status: said(status, STATUSES),
            width=105,
        ),
        "started": kinds.DatetimeColumn(_("Started"), format=_("D MMM, HH:mm:ss"), width=115),
        "job": kinds.TextColumn(_("Job")),
        "took": kinds.TextColumn(_("Took"), width=70),
        "progress": kinds.ProgressColumn(_("Progress"), min_value=0, max_value=1, width=95),
        "rows": kinds.NumberColumn(_("Rows"), format="localized", width=70),
        "by": kinds.TextColumn(_("By")),
        "told": kinds.TextColumn(_("Summary"), width="large"),
    }


def title(run: dict[str, Any]) -> None:
    """Which run this is and how it is."""
    name = _("Run {id}").format(id=run["id"])
    st.markdown(f"**{name}** {badge(run['status'])} :small[{plain(run['job'])}]", width="stretch")


def details(run: dict[str, Any], with_log: bool) -> None:
    """One run: outcome, parameters, and for operators its log."""
    if told := run["error"] or run["message"]:
        st.text(told)
    parameters = ", ".join(f"{name}={value}" for name, value in run["params"].items()) or _("none")
    st.caption(_("Parameters: {parameters}").format(parameters=plain(parameters)))
    if not with_log:
        return
    st.caption(_("Log (times in UTC)"))
    log = run["log"] or _("empty")
    st.code(log, language=None, height=180 if log.count("\n") > LINES else "content")


def changes(summary: str, result: dict[str, Any]) -> None:
    """What a rehearsal found: one line, then the values that would change, old beside new."""
    st.text(summary)
    if result.get("more"):
        st.caption(_("the first {n} changes").format(n=len(result["changes"])))
    found = result.get("changes", [])
    keys = {name: label for name, label in KEYS.items() if any(name in change for change in found)}
    rows = [
        (
            *(change.get(name) for name in keys),
            said(change["change"], CHANGES),
            columns.of_daily(column),
            *_old_new(change["change"], values),
            *((change["reason"],) if "reason" in change else ()),
        )
        for change in found
        for column, values in change["columns"].items()
    ]
    if rows:
        names = [*map(_, keys.values()), _("What"), _("Column"), _("Old"), _("New")]
        names += [_("Why")] if len(rows[0]) > len(names) else []
        table = pd.DataFrame(rows, columns=names)
        st.dataframe(table, hide_index=True, height=240, placeholder="–")
        with st.container(horizontal=True, horizontal_alignment="right"):
            beside.csv(lambda: table, "changes")


def _old_new(kind: str, values: Any) -> Iterable[Any]:
    return values if kind == "changed" else (None, values) if kind == "added" else (values, None)
