"""The weights of an ensemble's members: over time, what moved them, and every decision with a way back."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, filters
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import ask, derive, forecasts, weights
from dashboard.drawing import draw
from dashboard.period import Period
from dashboard.wording import plain
from db.clock import business_day
from jobs.formulas.weight_names import REMOVED, UNDONE, UPDATED, starting_weights
from language import N_, _
from reports.charts.heat import heat
from reports.charts.look import Look
from reports.charts.shares import shares
from reports.weight_words import ACTIONS, REASONS, RULES
from settings import current

HISTORY = {
    "decided": Column(N_("Decided"), "moment", 140),
    "model": Column(N_("Model"), width=110),
    "before_percent": Column(N_("Weight before, %"), "figure", 110),
    "after_percent": Column(N_("Weight, %"), "figure", 80),
    "hits_percent": Column(N_("Hit rate, %"), "figure", 80),
    "sample_count": Column(N_("n"), "count", 60),
    "what": Column(N_("What happened"), width=120),
    "why": Column(N_("Why"), width=260),
}
LEDGER = 104  # runs, two years of Sundays
BY_HAND = ("manual", "command line")
MOVERS = 24  # codes
FLOOR = 10  # %, the least that a member of two gets


def carried(code: str, horizon: int, period: Period) -> None:
    """How much each member counts, step by step."""
    st.markdown(
        f"**{_('Who carries {code}, {n} d ahead').format(code=plain(code), n=horizon)}**",
        help=_(
            "How much each member counts in the ensemble. Weights adjust themselves on Sundays by how well the "
            "members did; the dotted lines are the least and the most that one of two may have."
        ),
    )
    table, events, rule = derive(_steps, code=code, horizon=horizon)
    if table.empty:
        st.caption(_("No weight was decided on yet: the members count as they do by default."))
        return
    names = ask(forecasts.models)
    members = [name for name in names if name in set(table["subject"])]
    limits = (FLOOR, 100 - FLOOR) if len(members) == 2 else ()
    look = Look(
        filters.is_dark(),
        subjects=tuple(names),
        highlighted=tuple(members or dict.fromkeys(table["subject"])),
        unit=_("weight, %"),
        span=(max(period.first, min(table["period"])), max(period.last, max(table["period"]))),
    )
    draw(shares, table, "weights", look=look, limits=limits, events=events)
    told = _("✕ no change: too little data · now: {rule}").format(rule=rule)
    data = Data(f"weights-{code}-{horizon}d", period, lambda: _in_words(code, horizon), HISTORY)
    beside.foot(told, data)


def _steps(code: str, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """From which day which weight holds, what else happened, and by what rule the last weights were made."""
    rows = ask(weights.weights_history, code=code, horizon=horizon)
    kept = rows[rows["after"].notna() | rows["before"].notna()]
    days = _days(kept["decided_at"])
    table = pd.DataFrame({"subject": kept["model"], "period": days, "value": 100 * _as_readers_have_it(kept)})
    rule = RULES.get(rows["rule"].iloc[-1]) if len(rows) else None
    return table, _events(rows), _(rule) if rule else "–"


def _as_readers_have_it(rows: pd.DataFrame) -> "pd.Series[float]":
    """The weight after each decision: that of the start where a run left none in force, 0 of what is no member."""
    found = rows["after"].astype(float)
    for _run, own in rows.groupby("run_id"):
        members = own[own["action"] != REMOVED]
        if len(members) and own["after"].isna().all():
            start = starting_weights(tuple(members["model"]))
            found.update(pd.Series(start, index=members.index))
    return found.fillna(0.0)


def _days(moments: Any) -> list[date]:
    return [business_day(at, current().zone) for at in moments]


def _events(rows: pd.DataFrame) -> pd.DataFrame:
    """What a step does not tell: nothing changed for want of data, taken back, by hand."""
    once = rows[rows["action"] != REMOVED].drop_duplicates("run_id")
    runs = ask(weights.ledger, limit=LEDGER)
    by, found = dict(zip(runs["run_id"], runs["trigger"], strict=True)), []
    for row in once.to_dict("records"):
        day = business_day(row["decided_at"], current().zone)
        if row["action"] == UNDONE:
            found.append({"period": day, "kind": "undone", "label": _("undone")})
        elif row["action"] != UPDATED:
            found.append({"period": day, "kind": "skipped", "label": ""})
        elif by.get(row["run_id"]) in BY_HAND:
            found.append({"period": day, "kind": "weights", "label": _("by hand")})
    return pd.DataFrame(found, columns=["period", "kind", "label"])


def _in_words(code: str, horizon: int) -> pd.DataFrame:
    rows, zone = ask(weights.weights_history, code=code, horizon=horizon), current().zone
    return rows.iloc[::-1].assign(
        decided=[at.astimezone(zone).replace(tzinfo=None) for at in rows["decided_at"].iloc[::-1]],
        before_percent=100 * rows["before"].astype(float),
        after_percent=100 * rows["after"].astype(float),
        hits_percent=100 * rows["hit_rate"].astype(float),
        what=[_(ACTIONS.get(name, name)) for name in rows["action"].iloc[::-1]],
        why=[_(REASONS.get(name, name)) for name in rows["reason"].iloc[::-1]],
    )


EVERYWHERE = {
    "code": Column(N_("Code"), width=150),
    "horizon": Column(N_("Days ahead"), "count", 80),
    "model": Column(N_("Model"), width=120),
    "percent": Column(N_("Weight, %"), "figure", 90),
    "hits_percent": Column(N_("Hit rate, %"), "figure", 90),
    "sample_count": Column(N_("n"), "count", 60),
    "as_of": Column(N_("As of"), "day", 110),
}


def everywhere(period: Period) -> None:
    """The codes whose weights moved most in the newest adjustment, and the weights of all codes to search and sort."""
    top, member = derive(_movers)
    if member:
        st.markdown(
            f"**{_('Weight of {model}, the codes that moved most').format(model=plain(member))}**",
            help=_(
                "The codes whose weights the newest adjustment moved most; blue where this member counts more."
            ),
        )
        draw(heat, top, "movers", look=Look(filters.is_dark(), title=_("Weights by code and horizon")))
    st.markdown(f"**{_('Weights in force, all codes')}**")
    rows = ask(weights.weights_in_force)
    shown = rows.assign(
        percent=100 * rows["weight"].astype(float), hits_percent=100 * rows["hit_rate"].astype(float)
    )
    data = Data("weights", period, lambda: shown, EVERYWHERE)
    beside.open_table(_("click a heading to sort, the loupe to search"), data)


def _movers() -> tuple[pd.DataFrame, str]:
    """The weights of the first member for the codes that moved most, largest move first; and who that is."""
    runs, rows = ask(weights.ledger, limit=1), ask(weights.weights_in_force)
    if runs.empty or rows.empty:
        return rows, ""
    member = str(rows["model"].value_counts().index[0])  # the member of most codes
    decided = ask(weights.decisions, run_id=int(runs["run_id"].iloc[0]))
    after, before = (decided[name].astype(float).fillna(0) for name in ("after", "before"))
    size = (after - before).abs()
    most = size.groupby(decided["code"]).max()
    codes = most[most > 0].nlargest(MOVERS).index
    mine = rows[(rows["model"] == member) & rows["code"].isin(codes)]
    mine = mine.assign(order=mine["code"].map({code: k for k, code in enumerate(codes)}))
    mine = mine.sort_values(["order", "horizon"])
    if mine.empty:
        return mine, ""
    cells = zip(mine["weight"], mine["sample_count"], strict=True)
    told = [f"{100 * weight:.0f}%, {_('n')} = {n:,}" for weight, n in cells]
    return mine.assign(subject=mine["code"], percent=100 * mine["weight"].astype(float), told=told), member
