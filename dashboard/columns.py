"""What columns are called on the page and in files, with their units, and how their cells are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.period import Period
from db.metrics import METRICS, Metric
from language import N_, _
from reports.charts.text import signed

Kind = Literal["text", "figure", "count", "moment", "day", "flag", "small", "line", "change"]


@dataclass(frozen=True)
class Column:
    """A label marked for translation, what its cells hold, and their width in pixels."""

    label: str
    kind: Kind = "text"
    width: int | None = None

    def config(self, pinned: bool = False) -> Any:
        kinds = st.column_config
        usual: dict[str, Any] = {"label": _(self.label), "width": self.width, "pinned": pinned or None}
        if self.kind == "moment":
            return kinds.DatetimeColumn(format=_("D MMM YYYY, HH:mm"), **usual)
        if self.kind == "day":
            return kinds.DateColumn(format=_("D MMM YYYY"), **usual)
        if self.kind == "flag":
            return kinds.CheckboxColumn(**usual)
        if self.kind == "text":
            return kinds.TextColumn(**usual)
        if self.kind == "change":
            return kinds.NumberColumn(**usual)
        formats = {"figure": "%.1f", "small": "%.4f"}
        return kinds.NumberColumn(format=formats.get(self.kind, "localized"), **usual)


Columns = dict[str, Column]
STYLED = 200  # rows

EVALUATION: Columns = {
    "prediction_id": Column(N_("Prediction"), width=190),
    "predicted_at": Column(N_("Predicted"), "moment", 140),
    "evaluated_at": Column(N_("Evaluated at"), "moment", 140),
    "final_score": Column(N_("Score, 0–100"), "figure", 100),
    "target_accuracy_score": Column(N_("Target accuracy, 0–100"), "figure", 155),
    "timing_score": Column(N_("Timing, 0–100"), "figure", 105),
    "risk_management_score": Column(N_("Risk management, 0–100"), "figure", 165),
    "auto_score": Column(N_("Automatic score, 0–100"), "figure", 155),
    "human_evaluated_at": Column(N_("Rated by a person"), "moment", 140),
    "human_rating_quality": Column(N_("Quality, 1–5"), "figure", 90),
    "human_rating_usefulness": Column(N_("Usefulness, 1–5"), "figure", 110),
    "human_rating_overall": Column(N_("Overall, 1–5"), "figure", 90),
    "target_achieved": Column(METRICS["target_achieved_rate"].label, "flag", 120),
    "support_breached": Column(METRICS["support_breach_rate"].label, "flag", 110),
}
COVERAGE: Columns = {
    "subject": Column(N_("Model")),
    "evaluated": Column(N_("Evaluated, %"), "figure"),
    "part": Column(N_("Evaluated, count"), "count"),
    "whole": Column(N_("Predictions"), "count"),
    "newest": Column(N_("Newest day"), "day"),
}
DAYS: Columns = {
    "subject": Column(N_("Model")),
    "day": Column(N_("Day"), "day"),
    "state": Column(N_("State")),
    "part": Column(N_("Evaluated, count"), "count"),
    "whole": Column(N_("Predictions"), "count"),
    "waits": Column(N_("To be aggregated"), "flag"),
    "restated": Column(N_("Figures restated"), "count"),
}

VERDICT: Columns = {
    "subject": Column(N_("Model")),
    "metric": Column(N_("Metric")),
    "said": Column(N_("Verdict")),
    "previous": Column(N_("Week before"), "figure"),
    "value": Column(N_("Week"), "figure"),
    "change": Column(N_("Change"), "change"),
    "low": Column(N_("95% from"), "change"),
    "high": Column(N_("95% to"), "change"),
    "n": Column(N_("n"), "count"),
    "n_previous": Column(N_("n before"), "count"),
    "surprise": Column(N_("Surprise, σ"), "figure"),
    "p": Column(N_("p"), "small"),
    "p_holm": Column(N_("p, corrected"), "small"),
    "remark": Column(N_("Remark"), width=300),
}


# Costs of a call are small, and are told with more digits.
AGENT_VERDICT: Columns = VERDICT | {
    "subject": Column(N_("Agent")),
    **{name: Column(VERDICT[name].label, "small") for name in ("previous", "value", "change", "low", "high")},
}


def figure_of(metric: Metric) -> Column:
    """A metric's figure under its label and unit."""
    unit = "%" if metric.is_rate else f"{metric.low:g}–{metric.high:g}"
    if metric.high == float("inf"):
        return Column(_(metric.label), "small")
    return Column(_("{label}, {unit}").format(label=_(metric.label), unit=unit), "figure")


