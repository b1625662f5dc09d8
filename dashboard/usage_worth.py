"""Whether calls are worth their cost: cost per winning decision, rating against cost, and the month's budget."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard import beside, filters
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import agent_models, ask, budgets, derive
from dashboard.drawing import draw
from dashboard.period import Period
from jobs.formulas.budget import month_of
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
    "period": Column(N_("Day"), "day"),
    "value": Column(N_("Cost so far, $"), "small"),
    "unfinished": Column(N_("As things go"), "flag"),
}


def rating_against_cost(period: Period) -> None:
    """A point for each agent and model: what a decision costs, and how well it does."""
    rows = derive(_worth, since=period.first, until=period.last)
    st.markdown(
        f"**{_('Rating against cost per decision')}**",
        help=_(
            "The cost of an agent's LLM calls by the closed trades that it took part in, over all markets, and its "
            "rating there, for each model that it ran on. Up and to the left is better."
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
    rows, known = derive(_lines, today=today), ask(budgets.month_course, today=today)
    spent, end = known.now, known.end
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
        subjects=(_("as things go"),),
        highlighted=(_("as things go"),),
        unit=_("cost so far, $"),
        low=0.0,
        high=1.15 * max(end, budget or 0.0) or None,  # room for what stands above the budget's line
        show=dollars,
        grain="day",
        span=(today.replace(day=1), last),
    )
    draw(trend, rows, "month", look=look, targets=(budget,) if budget else ())
    data = Data("month", Period(today.replace(day=1), last, "day"), lambda: rows, MONTH)
    beside.foot(
        _("dashed: to come · line: the budget")
        if budget
        else _("dashed: to come · no budget is set: MONTHLY_BUDGET_USD"),
        data,
    )


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
    """An agent on a model a row; the cheapest decision first."""
    zone = current().zone
    rows = ask(agent_models.by_model, since=since, until=until, zone=zone.key).rename(
        columns={"agent_name": "subject"}
    )
    names = [model_name(*pair) for pair in zip(rows["provider"], rows["model"], strict=True)]
    rows = rows.assign(
        model=names,
        per_decision=rows["cost_usd"] / rows["decisions"].where(rows["decisions"] > 0),
        per_win=rows["cost_usd"] / rows["wins"].where(rows["wins"] > 0),
    )
    return rows.sort_values(["per_decision", "subject"], ignore_index=True)


def _lines(today: date) -> pd.DataFrame:
    """Cost added up by day, and as things go."""
    known = ask(budgets.month_course, today=today)
    days = [*known.spent, *known.ahead[1:]]
    rows = [{"period": day, "value": total, "unfinished": day > today} for day, total in days]
    return pd.DataFrame(rows).assign(subject=_("as things go"))
