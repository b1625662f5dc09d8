"""The verdicts of a week, a row for each model: its score against the week before, and its rates."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, changes
from dashboard.data import ask, derive, verdicts
from dashboard.tables import weeks_of
from dashboard.wording import week_against, week_name
from db.metrics import METRICS
from jobs.formulas.verdict_names import DECLINED, IMPROVED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA
from jobs.formulas.verdicts import HISTORY_WEEKS
from language import _
from reports.charts.text import number
from reports.verdict_words import WORDS

COLOURS = {IMPROVED: "green", DECLINED: "orange", NO_CLEAR_CHANGE: "gray", TOO_LITTLE_DATA: "gray"}
SCORE = METRICS["final_score"].column
RATES = {"achieved": "target_achieved_rate", "breach": "support_breach_rate"}


def show(week: date, today: date) -> None:
    """Most surprising change of the score first."""
    st.markdown(
        f"**{_('Verdicts')}** :small[{week_name(week)}: {week_against(week)}]", help=changes.meaning()
    )
    found = ask(verdicts.of_week, week=week)
    table = derive(_rows, week=week, today=today)
    points = [point for line in table["line"].dropna() for point in line if point == point]
    bounds = (min(points), max(points)) if points else (0, 100)
    st.dataframe(table, hide_index=True, placeholder="–", column_config=_columns(*bounds))
    beside.foot(_("most surprising change of the score first"), changes.data(found, week))


def _rows(week: date, today: date) -> pd.DataFrame:
    found = ask(verdicts.of_week, week=week)
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
        table[name] = rows["value"].to_numpy()
        table[f"{name}_verdict"] = pd.Series(_chips(rows["verdict"]), dtype=object)
    return table


def _interval(low: Any, high: Any) -> str | None:
    if low is None or low != low:
        return None
    return f"{'+' if low > 0 else ''}{number(low)} … {'+' if high > 0 else ''}{number(high)}"


def _chips(verdict: pd.Series) -> list[list[str] | None]:
    return [[said] if isinstance(said, str) else None for said in verdict]


def _columns(low: float, high: float) -> dict[str, Any]:
    kinds, told = st.column_config, {name: _(metric.definition) for name, metric in METRICS.items()}
    chip: dict[str, Any] = {
        "options": list(COLOURS),
        "color": list(COLOURS.values()),
        "format_func": lambda said: _(WORDS[said]),
    }
    line: dict[str, Any] = {"color": "gray", "y_min": low, "y_max": high}
    return {
        "model": kinds.TextColumn(_("Model"), pinned=True),
        "score": kinds.NumberColumn(_("Score"), format="%.1f", help=told["final_score"]),
        "change": kinds.NumberColumn(_("Change"), format="%+.1f"),
        "interval": kinds.TextColumn(_("95% interval")),
        "verdict": kinds.MultiselectColumn(_("Verdict"), width=125, **chip),
        "n": kinds.TextColumn(_("n now / before")),
        "line": kinds.LineChartColumn(_("Week by week"), **line),
        "achieved": kinds.NumberColumn(_("Target, %"), format="%.0f", help=told["target_achieved_rate"]),
        "achieved_verdict": kinds.MultiselectColumn(_("Verdict on targets"), width=125, **chip),
        "breach": kinds.NumberColumn(_("Breach, %"), format="%.0f", help=told["support_breach_rate"]),
        "breach_verdict": kinds.MultiselectColumn(_("Verdict on breaches"), width=125, **chip),
    }
