"""Adjusting weights: what the next adjustment would do, the form that runs one, the ledger, and the way back."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import access, actions, beside, filters, rehearsal
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import ask, weights
from dashboard.period import Period
from dashboard.wording import TRIGGERS, plain, said
from jobs.formulas.weight_names import UPDATED
from language import N_, _, ngettext
from reports.charts.text import signed
from reports.weight_words import ACTIONS, REASONS, rule_name
from settings import current

LEDGER = 26  # runs
COLOURS = {"adjusted": "blue", "undo": "violet", "undone": "gray", "none": "gray"}
NEXT = {
    "horizon": Column(N_("Days ahead"), "count", 80),
    "model": Column(N_("Model"), width=120),
    "now": Column(N_("Weight now, %"), "figure", 100),
    "next": Column(N_("Weight then, %"), "figure", 100),
    "hits_percent": Column(N_("Hit rate, %"), "figure", 90),
    "sample_count": Column(N_("n"), "count", 60),
    "what": Column(N_("What happens"), width=130),
    "why": Column(N_("Why"), width=280),
}


def dialog() -> None:
    """The form over the page that is open."""
    filters.remember("adjust_preview", None)
    filters.remember("dialog", True)
    st.dialog(_("Adjust weights"), on_dismiss=_close)(_form)()


def _close() -> None:
    filters.remember("dialog", False)


def _form() -> None:
    """Preview and run; the newest adjustment can be taken back from here, too."""
    told = _("Weights of every code and horizon from the outcomes of the last 31 days, {rule}.")
    st.caption(told.format(rule=rule_name(current().weight_rule)))
    preview, run = st.columns(2)
    if preview.button(_("Preview"), icon=":material/preview:", width="stretch", key="_adjust_preview_button"):
        actions.adjust({"dry_run": True}, "adjust_preview")
    pressed = run.button(_("Run"), icon=":material/play_arrow:", width="stretch", key="_adjust_run_button")
    if pressed and actions.adjust({}, "started"):
        _close()
        st.rerun(scope="app")
    rehearsal.shown("adjust_preview")
    newest = ask(weights.ledger, limit=LEDGER)
    if len(newest) and (back := newest[newest["can_undo"]]).size:
        _undo_button(int(back["run_id"].iloc[0]))


def _undo_button(run_id: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("The newest adjustment is run {id}.").format(id=run_id), width="stretch")
        icon, key = ":material/undo:", "_adjust_undo_button"
        if st.button(_("Undo"), icon=icon, key=key) and actions.adjust({"undo": run_id}, "started"):
            _close()
            st.rerun(scope="app")


def next_one(code: str) -> None:
    """What an adjustment now would do to this code, and the button that runs one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        when = actions.next_run("adjust_weights")
        title = (
            _("Next adjustment, {when}, as it stands").format(when=when)
            if when
            else _("The next adjustment, as it stands")
        )
        st.markdown(f"**{title}** :small[{plain(code)}]", width="stretch")
        off = access.why_not()
        icon, label = ":material/tune:", _("Adjust now …")
        if st.button(label, icon=icon, disabled=off is not None, help=off, key="_adjust_now"):
            dialog()
    rows = actions.next_weights(code)
    if rows.empty:
        st.caption(_("No member has an outcome of this code in the last 31 days."))
        return
    today = actions.today()
    shown = rows.assign(
        now=100 * rows["before"].astype(float),
        next=100 * rows["after"].astype(float),
        hits_percent=100 * rows["hit_rate"].astype(float),
        what=[_happens(row) for row in rows.to_dict("records")],
        why=[_(REASONS.get(name, name)) for name in rows["reason"]],
    )
    told = _("from outcomes of the last 31 days; nothing is written")
    beside.open_table(told, Data(f"next-weights-{code}", Period(today, today, "day"), lambda: shown, NEXT))


def _happens(row: dict[Any, Any]) -> str:
    """An adjustment that comes to the same weight is none to the reader."""
    before, after = row["before"], row["after"]  # None or, beside others, NaN where no weight is in force
    moved = pd.isna(before) or pd.isna(after) or abs(after - before) > 0.0005
    return _(ACTIONS[row["action"]]) if row["action"] != UPDATED or moved else _("no change")


