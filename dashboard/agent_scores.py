"""How good agents' decisions are: win rates, confidence, and who does worse than the team without him."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, columns, filters, pickers
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import agents, ask, derive
from dashboard.drawing import draw
from dashboard.period import Period
from dashboard.wording import plain
from db.metrics import METRICS
from language import N_, _, ngettext
from reports.agent_words import why_underperforming
from reports.charts.confidence import confidence as confidence_chart
from reports.charts.look import Look
from reports.charts.rates import percent
from reports.charts.rates import rates as rates_chart
from reports.wording import span
from settings import current

WINS = METRICS["win_rate"]
BARS, LOSING = 24, 6
CONFIDENCE = {
    "bin_name": Column(N_("Confidence, %")),
    "n": Column(N_("n"), "count"),
    "wins": Column(N_("Wins"), "count"),
    "said_percent": Column(N_("Mean confidence, %"), "figure"),
    "won_percent": Column(N_("Won, %"), "figure"),
    "low_percent": Column(N_("95% from"), "figure"),
    "high_percent": Column(N_("95% to"), "figure"),
}


def shown_in_words(market: str, period: Period, days: str) -> str:
    """What the page shows: which market, how many agents, of which days, by which step, in which zone."""
    return _("{market} · {agents} · {span}, {grain} · {zone}").format(
        market=plain(market),
        agents=ngettext("{n} agent", "{n} agents", _there(market, period)),
        span=days,
        grain=_("weekly") if period.grain == "week" else _("daily"),
        zone=current().timezone,
    )


def _there(market: str, period: Period) -> int:
    rows = ask(agents.contributions, since=period.first, until=period.last, market=market)
    return int((~rows["agent_name"].isin([agents.EVERYBODY, agents.NOBODY])).sum())


def win_rates(market: str, period: Period) -> None:
    """A rate per agent over the period, with its interval, n and the period before."""
    rows = derive(_rates, market=market, days=period.span, before=period.before.span)
    st.markdown(f"**{_(WINS.label)}**", help=_(WINS.definition))
    if rows.empty:
        st.caption(_("no trade was won or lost in this period"))
        return
    names = tuple(ask(agents.agents))
    look = Look(filters.is_dark(), subjects=names, unit=_(WINS.unit), show=percent)
    draw(rates_chart, rows.head(BARS).rename(columns={"value": "rate"}), "win_rates", look=look)
    told = [_("bar: 95% interval (Wilson)")]
    if rows["previous"].notna().any():
        told.append(_("tick: {span}").format(span=span(*period.before.span)))
    named = columns.of_metric(WINS) | {"subject": Column(N_("Agent"))}
    named |= {"previous": Column(N_("Period before"), "figure")}
    beside.foot(" · ".join(told), Data(f"win-rate-{market}", period, lambda: rows, named))


def confidence(market: str, period: Period) -> None:
    """Whether trades won as often as they were confident to."""
    days: dict[str, Any] = {"since": period.first, "until": period.last, "market": market}
    everybody = {agents.EVERYBODY: _("all trades")} | {name: name for name in ask(agents.agents)}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{_('Confidence and wins')}**",
            help=_(
                "Trades by how confident the decision was, in tenths, against how many of them won. On the dashed "
                "line confidence is honest; below it, it is too high."
            ),
            width="stretch",
        )
        agent = pickers.agent(everybody)
    rows = ask(agents.confidence, agent=agent, **days)
    if rows.empty:
        st.caption(_("no closed trade with a confidence in this period"))
        return
    draw(confidence_chart, rows, "confidence", look=Look(filters.is_dark(), unit=_("won, %")))
    told = _("number: trades · bar: 95% interval (Wilson) · dashed: as confident as right")
    beside.foot(told, Data(f"confidence-{market}", period, lambda: _in_percent(rows), CONFIDENCE))


def underperforming(market: str, until: date) -> None:
    """Who loses money and wins clearly less often than the others, over 30 days, with the reason."""
    rows = ask(agents.underperformers, until=until)
    rows = rows[rows["market"] == market].sort_values("total_pnl_attributed")
    told = _(
        "Over the 30 days to {day}, per market: at least 10 trades, money lost, and a win rate whose 95 % interval "
        "lies below that of the team without the agent."
    )
    st.markdown(f"**{_('Underperforming')}**", help=told.format(day=until.isoformat()))
    if rows.empty:
        st.markdown(f":green-badge[:material/check: {_('nobody')}] :small[{_('over the last 30 days')}]")
    for row in rows.head(LOSING).to_dict("records"):
        chip = f":orange-badge[:material/priority_high: {_('underperforming')}]"
        st.markdown(
            f"{chip} **{plain(row['agent_name'])}**  \n:small[:gray[{plain(why_underperforming(row))}]]"
        )
    if (more := len(rows) - LOSING) > 0:
        st.caption(ngettext("{n} more", "{n} more", more))


def _rates(market: str, days: tuple[date, date], before: tuple[date, date]) -> pd.DataFrame:
    now, earlier = (
        ask(agents.contributions, since=since, until=until, market=market) for since, until in (days, before)
    )
    known = now[(now["decided"] > 0) & ~now["agent_name"].isin([agents.EVERYBODY, agents.NOBODY])]
    rows = known.rename(
        columns={"agent_name": "subject", "win_rate": "value", "decided": "n", "wins": "part"}
    )
    previous = earlier.set_index("agent_name")["win_rate"].reindex(rows["subject"]).to_numpy()
    wanted = rows[["subject", "value", "low", "high", "n", "part"]].assign(previous=previous)
    return wanted.sort_values(["value", "subject"], ascending=[False, True], ignore_index=True)


def _in_percent(rows: pd.DataFrame) -> pd.DataFrame:
    shares = {f"{name}_percent": 100 * rows[name] for name in ("said", "won", "low", "high")}
    names = [f"{10 * int(k)}–{10 * int(k) + 10}" for k in rows["bin"]]
    return rows.assign(bin_name=names, **shares)
