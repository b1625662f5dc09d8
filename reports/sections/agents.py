"""Agents in the weekly digest: what was won and lost, what calls of models cost, and what swaps came to."""

from datetime import timedelta
from typing import Any

from db.clock import starts_at
from db.metrics import METRICS
from db.queries import agents, swaps, usage
from language import _, ngettext
from reports.blocks import Block, Heading, Line, Picture, Span, Text
from reports.charts.look import Look
from reports.charts.money import amount, dollars
from reports.charts.trend import trend
from reports.context import Context
from reports.pictures import drawn
from reports.swap_words import STATUSES
from reports.wording import brief, figure, span

WINS, FAILED = METRICS["win_rate"], "failure_rate"
WEEKS, HEIGHT, NAMED, MARKETS, LETTERS = 12, 280, 4, 3, 40


def section(context: Context) -> list[Block]:
    """Nothing where neither the week nor the one before it had closed trades or calls."""
    lines = [*_markets(context), *_calls(context), *_swaps(context)]
    if not lines:
        return []
    title: Line = [Span(_("Agents"), bold=True)]
    return [Heading(title), Text(lines), *_picture(context)]


def _markets(context: Context) -> list[Line]:
    """P&L and win rate of the trades of each market, beside those of the week before; and who won and lost most."""
    found: list[Line] = []
    for market in agents.markets(context.connection):
        if len(found) == MARKETS:
            break
        now, before = (
            agents.contributions(context.connection, days["since"], days["until"], market)
            for days in (context.days, context.days_before)
        )
        if now.empty and before.empty:
            continue
        mine, earlier = (_team(rows) for rows in (now, before))
        told = _(": P&L {pnl} (before {before}), wins {rate} (before {rate_before}, n = {n})").format(
            pnl=_money(mine, "total_pnl_attributed"),
            before=_money(earlier, "total_pnl_attributed"),
            rate=figure(mine.get("win_rate"), WINS),
            rate_before=figure(earlier.get("win_rate"), WINS),
            n=f"{int(mine.get('decided', 0)):,}",
        )
        found.append([Span(brief(market, LETTERS)), told, *_ends(now)])
    return found


def _ends(rows: Any) -> list[str | Span]:
    mine = rows[~rows["agent_name"].isin([agents.EVERYBODY, agents.NOBODY])]
    if len(mine) < 2:
        return []
    first, last = mine.iloc[0], mine.iloc[-1]
    return [
        _("; most "),
        Span(brief(first["agent_name"], LETTERS)),
        f" {amount(first['total_pnl_attributed'])}",
        _(", least "),
        Span(brief(last["agent_name"], LETTERS)),
        f" {amount(last['total_pnl_attributed'])}",
    ]


def _team(rows: Any) -> dict[str, Any]:
    found = rows[rows["agent_name"] == agents.EVERYBODY].to_dict("records")
    return found[0] if found else {}


def _money(row: dict[str, Any], name: str) -> str:
    return amount(row[name]) if name in row else "–"


def _calls(context: Context) -> list[Line]:
    """Calls, their cost and how many failed, beside the week before."""
    now, before = (
        usage.totals(context.connection, days["since"], days["until"], ()).to_dict("records")
        for days in (context.days, context.days_before)
    )
    (mine,), (earlier,) = now, before
    if not mine["calls"] > 0 and not earlier["calls"] > 0:
        return []
    told = _("LLM calls: {n} (before {n_before}), {cost} $ (before {cost_before} $)").format(
        n=f"{_count(mine['calls']):,}",
        n_before=f"{_count(earlier['calls']):,}",
        cost=_cost(mine["cost_usd"]),
        cost_before=_cost(earlier["cost_usd"]),
    )
    if mine[FAILED] == mine[FAILED]:
        told += _(", {failed}% failed").format(failed=f"{mine[FAILED]:.1f}")
    return [[told]]


def _count(n: float) -> int:
    return int(n) if n == n else 0


def _cost(cost: float) -> str:
    return dollars(cost) if cost == cost else "–"


def _swaps(context: Context) -> list[Line]:
    """What became of the swaps that were validated in the week."""
    zone = context.settings.zone
    first, last = (starts_at(day, zone) for day in (context.week, context.week + timedelta(days=7)))
    found = swaps.validated(context.connection, first, last)
    if not found:
        return []
    n = sum(found.values())
    count = ngettext("{n} swap validated", "{n} swaps validated", n)
    told = ", ".join(f"{number} {_(STATUSES[status])}" for status, number in sorted(found.items()))
    return [[f"{count}: {told}"]]


def _picture(context: Context) -> list[Picture]:
    """P&L of the agents since the first of twelve weeks, in the market with most trades."""
    markets = agents.markets(context.connection)
    if not context.pictures or not markets:
        return []
    first, last = context.week - timedelta(weeks=WEEKS - 1), context.week + timedelta(days=6)
    over = last + timedelta(days=1)
    rows = agents.money_over_time(context.connection, first, last, "week", over, markets[0])
    rows = rows[~rows["agent_name"].isin([agents.EVERYBODY, agents.NOBODY])]
    if rows.empty:
        return []
    rows = rows.rename(columns={"agent_name": "subject", "total": "value"})
    most = set(rows.groupby("subject")["value"].last().abs().nlargest(NAMED).index)
    names = agents.agents(context.connection)
    chosen = [name for name in names if name in most]
    rows = rows[rows["subject"].isin(most)]
    look = Look(dark=False, subjects=names, highlighted=chosen, span=(first, last), show=amount)
    told = _("P&L of agents in {market}, {span}: {agents}.").format(
        market=markets[0], span=span(first, last), agents=", ".join(chosen)
    )
    subtitle = _("added up since the first week, {market}").format(market=brief(markets[0], LETTERS))
    return [drawn(trend(rows, look, height=HEIGHT), "agents", _("P&L by agent"), subtitle, told)]
