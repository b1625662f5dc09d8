"""The price book applied to calls that are stored already: to those without a cost, and to costs that it gave before.

What was billed is never touched. Triggers mark what changed, so that the aggregations follow.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, func, or_, select, update

from db.engine import raise_data_version, scratch
from db.importing.turns import Turns, tell_wait
from db.price_book import FOUND, cost, looked_up, price_book
from db.progress import QUIET, Progress
from db.tables.usage import LlmUsage
from language import _

u = LlmUsage
STEP = 50_000  # rows of a transaction, at most
_own_price = and_(FOUND.c.provider == u.provider, FOUND.c.model == u.model, FOUND.c.day == u.day)
_cost = cost(u.prompt_tokens, u.completion_tokens, u.cached_tokens)
_changes = and_(_cost.is_not(None), _cost.is_distinct_from(u.cost_usd))


@dataclass(frozen=True)
class Which:
    """The calls that are looked at: of business days, of an agent, and whether also those whose cost was computed."""

    since: date | None = None
    until: date | None = None
    agent: str | None = None
    computed_too: bool = False

    @property
    def condition(self) -> ColumnElement[bool]:
        open_cost = u.cost_usd.is_(None)
        conditions = [or_(open_cost, u.cost_computed) if self.computed_too else open_cost]
        if self.since is not None:
            conditions.append(u.day >= self.since)
        if self.until is not None:
            conditions.append(u.day <= self.until)
        if self.agent is not None:
            conditions.append(u.agent_name == self.agent)
        return and_(*conditions)


@dataclass(frozen=True)
class Recosted:
    """What becomes of the calls of a model: how many there are, how many get another cost, and the sums of these."""

    provider: str
    model: str
    looked_at: int
    rows: int
    before: float
    after: float

    def __str__(self) -> str:
        told = _("{provider} {model}: {rows} of {all} rows, ${before} → ${after}")
        counts = {"rows": f"{self.rows:,}", "all": f"{self.looked_at:,}"}
        names = {"provider": self.provider or _("unknown"), "model": self.model or _("unknown")}
        return told.format(**names, **counts, before=f"{self.before:,.4f}", after=f"{self.after:,.4f}")


def preview(engine: Engine, which: Which) -> list[Recosted]:
    """What `apply` would change, model by model; writes nothing."""
    changed = func.count().filter(_changes)
    before = func.coalesce(func.sum(u.cost_usd).filter(_changes), 0.0)
    after = func.coalesce(func.sum(_cost).filter(_changes), 0.0)
    sums = select(u.provider, u.model, func.count(), changed, before, after).select_from(u)
    sums = sums.outerjoin(FOUND, _own_price).where(which.condition).group_by(u.provider, u.model)
    with scratch(engine) as connection, _priced(connection, which.condition):
        return [Recosted(*row) for row in connection.execute(sums.order_by(u.provider, u.model))]


def apply(engine: Engine, which: Which, now: datetime, progress: Progress = QUIET) -> int:
    """Gives the calls their cost, in steps each of which may be repeated; returns how many got another one."""
    low = done = 0
    with engine.connect() as connection:
        connection.execution_options(readonly=True)
        with connection.begin():
            last: int = connection.scalar(select(func.max(u.id))) or 0
        tell_wait(connection, progress)
        connection.execution_options(readonly=False)
        with Turns(connection, STEP).taken() as turns:
            while low < last:
                with turns.turn():
                    high = connection.scalar(_end_of_step(which, low, turns.rows)) or last
                    written = _apply_step(connection, and_(which.condition, u.id > low, u.id <= high), now)
                    if written:
                        raise_data_version(connection)
                low, done = high, done + written
                progress(done)
    return done


def _end_of_step(which: Which, low: int, rows: int) -> Select[Any]:
    step = select(u.id).where(which.condition, u.id > low).order_by(u.id).limit(rows).subquery()
    return select(func.max(step.c.id))


def _apply_step(connection: Connection, inside: ColumnElement[bool], now: datetime) -> int:
    with _priced(connection, inside):
        values = {"cost_usd": _cost, "cost_computed": True, "updated_at": now}
        changed = update(u).where(inside, _own_price, _changes).values(values)
        options = {"synchronize_session": False}
        return connection.execute(changed, execution_options=options).rowcount


def _priced(connection: Connection, condition: ColumnElement[bool]) -> AbstractContextManager[None]:
    """FOUND holds the prices of such calls."""
    rows = connection.execute(select(u.provider, u.model, u.day).where(condition).distinct())
    wanted = [(provider, model, day) for provider, model, day in rows if day is not None]
    return looked_up(connection, price_book(connection), wanted)
