"""Who won and who lost money: the attribution that sums to the trades, and how it came about."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard import beside, filters, pickers
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import agents, ask, derive, swaps, usage
from dashboard.drawing import draw
from dashboard.period import Period
from dashboard.wording import plain
from db.clock import week_start
from language import N_, _, ngettext
from reports.charts.look import Look
from reports.charts.money import amount, dollars, money
from reports.charts.trend import trend
from reports.subjects import segment_name
from settings import current

BARS, GHOSTS = 20, 40
NAMES = {agents.EVERYBODY: N_("all trades"), agents.NOBODY: N_("(nobody)")}
ATTRIBUTION = {
    "subject": Column(N_("Agent")),
    "total_decisions": Column(N_("Trades"), "count"),
    "wins": Column(N_("Wins"), "count"),
    "losses": Column(N_("Losses"), "count"),
    "win_rate": Column(N_("Win rate, %"), "figure"),
    "avg_contribution_score": Column(N_("Mean contribution"), "small"),
    "total_pnl_attributed": Column(N_("P&L"), "small"),
    "attributed_gains": Column(N_("Gains"), "small"),
    "attributed_losses": Column(N_("Losses in money"), "small"),
    "cost_usd": Column(N_("LLM cost, US dollars"), "small"),
    "net": Column(N_("P&L less LLM cost"), "small"),
    "confidence_accuracy": Column(N_("Confidence accuracy, 0–1"), "small"),
    "performance_rating": Column(N_("Rating, 0–100"), "figure"),
}
OVER_TIME = {
    "agent_name": Column(N_("Agent")),
    "period": Column(N_("From"), "day"),
    "pnl": Column(N_("P&L"), "small"),
    "total": Column(N_("P&L since the start"), "small"),
}


def attribution(market: str, period: Period) -> None:
    """A bar an agent, and below them the trades themselves, which they sum to."""
    table = derive(_attributed, market=market, since=period.first, until=period.last)
    st.markdown(
        f"**{_('Who won and lost money in {market}').format(market=plain(market))}**",
        help=_(
            "Each closed trade's P&L is shared among the agents that took part in it, by their contributions. What "
            "nobody contributed to is (nobody); together it is the P&L of the trades."
        ),
    )
    if table.empty:
        st.caption(_("no closed trade in this period"))
        return
    by_net = market in current().usd_markets
    value = "net" if by_net else "total_pnl_attributed"
    shown = _most(table, value).assign(total=lambda rows: rows["agent_name"] == agents.EVERYBODY)
    shown = shown.rename(columns={value: "value", "total_decisions": "n"})
    look = Look(
        filters.is_dark(), unit=_("P&L less LLM cost") if by_net else _("P&L, in the market's currency")
    )
    draw(money, shown[["subject", "value", "n", "total"]], "attribution", look=look)
    rows = [_reconciled(table), *([_cost_told(table)] if by_net else [])]
    if len(shown) < len(table):
        rows.insert(
            0,
            ngettext("{n} agent more in the table", "{n} agents more in the table", len(table) - len(shown)),
        )
    data = Data(f"attribution-{market}", period, lambda: table, ATTRIBUTION)
    beside.foot(" · ".join(rows), data)


def over_time(market: str, period: Period, today: date) -> None:
    """P&L added up since the period began; those that moved most in colour."""
    days = {"since": period.first, "until": period.last}
    rows = derive(_added_up, market=market, grain=period.grain, today=today, **days)
    title = _("P&L since {day}, by agent")
    st.markdown(f"**{title.format(day=period.first.isoformat())}**")
    names = ask(agents.agents)
    ends = rows.groupby("subject")["value"].last().abs() if len(rows) else pd.Series(dtype=float)
    chosen = set(ends.nlargest(pickers.HIGHLIGHTS).index)
    look = Look(
        filters.is_dark(),
        subjects=tuple(names),
        highlighted=tuple(name for name in names if name in chosen),
        unit=_("P&L"),
        show=amount,
        grain=period.grain,
        span=period.span,
    )
    swapped = derive(
        _swapped, since=period.first, until=period.last, grain=period.grain, shown=look.highlighted
    )
    drawn = rows if len(ends) <= GHOSTS else rows[rows["subject"].isin(look.highlighted)]
    draw(trend, drawn, "money", look=look, events=swapped)
    data = Data(f"pnl-{market}", period, lambda: _as_table(rows), OVER_TIME)
    told = [_("in colour: those that moved most"), *([_("◆ their swaps")] if len(swapped) else [])]
    beside.foot(" · ".join(told), data)


def _swapped(since: date, until: date, grain: str, shown: tuple[str, ...]) -> pd.DataFrame:
    """The swaps of these agents as events."""
    rows = ask(swaps.days_of_swaps, since=since, until=until)
    rows = rows[rows["agent_name"].isin(shown)]
    days = [week_start(day) if grain == "week" else day for day in rows["day"]]
    labels = [f"{row['agent_name']} → {row['new_model']}" for row in rows.to_dict("records")]
    return pd.DataFrame({"period": days, "kind": "swap", "label": labels})


def _attributed(market: str, since: date, until: date) -> pd.DataFrame:
    """The agents, whoever gained most first, then what nobody did, then the trades; with the costs of their calls."""
    rows = ask(agents.contributions, since=since, until=until, market=market)
    last = {agents.NOBODY: 1, agents.EVERYBODY: 2}
    order = rows["agent_name"].map(last).fillna(0)
    rows = rows.assign(order=order).sort_values("order", kind="stable", ignore_index=True)
    known = _costs_here(rows.set_index("agent_name")["total_decisions"], since, until)
    rows["cost_usd"] = rows["agent_name"].map(known)
    rows.loc[rows["agent_name"] == agents.EVERYBODY, "cost_usd"] = known.reindex(rows["agent_name"]).sum(
        min_count=1
    )
    if market in current().usd_markets:
        rows["net"] = rows["total_pnl_attributed"] - rows["cost_usd"].fillna(0)
    subjects = [_(NAMES[name]) if name in NAMES else segment_name(name) for name in rows["agent_name"]]
    return rows.assign(subject=subjects).drop(columns="order")


def _costs_here(decisions: "pd.Series[float]", since: date, until: date) -> "pd.Series[float]":
    """What each agent's calls cost by its share of decisions in this market: no dollar is taken off twice."""
    costs = ask(usage.totals, since=since, until=until, dimensions=("agent_name",)).set_index("agent_name")
    everywhere = ask(agents.over_markets, since=since, until=until).set_index("agent_name")["decisions"]
    share = decisions / everywhere.reindex(decisions.index)
    return costs["cost_usd"].reindex(decisions.index) * share


