"""What pages list: the comparison of all models, and the rows behind a point."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns
from dashboard.beside import Data
from dashboard.data import ask, derive, models
from dashboard.period import Period
from dashboard.wording import plain, span
from db.metrics import METRICS, Metric
from language import _
from reports.charts.series import prepare
from reports.charts.text import interval
from settings import current

ROWS_SHOWN = 500
SCORE = METRICS["final_score"]
RATES = {"achieved": "target_achieved_rate", "breach": "support_breach_rate", "human": "human_score"}


def comparison(period: Period, today: date) -> None:
    """The table of models: numbers right-aligned, one line each, CSV at the table's own button."""
    table = derive(_compared, since=period.first, until=period.last, today=today)
    points = [point for line in table["line"].dropna() for point in line if point == point]
    bounds = (min(points), max(points)) if points else (0, 100)
    st.dataframe(table, hide_index=True, placeholder="–", column_config=_columns(*bounds))


def _columns(low: float, high: float) -> dict[str, Any]:
    kinds, told = st.column_config, {name: _(metric.definition) for name, metric in METRICS.items()}
    number = kinds.NumberColumn
    return {
        "model": kinds.TextColumn(_("Model"), pinned=True),
        "score": number(_("Score"), format="%.1f", help=told["final_score"]),
        "interval": kinds.TextColumn(_("95% interval")),
        "n": number(_("n"), format="localized", help=_("Scored predictions in the period.")),
        "line": kinds.LineChartColumn(
            _("Week by week"),
            color="gray",
            y_min=low,
            y_max=high,
            help=_("Since the last week without a score."),
        ),
        "achieved": number(_("Target, %"), format="%.0f", help=told["target_achieved_rate"]),
        "breach": number(_("Breach, %"), format="%.0f", help=told["support_breach_rate"]),
        "human": number(_("Human"), format="%.1f", help=told["human_score"]),
        "evaluated": number(_("Evaluated, %"), format="%.0f", help=told["coverage"]),
        "newest": kinds.DateColumn(_("Newest day"), format=_("D MMM YYYY")),
    }


def _compared(since: date, until: date, today: date) -> pd.DataFrame:
    """One row a model: score with interval and n, its weeks, rates, human score, coverage; best score first."""
    days = {"since": since, "until": until}
    table = ask(models.coverage, **days).set_index("subject")
    score = ask(models.totals, metric=SCORE.name, **days).set_index("subject").reindex(table.index)
    table["score"], table["n"] = score["value"], score["n"]
    bounds = zip(score["low"], score["high"], strict=True)
    table["interval"] = [interval(low, high) if low == low else None for low, high in bounds]
    lines = weeks_of(since, until, today, table.index)
    table["line"] = pd.Series(lines, index=table.index, dtype=object)
    for column, metric in RATES.items():
        table[column] = ask(models.totals, metric=metric, **days).set_index("subject")["value"]
    table["evaluated"] = 100 * table["part"] / table["whole"]
    table["enough"] = table["n"] >= SCORE.enough
    table = table.sort_values(["enough", "score"], ascending=False, na_position="last")
    return table.reset_index(names="model")[list(_columns(0, 0))]


def weeks_of(first: date, last: date, today: date, names: pd.Index) -> list[list[float] | None]:
    """The score of each week since the last gap: a line in a cell cannot show one. None for a model without any."""
    rows = ask(models.trend, metric=SCORE.name, grain="week", since=first, until=last, today=today)
    known = prepare(rows, "week")
    newest = known.groupby("subject")["segment"].transform("max")
    lines = known[known["segment"] == newest].groupby("subject")["value"].agg(list)
    return [lines.get(name) for name in names]


def rows_behind(model: str, start: date, period: Period, metric: Metric) -> None:
    """The evaluations behind a point of the trend, with CSV below."""
    last = start + timedelta(days=6) if period.grain == "week" else start
    first, last = max(start, period.first), min(last, period.last)
    if first > last:  # a point of another period, clicked before
        return
    rows = ask(models.evaluations, model=model, metric=metric.name, since=first, until=last, limit=ROWS_SHOWN)
    for column in (name for name, told in columns.EVALUATION.items() if told.kind == "moment"):
        local = pd.to_datetime(rows[column], utc=True).dt.tz_convert(current().zone)
        rows[column] = local.dt.tz_localize(None)
    data = Data(f"evaluations-{model}", Period(first, last, "day"), lambda: rows, columns.EVALUATION)
    all_shown = len(rows) < ROWS_SHOWN
    told = _("worst first") if all_shown else _("the worst {n}; all of them: python -m db export")
    with st.container(border=True):
        title = _("Evaluations of {model}").format(model=plain(model))
        st.markdown(f"**{title}** :small[{span(first, last)}]")
        beside.open_table(told.format(n=ROWS_SHOWN), data)
