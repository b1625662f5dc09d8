"""An agent's decisions before and after a swap, from the trades themselves."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, and_, func, select, true

from db.json_entries import entries, number
from db.tables.agents import ModelEvolution, TradeRecord
from jobs.attribution import takes_part
from jobs.formulas.swaps import Decisions, decisions

t, m = TradeRecord, ModelEvolution


def sides(connection: Connection, swap: Row[Any]) -> tuple[Decisions, Decisions]:
    """The decisions of its validation period, and of the equally long one before it; both stop at a neighbouring swap.

    P&L is in units of what the agent's trades of that market usually come to, so that markets with other currencies
    may stand side by side; in a single market that changes no rating.
    """
    length = timedelta(days=swap.validation_period_days)
    earlier, later = neighbours(connection, swap)
    first = max(swap.timestamp - length, earlier or swap.timestamp - length)
    last = min(swap.timestamp + length, later or swap.timestamp + length)
    found = connection.execute(_parts(swap.agent_name, first, last)).all()
    usual = _usual(found)
    before, after = (
        [row for row in found if (row.timestamp < swap.timestamp) is early] for early in (True, False)
    )
    return _side(before, usual), _side(after, usual)


def neighbours(connection: Connection, swap: Row[Any]) -> tuple[datetime | None, datetime | None]:
    """When the agent was swapped last before it, and first after it."""
    of_agent = m.agent_name == swap.agent_name
    kind = m.timestamp.type
    before = select(func.max(m.timestamp, type_=kind)).where(of_agent, m.timestamp < swap.timestamp)
    after = select(func.min(m.timestamp, type_=kind)).where(of_agent, m.timestamp > swap.timestamp)
    return connection.scalar(before), connection.scalar(after)


def _parts(agent: str, first: datetime, last: datetime) -> Select[Any]:
    """The agent's part in each closed trade: its contribution, and that of all."""
    given, others = entries(t.agent_contributions, "given"), entries(t.agent_contributions, "others")
    sums = select(func.sum(number(others))).select_from(others)
    total = sums.where(takes_part(others)).correlate(t).scalar_subquery()
    columns = (t.timestamp, t.market, t.pnl, t.decision_confidence.label("confidence"))
    inside = and_(t.timestamp >= first, t.timestamp < last, t.pnl.is_not(None))
    mine = and_(inside, given.c.key == agent, takes_part(given))
    rows = select(*columns, number(given).label("contribution"), total.label("total"))
    return rows.join_from(t, given, true()).where(mine).order_by(t.timestamp, t.id)


def _usual(rows: Any) -> dict[str, float]:
    """What the agent's part in a trade of each market comes to, either way, on average."""
    amounts: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        amounts[row.market].append(abs(_pnl(row)))
    return {market: float(np.mean(found)) or 1.0 for market, found in amounts.items()}


def _side(rows: list[Any], usual: dict[str, float]) -> Decisions:
    won = [np.nan if row.pnl == 0 else float(row.pnl > 0) for row in rows]
    accuracy = [
        np.nan if row.confidence is None else 1 - (row.confidence - (row.pnl > 0)) ** 2 for row in rows
    ]
    return decisions(won, accuracy, [_pnl(row) / usual[row.market] for row in rows])


def _pnl(row: Any) -> float:
    return float(row.pnl * row.contribution / row.total)