def _most(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """Those that moved most, in their order; the sum always."""
    whole = table["agent_name"].isin(NAMES)
    mine = table[~whole].sort_values(value, ascending=False, kind="stable")
    kept = mine[value].abs().nlargest(BARS).index
    return pd.concat([mine[mine.index.isin(kept)], table[whole]])


def _cost_told(table: pd.DataFrame) -> str:
    """What came off the bars."""
    cost = table["cost_usd"][table["agent_name"] == agents.EVERYBODY].sum()
    told = _(
        "off it: {cost} $ of LLM calls, by each agent's share of decisions; not those of agents without trades"
    )
    return told.format(cost=dollars(float(cost)))


def _reconciled(table: pd.DataFrame) -> str:
    """That what the agents have is what the trades made."""
    is_team = table["agent_name"] == agents.EVERYBODY
    pnl = table["total_pnl_attributed"].astype(float)
    agents_have, made = float(pnl[~is_team].sum()), float(pnl[is_team].sum())
    moved = float((table["attributed_gains"] + table["attributed_losses"])[is_team].sum())
    told = _("P&L reconciled: agents {agents}, trades {trades}, difference {difference}")
    difference = agents_have - made
    if abs(difference) <= 1e-9 * moved:
        difference = 0.0
    return told.format(agents=amount(agents_have), trades=amount(made), difference=amount(difference))


def _added_up(market: str, grain: str, today: date, since: date, until: date) -> pd.DataFrame:
    asked = {"since": since, "until": until, "grain": grain, "today": today, "market": market}
    rows = ask(agents.money_over_time, **asked)
    rows = rows[~rows["agent_name"].isin(NAMES)]
    return rows.rename(columns={"agent_name": "subject", "total": "value"})


def _as_table(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.rename(columns={"subject": "agent_name", "value": "total"})
