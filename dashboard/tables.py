"""What pages list: the comparison of all models, and the rows behind a point."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns, lineup
from dashboard.beside import Data
from dashboard.columns import Column, Columns
from dashboard.data import ask, derive, models
from dashboard.period import Period
from dashboard.wording import plain
from db.metrics import METRICS, Metric
from language import N_, _
from reports.charts.rates import percent
from reports.charts.series import prepare
from reports.charts.text import interval, number
from reports.wording import span
from settings import current

ROWS_SHOWN = 500
BESIDE = {"achieved": "target_achieved_rate", "breach": "support_breach_rate", "evaluated": "coverage"}
HUMAN = ("human_score", "rating_overall")


def comparison(period: Period, today: date) -> None:
    """The table of models: numbers right-aligned, one line each, and its CSV."""
    days = {"since": period.first, "until": period.last}
    metric, human = lineup.headline(days), _human(days)
    named = _named(metric, human)
    table = columns.shown(derive(_compared, today=today, metric=metric.name, human=human.name, **days), named)
    beside.whole(table, _columns(metric, human, table), Data("all-models", period, lambda: table, named))


def _human(days: dict[str, Any]) -> Metric:
    """The human score, or where nothing has one what there is of it."""
    known = set(ask(models.metrics_with_data, **days))
    return METRICS[next((name for name in HUMAN if name in known), HUMAN[0])]


def _named(metric: Metric, human: Metric) -> Columns:
    """The columns in files; what the table is headed by has no second column."""
    figure = columns.figure_of
    more = {name: figure(METRICS[one]) for name, one in BESIDE.items() if one != metric.name}
    if human != metric:
        more = {"human": figure(human)} | more
    return {
        "model": Column(N_("Model")),
        "score": figure(metric),
        "interval": Column(N_("95% interval")),
        "n": Column(N_("n"), "count"),
        "line": Column(N_("Week by week"), "line"),
        **more,
        "newest": Column(N_("Newest day"), "day"),
    }


def _columns(metric: Metric, human: Metric, table: pd.DataFrame) -> dict[str, Any]:
    """How they are shown: the figures without unit, each with its definition."""
    config = columns.configs(_named(metric, human))
    shown = {"score": metric, "human": human} | {name: METRICS[one] for name, one in BESIDE.items()}
    for name, one in shown.items():
        if name in config:
            config[name] |= {"help": _(one.definition)}
    if "line" in table:
        config["line"] = columns.line(table["line"], _("Since the last week without a value."))
    return config


def _compared(since: date, until: date, today: date, metric: str, human: str) -> pd.DataFrame:
    """One row a model: headline with interval and n, its weeks, rates, human score, coverage; best first."""
    days, chosen = {"since": since, "until": until}, METRICS[metric]
    table = ask(models.coverage, **days).set_index("subject")
    score = ask(models.totals, metric=metric, **days).set_index("subject").reindex(table.index)
    table["score"], table["n"] = score["value"], score["n"]
    bounds, show = zip(score["low"], score["high"], strict=True), percent if chosen.is_rate else number
    table["interval"] = [interval(low, high, show) if low == low else None for low, high in bounds]
    lines = weeks_of(since, until, today, table.index, metric)
    table["line"] = pd.Series(lines, index=table.index, dtype=object)
    for column, one in (BESIDE | {"human": human}).items():
        table[column] = ask(models.totals, metric=one, **days).set_index("subject")["value"]
    return table.loc[lineup.ranked(days)].reset_index(names="model")


def weeks_of(
    first: date, last: date, today: date, names: pd.Index, metric: str = lineup.SCORE.name
) -> list[list[float] | None]:
    """A metric in each week since the last gap: a line in a cell cannot show one. None where that is no line."""
    rows = ask(models.trend, metric=metric, grain="week", since=first, until=last, today=today)
    known = prepare(rows, "week")
    newest = known.groupby("subject")["segment"].transform("max")
    lines = known[known["segment"] == newest].groupby("subject")["value"].agg(list)
    return [line if len(line := lines.get(name, [])) > 1 else None for name in names]


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
