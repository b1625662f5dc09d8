"""The verdicts of a week, a row for each model: its score against the week before, and its rates."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, changes, columns
from dashboard.data import ask, derive, verdicts
from dashboard.tables import weeks_of
from db.metrics import METRICS
from jobs.formulas.verdict_names import DECLINED, IMPROVED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA
from jobs.formulas.verdicts import HISTORY_WEEKS
from language import _
from reports.charts.text import number
from reports.verdict_words import WORDS
from reports.wording import week_against, week_name

COLOURS = {IMPROVED: "green", DECLINED: "orange", NO_CLEAR_CHANGE: "gray", TOO_LITTLE_DATA: "gray"}
SCORE = METRICS["final_score"].column
NAME = 120  # pixels; a longer name is cut, and whole where one points at it
RATES = {"achieved": "target_achieved_rate", "breach": "support_breach_rate"}


def show(week: date, today: date) -> None:
    """Most surprising change of the score first."""
    st.markdown(
        f"**{_('Verdicts')}** :small[{week_name(week)}: {week_against(week)}]", help=changes.meaning()
    )
    found = ask(verdicts.of_week, week=week, word="models")
    table = derive(_rows, week=week, today=today)
    shown = columns.with_minus(table, ["change"])
    st.dataframe(shown, hide_index=True, placeholder="–", column_config=_columns(table["line"]))
    beside.foot(_("most surprising change of the score first"), changes.data(found, week))


def of_answers(week: date, today: date) -> None:
    """AI quality: a row for all answers together and, where there are several, for each model."""
    st.markdown(
        f"**{_('Verdicts')}** :small[{week_name(week)}: {week_against(week)}]", help=changes.meaning()
    )
    found = ask(verdicts.of_week, week=week, word="quality")
    if found.empty:
        st.caption(_("This week was not judged yet: that is done after each aggregation."))
        return
    data = changes.data(found, week)
    beside.open_table(_("most surprising change first"), data)


def of_forecasts(week: date) -> None:
    """Forecasts: a row for each model and horizon."""
    _of_word("forecasts", week)


def of_agents(week: date) -> None:
    """Agents: a row for each agent's win rate and cost per call."""
    _of_word("agents", week)


def _of_word(word: str, week: date) -> None:
    st.markdown(
        f"**{_('Verdicts')}** :small[{week_name(week)}: {week_against(week)}]", help=changes.meaning()
    )
    data = changes.data(ask(verdicts.of_week, week=week, word=word), week)
    beside.open_table(_("most surprising change first"), data)


def _rows(week: date, today: date) -> pd.DataFrame:
    found = ask(verdicts.of_week, week=week, word="models")
    by_metric = {name: rows.set_index("subject") for name, rows in found.groupby("metric", sort=False)}
    order = list(dict.fromkeys(found.loc[found["metric"] == SCORE, "subject"]))
    order += [name for name in dict.fromkeys(found["subject"]) if name not in set(order)]
    score = by_metric.get(SCORE, found.set_index("subject")[:0]).reindex(order)
    lines = weeks_of(week - timedelta(weeks=HISTORY_WEEKS), week + timedelta(days=6), today, score.index)
    bounds = zip(score["low"], score["high"], strict=True)
    counts = zip(score["n"], score["n_previous"], strict=True)
    table = pd.DataFrame(
        {
            "model": order,
            "score": score["value"].to_numpy(),
            "change": score["change"].to_numpy(),
            "interval": [_interval(low, high) for low, high in bounds],
            "verdict": _chips(score["verdict"]),
            "n": [f"{int(n):,} / {int(before):,}" if n == n else None for n, before in counts],
            "line": pd.Series(lines, dtype=object),
        }
    )
    for name, metric in RATES.items():
        rows = by_metric.get(metric, score[:0]).reindex(order)
        table[f"{name}_verdict"] = pd.Series(_chips(rows["verdict"]), dtype=object)
        table[name] = rows["value"].to_numpy()
    return table


def _interval(low: Any, high: Any) -> str | None:
    if low is None or low != low:
        return None
    return f"{'+' if low > 0 else ''}{number(low)} … {'+' if high > 0 else ''}{number(high)}"


def _chips(verdict: pd.Series) -> list[list[str] | None]:
    return [[said] if isinstance(said, str) else None for said in verdict]


def _columns(lines: pd.Series) -> dict[str, Any]:
    """A rate's verdict stands under its name, and its figure beside it: so that all of it has room at 1440 pixels."""
    kinds, number = st.column_config, st.column_config.NumberColumn
    chip: dict[str, Any] = {
        "options": list(COLOURS),
        "color": list(COLOURS.values()),
        "format_func": lambda said: _(WORDS[said]),
        "width": 118,
    }
    shown = {
        "model": kinds.TextColumn(_("Model"), pinned=True, width=NAME),
        "score": number(_("Score"), format="%.1f", help=_(METRICS["final_score"].definition), width=60),
        "change": number(_("Change"), format=None if len(lines) <= columns.STYLED else "%+.1f", width=66),
        "interval": kinds.TextColumn(_("95% interval"), width=108),
        "verdict": kinds.MultiselectColumn(_("Verdict"), **chip),
        "n": kinds.TextColumn(_("n now / before"), width=104),
        "line": columns.line(lines, _("Since the last week without a score."), 90),
    }
    for name, metric in RATES.items():
        told = _(METRICS[metric].definition)
        shown[f"{name}_verdict"] = kinds.MultiselectColumn(_(METRICS[metric].label), help=told, **chip)
        shown[name] = number(_("%"), format="%.0f", help=told, width=46)
    return shown