def of_daily(column: str) -> str:
    """A column of the daily figures by the label of its metric; one that belongs to none stays as it is."""
    for metric in METRICS.values():
        label, told = _(metric.label), _("{label}, {what}")
        if column == metric.mean:
            return label
        if column in (metric.std, metric.part, metric.count):
            names = {metric.std: _("standard deviation"), metric.part: _("count"), metric.count: _("n")}
            return told.format(label=label, what=names[column])
    return column


def with_minus(table: pd.DataFrame, names: Sequence[str], decimals: int = 1) -> pd.DataFrame | Styler:
    """The table with changes under a true minus, which Streamlit's own formats lack; still sorted as numbers.

    Only where there are few rows: it takes a while, in each run of the page.
    """
    known = [name for name in names if name in table]
    if not known or len(table) > STYLED:
        return table
    show: Any = partial(signed, decimals=decimals)
    return table.style.format(dict.fromkeys(known, show), na_rep="–")


def line(cells: pd.Series, told: str, width: int | None = None) -> Any:
    """Small lines in cells, all on one scale, with room for one that has a single point or is level."""
    points = [point for points in cells.dropna() for point in points if point == point]
    low, high = (min(points), max(points)) if points else (0.0, 100.0)
    room = (high - low) * 0.15 or 1.0
    label, low, high = _("Week by week"), low - room, high + room
    usual: dict[str, Any] = {"color": "gray", "help": told, "width": width}
    return st.column_config.LineChartColumn(label, y_min=low, y_max=high, **usual)


def of_metric(metric: Metric, **more: Column) -> Columns:
    """The columns of a metric's rows per model, with more after the model."""
    label = _(metric.label)
    detail = (
        {"part": Column(_("{label}, count").format(label=label), "count")}
        if metric.is_rate
        else {"std": Column(N_("Standard deviation"), "figure")}
    )
    return {
        "subject": Column(N_("Model")),
        **more,
        "value": figure_of(metric),
        "low": Column(N_("95% from"), "figure"),
        "high": Column(N_("95% to"), "figure"),
        "n": Column(N_("n"), "count"),
        **detail,
    }


def trend(metric: Metric, period: Period) -> Columns:
    """The columns of a metric's rows per model and day or week."""
    start = Column(N_("Week from") if period.grain == "week" else N_("Day"), "day")
    more = {"unfinished": Column(N_("Unfinished"), "flag"), "restated": Column(N_("Restated"))}
    return of_metric(metric, period=start) | more


def shown(table: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The columns that are named, in that order, without those that nothing is known of."""
    known = [name for name in columns if name in table]
    found = [name for name in known if table.empty or table[name].notna().any()]
    return table[found]


def configs(columns: Columns) -> dict[str, Any]:
    """How st.dataframe shows them; the first stays in sight."""
    return {name: column.config(pinned=k == 0) for k, (name, column) in enumerate(columns.items())}


def in_words(table: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The same table headed by labels instead of names; small lines are pictures, and stay on the page."""
    told = table.drop(columns=[name for name in table if name in columns and columns[name].kind == "line"])
    return told.rename(columns={name: _(column.label) for name, column in columns.items()})
