"""The days of the system: one figure at a time, by market where it has one."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard import beside, filters, pickers
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import ask, system
from dashboard.drawing import draw
from dashboard.period import Period
from language import N_, _
from reports.charts.look import Look
from reports.charts.money import amount
from reports.charts.text import number
from reports.charts.trend import trend

# Column → its name, its unit, what it is multiplied by, whether it is of a market, and what it means.
FIGURES = {
    "total_pnl": (N_("P&L"), "", 1, True, N_("P&L of the day's closed trades, in the market's currency.")),
    "win_rate": (N_("Win rate"), "%", 100, True, N_("Wins by wins and losses of the day's closed trades.")),
    "total_trades": (N_("Closed trades"), "", 1, True, N_("Trades of the day whose P&L is known.")),
    "avg_decision_time_seconds": (N_("Decision time"), "s", 1, True, N_("Mean time that a decision took.")),
    "agent_efficiency_score": (
        *(N_("Efficiency"), "%", 100, True),
        N_("Share of the agents' contributions that went into trades that won."),
    ),
    "total_cost_usd": (
        N_("LLM cost"),
        "$",
        1,
        False,
        N_("What the day's LLM calls cost, as far as it is known."),
    ),
    "model_diversity_index": (
        *(N_("Diversity of models"), "0–1", 1, False),
        N_("Entropy of the day's calls over providers and models; 1 where all are called alike."),
    ),
    "auto_improvements": (
        N_("Swaps by themselves"),
        "",
        1,
        False,
        N_("Swaps that were automatic or on schedule."),
    ),
    "human_interventions": (
        *(N_("Interventions"), "", 1, True),
        N_("Trades in which a person intervened; swaps by hand are on the timeline below."),
    ),
}


def by_day(market: str, period: Period, today: date) -> None:
    """A figure of the system over time, always by day: most are no sums."""
    with st.container(horizontal=True, vertical_alignment="center"):
        title = st.empty()
        chosen = pickers.figure("daily", {name: _(told[0]) for name, told in FIGURES.items()})
    name, unit, factor, of_market, meaning = FIGURES[chosen]
    title.markdown(f"**{_('{figure} by day').format(figure=_(name))}**", help=_(meaning), width="stretch")
    days = {"since": period.first, "until": period.last}
    rows = ask(system.system_days, column=chosen, today=today, market=market if of_market else "", **days)
    if rows.empty:
        st.caption(_("no data in this period"))
        return
    rows = rows.assign(value=factor * rows["value"])
    names = (rows["subject"].iloc[0],)
    look = Look(
        filters.is_dark(),
        subjects=names,
        highlighted=names,
        unit=f"{_(name)}, {unit}" if unit else _(name),
        show=amount if chosen in ("total_pnl", "total_cost_usd") else number,
        grain="day",
        span=period.span,
    )
    draw(trend, rows, f"system_{chosen}", look=look)
    named = {
        "subject": Column(N_("Market")),
        "period": Column(N_("Day"), "day"),
        "value": Column(f"{_(name)}, {unit}" if unit else name, "small"),
    }
    beside.foot(
        _("days without a value are gaps"), Data(f"system-{chosen}", period, lambda: _told(rows), named)
    )


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(subject=rows["subject"].replace("", _("all")))
