"""Whether calls are worth their cost: cost per winning decision, rating against cost, and the month's budget."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from dashboard import beside, filters
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import agents, ask, derive, swaps, usage
from dashboard.drawing import draw
from dashboard.period import Period
from jobs.formulas.budget import month_of, pace
from language import N_, _
from reports.charts.look import Look
from reports.charts.money import dollars
from reports.charts.trend import trend
from reports.charts.worth import worth
from reports.swap_words import model_name
from settings import current

WORTH = {
    "subject": Column(N_("Agent")),
    "model": Column(N_("Model")),
    "decisions": Column(N_("Decisions"), "count"),
    "wins": Column(N_("Wins"), "count"),
    "cost_usd": Column(N_("Cost, $"), "small"),
    "per_decision": Column(N_("Cost per decision, $"), "small"),
    "per_win": Column(N_("Cost per winning decision, $"), "small"),
    "rating": Column(N_("Rating, 0–100"), "figure"),
}
MONTH = {
    "subject": Column(N_("Line")),
    "period": Column(N_("Day"), "day"),
    "value": Column(N_("Cost so far, $"), "small"),
}


def rating_against_cost(period: Period) -> None:
    """An agent a point: what a decision costs, and how well it does."""
    rows = derive(_worth, since=period.first, until=period.last)
    st.markdown(
        f"**{_('Rating against cost per decision')}**",
        help=_(
            "The cost of an agent's LLM calls by the closed trades that it took part in, over all markets, and its "
            "rating there. Up and to the left is better."
        ),
    )
    known = rows[rows["per_decision"].notna() & rows["rating"].notna()]
    if known.empty:
        st.caption(_("No agent has both calls with a cost and closed trades in this period."))
        return
    draw(worth, known, "worth", look=Look(filters.is_dark(), unit=_("rating, 0–100")))
    told = _("cost per winning decision is in the table")
    beside.foot(told, Data("cost-per-decision", period, lambda: rows, WORTH))


def month(today: date) -> None:
    """What this month cost so far, what it will have cost at its end, and the budget."""
    rows, spent, end = derive(_month, today=today)
    budget = current().monthly_budget_usd
    last = month_of(today)[1]
    st.markdown(
        f"**{_('This month')}**",
        help=_(
            "The days to come at what is usual for their weekday over the last 28 days; the budget is the setting "
            "MONTHLY_BUDGET_USD."
        ),
    )
    told = _("{spent} $ so far, {end} $ at the end as things go").format(
        spent=dollars(spent), end=dollars(end)
    )
    st.markdown(f"{_verdict(spent, end, budget)} :small[{told}]".strip())
    look = Look(
        filters.is_dark(),
        subjects=(_("spent"), _("as things go")),
        highlighted=(_("spent"), _("as things go")),
        unit=_("cost so far, $"),
        low=0.0,
        show=dollars,
        grain="day",
        span=(today.replace(day=1), last),
    )
    draw(trend, rows, "month", look=look, targets=(budget,) if budget else ())
    data = Data("month", Period(today.replace(day=1), last, "day"), lambda: rows, MONTH)
    beside.foot(_("line: the budget") if budget else _("no budget is set: MONTHLY_BUDGET_USD"), data)


def _verdict(spent: float, end: float, budget: float | None) -> str:
    if budget is None:
        return ""
    if spent > budget:
        return f":red-badge[:material/close: {_('over budget')}]"
    if end > current().budget_warning * budget:
        word = _("will go over budget") if end > budget else _("close to the budget")
        return f":orange-badge[:material/priority_high: {word}]"
    return f":green-badge[:material/check: {_('within budget')}]"


def _worth(since: date, until: date) -> pd.DataFrame:
    trades = ask(agents.over_markets, since=since, until=until).set_index("agent_name")
    costs = ask(usage.totals, since=since, until=until, dimensions=("agent_name",)).set_index("agent_name")[
        "cost_usd"
    ]
    runs_on = ask(swaps.assignments).set_index("agent_name")
    table = trades.join(costs)
    models = [
        model_name(str(runs_on.at[name, "provider"]), str(runs_on.at[name, "model"]))
        if name in runs_on.index
        else None
        for name in table.index
    ]
    table = table.assign(
        model=pd.Series(models, index=table.index, dtype=object),
        per_decision=table["cost_usd"] / table["decisions"].where(table["decisions"] > 0),
        per_win=table["cost_usd"] / table["wins"].where(table["wins"] > 0),
    )
    return table.reset_index(names="subject").sort_values("per_decision", ignore_index=True)


def _month(today: date) -> tuple[pd.DataFrame, float, float]:
    """Cost added up by day, and as things go; what was spent, and what it will be."""
    first, _last = month_of(today)
    back = ask(usage.cost_by_day, first=first - timedelta(days=31), last=today)
    costs = dict(zip(back["date"], back["cost_usd"], strict=True))
    spent, lines = 0.0, []
    for k in range((today - first).days + 1):
        day = first + timedelta(days=k)
        spent += costs.get(day, 0.0)
        lines.append({"subject": _("spent"), "period": day, "value": spent})
    to_come = pace(costs, today)
    ahead = [{"subject": _("as things go"), "period": today, "value": spent}]
    ahead += [{"subject": _("as things go"), "period": day, "value": spent + more} for day, more in to_come]
    rows = pd.DataFrame(lines + ahead)
    return rows, spent, spent + (to_come[-1][1] if to_come else 0.0)
