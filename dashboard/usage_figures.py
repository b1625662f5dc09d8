"""What calls came to: numbers, their course, and the table, by agent, provider or model."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import beside, filters, pickers
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import ask, derive, usage
from dashboard.drawing import draw
from dashboard.period import Period
from jobs.formulas.budget import room_for
from language import N_, _, ngettext
from reports.charts.look import Look
from reports.charts.money import dollars
from reports.charts.rates import percent
from reports.charts.text import Show, day_name, number
from reports.charts.trend import trend
from reports.subjects import segment_name
from reports.wording import span_with_end
from settings import current

GHOSTS, DEAREST, NAMED = 24, 10, 4
BY = {"model": N_("Model"), "provider": N_("Provider"), "agent_name": N_("Agent")}
# Figure → its name, unit, how it is written, and what it means; those of latencies are daily percentiles.
FIGURES: dict[str, Any] = {
    "cost_usd": (N_("Cost"), "$", dollars, N_("US dollars, as far as the cost of calls is known.")),
    "tokens": (N_("Tokens"), "", None, N_("Tokens of prompts and answers.")),
    "calls": (N_("Calls"), "", None, N_("Calls of models.")),
    "cost_per_call": (N_("Cost per call"), "$", dollars, N_("Mean cost of the calls whose cost is known.")),
    "failure_rate": (
        *(N_("Failed calls"), "%", percent),
        N_("Share of failed calls among those of which it is known."),
    ),
    "latency_p50_ms": (
        *(N_("Median latency"), "ms", None),
        N_(
            "Daily median of the calls that did not fail; of several daily medians, the median weighed by calls."
        ),
    ),
    "latency_p95_ms": (
        *(N_("95th percentile of latency"), "ms", None),
        N_("Daily 95th percentile of the calls that did not fail; of several, the median weighed by calls."),
    ),
}
LATENCIES = ("latency_p50_ms", "latency_p95_ms")
TABLE = {
    "calls": Column(N_("Calls"), "count"),
    "failure_rate": Column(N_("Failed, %"), "figure"),
    "tokens": Column(N_("Tokens"), "count"),
    "cost_usd": Column(N_("Cost, $"), "small"),
    "cost_per_call": Column(N_("Cost per call, $"), "small"),
    "cost_max": Column(N_("Dearest call, $"), "small"),
    "latency_p50_ms": Column(N_("Median of daily p50, ms"), "count"),
    "latency_p95_ms": Column(N_("Median of daily p95, ms"), "count"),
    "uncosted": Column(N_("Calls without a cost"), "count"),
    "computed_count": Column(N_("Costs by the price book"), "count"),
}
OUTLIERS = {
    "date": Column(N_("Day"), "day"),
    "agent_name": Column(N_("Agent")),
    "provider": Column(N_("Provider")),
    "model": Column(N_("Model")),
    "cost_max": Column(N_("Dearest call, $"), "small"),
    "times": Column(N_("Times the usual call"), "count"),
    "calls": Column(N_("Calls that day"), "count"),
}


def shown_in_words(period: Period, newest: date) -> str:
    """Of which days, by which step, in which zone."""
    return _("LLM calls · {span}, {grain} · {zone}").format(
        span=span_with_end(period.first, period.last, newest),
        grain=_("weekly") if period.grain == "week" else _("daily"),
        zone=current().timezone,
    )


def cards(period: Period) -> None:
    """Cost, calls, tokens, failures, with the period before."""
    now, before = (
        ask(usage.totals, since=one.first, until=one.last, dimensions=()) for one in (period, period.before)
    )
    with st.grid(4, min_column_width=168):
        for name in ("cost_usd", "calls", "tokens", "failure_rate"):
            title, unit, show, meaning = FIGURES[name]
            value, earlier = (_only(rows, name) for rows in (now, before))
            with st.container(border=True, height="stretch"):
                st.metric(
                    f"{_(title)}, {unit}" if unit and unit != "%" else _(title),
                    _figure(value, show),
                    _(meaning_of_change(value, earlier, show)),
                    delta_color="off",
                    delta_arrow="off",
                    help=_(meaning),
                )
    uncosted = int(_only(now, "calls") or 0) - int(_only(now, "cost_count") or 0)
    if uncosted:
        told = ngettext("{n} call has no known cost", "{n} calls have no known cost", uncosted)
        st.caption(_("{told}: enter prices, then python -m db prices apply").format(told=told))


def meaning_of_change(value: float | None, before: float | None, show: Any) -> str:
    """What it was before."""
    return _("before: {value}").format(value=_figure(before, show)) if value is not None else ""


def over_time(by: str, figure: str, period: Period, today: date) -> None:
    """A figure by agent, provider or model; a value that dwarfs the others is named, and the axis made for the rest."""
    title, unit, show, meaning = FIGURES[figure]
    rows = derive(
        _trend, by=by, figure=figure, grain=period.grain, today=today, since=period.first, until=period.last
    )
    grain = _("by week") if period.grain == "week" and figure not in LATENCIES else _("by day")
    st.markdown(f"**{_(title)} {grain}**", help=_(meaning))
    names = tuple(dict.fromkeys(rows["subject"]))
    sizes = rows.groupby("subject")["weight"].sum() if len(rows) else pd.Series(dtype=float)
    most = set(sizes.nlargest(pickers.HIGHLIGHTS).index)
    chosen = tuple(name for name in names if name in most)
    rows = rows if len(names) <= GHOSTS else rows[rows["subject"].isin(chosen)]
    top = room_for(rows["value"]) if len(rows) else None
    look = Look(
        filters.is_dark(),
        subjects=names,
        highlighted=chosen,
        unit=f"{_(title)}, {unit}" if unit else _(title),
        low=0.0,
        high=top,
        show=show or _whole,
        grain="day" if figure in LATENCIES else period.grain,
        span=period.span,
    )
    more = {"events": _beyond(rows, top, look)} if top else {}
    draw(trend, rows, f"usage_{figure}_{by}", look=look, **more)
    told = [_("in colour: those with most")]
    if top:
        told.append(_("● beyond the axis, named above it"))
    named = {
        "subject": Column(BY[by]),
        "period": Column(N_("From"), "day"),
        "value": Column(f"{_(title)}, {unit}" if unit else title, "small"),
    }
    beside.foot(" · ".join(told), Data(f"{figure}-by-{by}", period, lambda: rows, named))


def table(by: str, period: Period) -> None:
    """Every agent, provider or model, the dearest first."""
    rows = derive(_table, by=by, since=period.first, until=period.last)
    named = {"subject": Column(BY[by], width=200)} | TABLE
    beside.open_table(_("the dearest first"), Data(f"usage-by-{by}", period, lambda: rows, named))


def dearest(period: Period) -> None:
    """The calls that cost many times the usual one, day by day."""
    rows = ask(usage.dearest, since=period.first, until=period.last, limit=DEAREST)
    st.markdown(f"**{_('Calls that stand out')}**", help=_("The dearest call of a day, agent and model."))
    if rows.empty:
        st.caption(_("no call cost more than ten times the usual one of its model"))
        return
    rows = rows.assign(times=rows["times"].round())
    beside.open_table(_("by cost"), Data("dearest-calls", period, lambda: rows, OUTLIERS))


def _trend(by: str, figure: str, grain: str, today: date, since: date, until: date) -> pd.DataFrame:
    """subject, period, value, weight (what makes a subject one of the largest), unfinished."""
    if figure in LATENCIES:
        rows = ask(usage.latencies, since=since, until=until)
        rows = weighed_medians(rows, [by, "date"], figure).rename(columns={by: "subject", "date": "period"})
        rows = rows.assign(unfinished=rows["period"] == today, weight=rows["n"])
    else:
        rows = ask(usage.trend, since=since, until=until, grain=grain, today=today, dimension=by)
        rows = rows.assign(value=rows[figure], weight=rows["cost_usd"].fillna(0) + rows["calls"] / 1e9)
    known = rows[rows["value"].notna()]
    return known.assign(subject=[segment_name(name) for name in known["subject"]])[
        ["subject", "period", "value", "weight", "unfinished"]
    ]


def weighed_medians(rows: pd.DataFrame, keys: list[str], figure: str) -> pd.DataFrame:
    """The median of daily percentiles, each counted as often as it has calls: the keys, value, n."""
    ordered = rows.sort_values([*keys, figure], ignore_index=True)
    weight = ordered["latency_count"].astype(float)
    groups = [ordered[key] for key in keys]
    total, below = weight.groupby(groups).transform("sum"), weight.groupby(groups).cumsum()
    middle = ordered[below >= total / 2].groupby(keys, sort=True, as_index=False)
    found = middle[[figure]].first().rename(columns={figure: "value"})
    counts = weight.groupby(groups).sum().rename("n").reset_index()
    return found.merge(counts, on=keys)


def _table(by: str, since: date, until: date) -> pd.DataFrame:
    rows = ask(usage.totals, since=since, until=until, dimensions=(by,)).rename(columns={by: "subject"})
    daily = ask(usage.latencies, since=since, until=until)
    for name in LATENCIES:
        known = (
            weighed_medians(daily, [by], name).set_index(by)["value"]
            if len(daily)
            else pd.Series(dtype=float)
        )
        rows[name] = rows["subject"].map(known).round()
    uncosted = (rows["calls"] - rows["cost_count"]).replace(0, np.nan)
    computed = rows["computed_count"].replace(0, np.nan)
    return rows.assign(
        subject=[segment_name(name) for name in rows["subject"]], uncosted=uncosted, computed_count=computed
    )


def _beyond(rows: pd.DataFrame, top: float, look: Look) -> pd.DataFrame:
    """An event for each value that the axis has no room for."""
    far = rows[rows["value"] > top].nlargest(NAMED, "value").sort_values("period")
    labels = [
        f"{day_name(row['period'])}: {row['subject']} {look.show(row['value'])}"
        for row in far.to_dict("records")
    ]
    return pd.DataFrame({"period": far["period"], "kind": "note", "label": labels})


def _only(rows: pd.DataFrame, name: str) -> float | None:
    value = rows[name].iloc[0] if len(rows) else None
    return None if value is None or value != value else float(value)


def _figure(value: float | None, show: Show | None) -> str:
    return "–" if value is None else (show or _whole)(value)


def _whole(value: float) -> str:
    return number(value, 0)