def ledger(period: Period) -> None:
    """Every adjustment, newest first, with the largest move, by whom, and the way back."""
    st.markdown(
        f"**{_('Ledger of changes')}**",
        help=_(
            "Every adjustment of all codes and horizons, also where nothing changed for want of data. Undo puts the "
            "weights from before it back, as an entry of its own; the newest goes first."
        ),
    )
    rows = ask(weights.ledger, limit=LEDGER)
    if rows.empty:
        st.caption(
            _("Weights were not adjusted yet: that is done on Sundays, or by Adjust weights in the sidebar.")
        )
        return
    may = access.why_not() is None
    table = _listed(rows, may)
    st.dataframe(table, hide_index=True, placeholder="–", column_config=_columns(rows))
    with st.container(horizontal=True, horizontal_alignment="right"):
        beside.csv(lambda: _as_file(table), "ledger-of-weights")
    if run_id := filters.remembered("undo_of"):
        filters.remember("undo_of", None)
        _undo_dialog(run_id)


def _listed(rows: pd.DataFrame, may: bool) -> pd.DataFrame:
    zone = current().zone
    return pd.DataFrame(
        {
            "at": [at.astimezone(zone).replace(tzinfo=None) for at in rows["decided_at"]],
            "what": [[_state(row)] for row in rows.to_dict("records")],
            "counts": [_counts(row) for row in rows.to_dict("records")],
            "largest": [_largest(row) for row in rows.to_dict("records")],
            "by": [said(name, TRIGGERS) if isinstance(name, str) else None for name in rows["trigger"]],
            "undo": [_("Undo") if can and may else None for can in rows["can_undo"]],
        }
    )


def _state(row: dict[Any, Any]) -> str:
    if not pd.isna(row["undoes"]):
        return "undo"
    if not pd.isna(row["undone_by"]):
        return "undone"
    return "adjusted" if row["adjusted"] else "none"


def _counts(row: dict[Any, Any]) -> str:
    """How many groups, by what was decided."""
    if _state(row) == "undo":
        return _("took back run {id}").format(id=int(row["undoes"]))
    parts = []
    if row["adjusted"]:
        parts.append(ngettext("{n} adjusted", "{n} adjusted", int(row["adjusted"])))
    if row["skipped"]:
        parts.append(ngettext("{n} with too little data", "{n} with too little data", int(row["skipped"])))
    if row["missing"]:
        parts.append(ngettext("{n} without a model", "{n} without a model", int(row["missing"])))
    return ", ".join(parts)


def _largest(row: dict[Any, Any]) -> str | None:
    """The weight that moved most, in percentage points."""
    if pd.isna(row["largest_move"]):
        return None
    return _("{code}, {n} d: {model} {move} pp").format(
        code=row["code"],
        n=int(row["horizon"]),
        model=row["model"],
        move=signed(100 * row["largest_move"], 0),
    )


def _columns(rows: pd.DataFrame) -> dict[str, Any]:
    kinds = st.column_config
    names = {
        "adjusted": _("adjusted"),
        "undo": _("taken back"),
        "undone": _("undone"),
        "none": _("no change"),
    }
    return {
        "at": kinds.DatetimeColumn(_("Decided"), format=_("D MMM YYYY, HH:mm"), width=140),
        "what": kinds.MultiselectColumn(
            _("Action"),
            options=list(names),
            color=[COLOURS[name] for name in names],
            format_func=names.__getitem__,
            width=100,
        ),
        "counts": kinds.TextColumn(_("Codes and horizons"), width=230),
        "largest": kinds.TextColumn(_("Largest move"), width=260),
        "by": kinds.TextColumn(_("By"), width=100),
        "undo": kinds.ButtonColumn(
            "", width=90, key="_undo_clicked", on_click=_ask_to_undo, args=(list(rows["run_id"]),)
        ),
    }


def _ask_to_undo(run_ids: list[int]) -> None:
    """Remembers whose button was pressed: the dialog asks, nothing is undone at once."""
    filters.remember("undo_of", int(run_ids[filters.clicked_row("_undo_clicked")]))


def _as_file(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="undo").assign(what=[what for (what,) in table["what"]])


def _undo_dialog(run_id: int) -> None:
    filters.remember("dialog", True)
    filters.remember("undo_preview", None)
    actions.adjust({"undo": run_id, "dry_run": True}, "undo_preview")
    st.dialog(_("Undo an adjustment"), on_dismiss=_close)(_undo_form)(run_id)


def _undo_form(run_id: int) -> None:
    told = _("The weights from before run {id} come back, as an entry of its own in the ledger.")
    st.caption(told.format(id=run_id))
    rehearsal.shown("undo_preview")
    icon = ":material/undo:"
    if st.button(_("Undo"), icon=icon, key="_undo_now") and actions.adjust({"undo": run_id}, "started"):
        _close()
        st.rerun(scope="app")
