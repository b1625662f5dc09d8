"""Who has which part in a closed trade, and what a day of that came to (docs/metrics.md, "Agents")."""

from datetime import date
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Double,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)

from db.json_entries import entries, number
from db.statistics import true_count
from db.tables.agents import NO_MARKET, TEAM, UNATTRIBUTED, TradeRecord

t = TradeRecord
market: ColumnElement[str] = case((t.market == "", NO_MARKET), else_=t.market)
_days: BindParameter[Any] = bindparam("days", expanding=True)
_closed = (t.day.in_(_days), t.pnl.is_not(None))
BINS = 10
_ONE, _NONE = literal(1.0, Double), cast(null(), Double)


def takes_part(given: Any) -> ColumnElement[bool]:
    """Whether an entry of a trade's contributions counts: what no agent is called, and what is no share, does not."""
    return and_(number(given) > 0, number(given) <= 1, given.c.key.not_in(("", TEAM, UNATTRIBUTED)))


def _parts() -> Any:
    """A row for each agent of each closed trade of these days, and one of the team: day, market, agent, contribution,
    share (of the P&L), pnl, confidence, and for the team of the trade's own decision time and contributions."""
    given = entries(t.agent_contributions, "given")
    amount = number(given)
    found: Any = (
        select(t.id, given.c.key.label("agent"), amount.label("contribution"))
        .join_from(t, given, true())
        .where(*_closed, takes_part(given))
        .cte("found")
    )
    sums: Any = select(found.c.id, func.sum(found.c.contribution).label("total")).group_by(found.c.id)
    sums = sums.cte("sums")
    agents = _part(
        found.c.agent, found.c.contribution, found.c.contribution / sums.c.total, _NONE
    ).select_from(found.join(t, t.id == found.c.id).join(sums, sums.c.id == found.c.id))
    nobody = (
        _part(literal(UNATTRIBUTED), _ONE, _ONE, _NONE)
        .select_from(_with_sums(sums))
        .where(*_closed, sums.c.id.is_(None))
    )
    team = _part(literal(TEAM), _NONE, _ONE, sums.c.total).select_from(_with_sums(sums)).where(*_closed)
    return union_all(agents, nobody, team).subquery("parts")


def _with_sums(sums: Any) -> Any:
    return t.__table__.join(sums, sums.c.id == t.id, isouter=True)


def _part(agent: Any, contribution: Any, share: Any, total: Any) -> Select[Any]:
    return select(
        t.day.label("day"),
        market.label("market"),
        agent.label("agent"),
        contribution.label("contribution"),
        (t.pnl * share).label("mine"),
        t.pnl.label("pnl"),
        t.decision_confidence.label("confidence"),
        t.decision_time_seconds.label("seconds"),
        total.label("total"),
    )


_p = _parts().c
_by = (_p.day, _p.market, _p.agent)
_won = case((_p.pnl > 0, 1.0), else_=0.0)


def _sum(x: Any) -> Any:
    return func.coalesce(func.sum(x), 0.0)


SUMS = select(
    *_by,
    func.count().label("trades"),
    true_count(_p.pnl > 0).label("wins"),
    true_count(_p.pnl < 0).label("losses"),
    func.sum(_p.contribution).label("contribution"),
    _sum(_p.mine).label("pnl"),
    _sum(case((_p.mine > 0, _p.mine))).label("gains"),
    _sum(case((_p.mine < 0, -_p.mine))).label("lost"),
    func.count(_p.confidence).label("confident"),
    func.sum((_p.confidence - _won) * (_p.confidence - _won)).label("brier"),
    func.count(_p.seconds).label("timed"),
    func.sum(_p.seconds).label("seconds"),
    func.sum(_p.total).label("contributed"),
    func.sum(case((_p.pnl > 0, _p.total))).label("contributed_to_wins"),
).group_by(*_by)

# Nine comparisons, since no function that rounds down is the same on every database.
_bin: ColumnElement[int] = literal(0)
for k in range(1, BINS):
    _bin = _bin + case((_p.confidence >= k / BINS, 1), else_=0)

CONFIDENCE = (
    select(
        *_by,
        _bin.label("bin"),
        func.count().label("trades"),
        true_count(_p.pnl > 0).label("wins"),
        func.sum(_p.confidence).label("confidence"),
    )
    .where(_p.confidence.is_not(None))
    .group_by(*_by, _bin)
)

INTERVENED = (
    select(t.day, market.label("market"), func.count().label("n"))
    .where(t.day.in_(_days), t.human_intervened)
    .group_by(t.day, market)
)


def sums(connection: Connection, days: list[date]) -> list[Any]:
    """By day, market and agent ('*': the trades themselves, '(unattributed)': those of nobody): counts and sums."""
    return list(connection.execute(SUMS, {"days": days}).mappings())


def confidence(connection: Connection, days: list[date]) -> list[Any]:
    """By day, market, agent and tenth of confidence: trades, wins and the sum of their confidence."""
    return list(connection.execute(CONFIDENCE, {"days": days}).mappings())


def interventions(connection: Connection, days: list[date]) -> dict[tuple[date, str], int]:
    """By day and market the trades, closed or not, in which a person intervened."""
    return {(row.day, row.market): row.n for row in connection.execute(INTERVENED, {"days": days})}


def trades_of(connection: Connection, days: list[date]) -> int:
    """How many rows these days have."""
    found = select(func.count()).select_from(t).where(t.day.in_(_days))
    return connection.scalar(found, {"days": days}) or 0
