"""kill -9 in the midst of agents' jobs: each day's money is the old or the new, each swap is whole or untouched."""

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, update

from db.clock import business_day, starts_at, utc_now
from db.engine import reading
from db.tables.agents import TEAM, AgentAssignment, AgentPerformance, ModelEvolution, TradeRecord
from soak import sound
from soak.killing import Runs
from soak.source import ROWS, ZONE, Source

AGENTS = ("chart", "news", "risk", "sentiment")
SWAPPED_AGENTS = 40
DECISIONS = 12  # of an agent, before its swap and after it
WEEK = timedelta(weeks=1)

t, a, h, p = TradeRecord, AgentAssignment, ModelEvolution, AgentPerformance


def _same(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9)


def _trade(number: int, at: datetime, pnl: float, given: dict[str, float]) -> dict[str, Any]:
    return {
        "trade_id": f"t{number}",
        "timestamp": at,
        "day": business_day(at, ZONE),
        "market": "KRX",
        "side": "sell",
        "pnl": pnl,
        "agent_contributions": given,
    }


class AgentAggregations(Runs):
    name = "aggregate_agents"

    def __init__(self, engine: Engine, folder: Path, rows: int = ROWS) -> None:
        self.engine, self._source, self._takes = engine, Source(), 1.0
        today = business_day(utc_now(), ZONE)
        noon = [starts_at(today - timedelta(days=1 + k % 60), ZONE) + WEEK / 14 for k in range(rows)]
        given = {name: (k + 1) / 10 for k, name in enumerate(AGENTS)}
        with engine.begin() as connection:
            connection.execute(insert(t), [_trade(k, at, 1.0 + k % 7, given) for k, at in enumerate(noon)])
        self.ask()
        sound.run_all(engine)
        self.measure()

    def prepare(self, turn: int) -> None:
        """Every trade comes to something else."""
        self._held = self._aggregated(TEAM)
        with self.engine.begin() as connection:
            connection.execute(update(t).values(pnl=t.pnl + turn + 1))
        with reading(self.engine) as connection:
            rows = connection.execute(select(t.day, func.sum(t.pnl)).group_by(t.day))
            self._wanted = {day: pnl or 0.0 for day, pnl in rows if day}

    def left(self) -> list[str]:
        """Each day is what it was or what it should be, and its agents' parts are of the same trades."""
        found, parts = self._aggregated(TEAM), self._aggregated(*AGENTS)
        mixed = [
            f"half-made day {day}"
            for day, pnl in found.items()
            if not any(_same(pnl, one.get(day)) for one in (self._held, self._wanted))
        ]
        apart = [
            f"parts of {day} are of other trades" for day in found if not _same(parts.get(day), found[day])
        ]
        return sound.running_after_a_tick(self.engine) + mixed + apart

    def mended(self) -> list[str]:
        found = self._aggregated(TEAM)
        wrong = [
            f"day {day} is not its trades"
            for day in self._wanted
            if not _same(found.get(day), self._wanted[day])
        ]
        return super().mended() + wrong

    def _aggregated(self, *names: str) -> dict[date, float]:
        with reading(self.engine) as connection:
            days = select(p.period_start, func.sum(p.total_pnl_attributed)).group_by(p.period_start)
            rows = connection.execute(days.where(p.period == "day", p.agent_name.in_(names)))
            return {day: float(pnl) for day, pnl in rows if pnl is not None}


class SwapChecks(Runs):
    """Each agent won all before its swap and lost all after it."""

    name = "check_swaps"

    def __init__(self, engine: Engine, folder: Path, rows: int = ROWS) -> None:
        self.engine, self._source, self._takes = engine, Source(), 1.0
        self._swapped = utc_now().replace(microsecond=0) - WEEK - timedelta(hours=1)
        self._agents = [f"agent-{k:02}" for k in range(SWAPPED_AGENTS)]
        with engine.begin() as connection:
            connection.execute(insert(t), list(self._trades()))
        self.measure()

    def _trades(self) -> Iterator[dict[str, Any]]:
        for number in range(SWAPPED_AGENTS * 2 * DECISIONS):
            agent, turn = divmod(number, 2 * DECISIONS)
            at = self._swapped + (turn - DECISIONS + 0.5) * timedelta(hours=6)
            pnl = 10.0 if turn < DECISIONS else -10.0
            yield _trade(number, at, pnl + turn % 3, {self._agents[agent]: 1.0})

    def prepare(self, turn: int) -> None:
        """As if the swaps had been made and nobody had looked at them yet."""
        swap = {
            "timestamp": self._swapped,
            "day": business_day(self._swapped, ZONE),
            "old_model": "m1",
            "new_model": "m2",
            "triggered_by": "manual",
        }
        with self.engine.begin() as connection:
            connection.execute(delete(h))
            connection.execute(delete(a))
            connection.execute(insert(h), [swap | {"agent_name": name} for name in self._agents])
            held = {"model": "m2", "since": self._swapped}
            connection.execute(insert(a), [held | {"agent_name": name} for name in self._agents])

    def left(self) -> list[str]:
        """Each agent is where its history says: on the new model while that is validated, else back on the old one."""
        return sound.running_after_a_tick(self.engine) + self._torn(
            ("validating", "m2", 0), ("rolled_back", "m1", 1)
        )

    def mended(self) -> list[str]:
        return super().mended() + self._torn(("rolled_back", "m1", 1))

    def _torn(self, *whole: tuple[str, str, int]) -> list[str]:
        with reading(self.engine) as connection:
            swaps = select(h.agent_name, h.status).where(h.rolls_back.is_(None))
            status = {row.agent_name: row.status for row in connection.execute(swaps)}
            held = connection.execute(select(a.agent_name, a.model))
            model = {row.agent_name: row.model for row in held}
            backs: defaultdict[str, int] = defaultdict(int)
            for name in connection.scalars(select(h.agent_name).where(h.rolls_back.is_not(None))):
                backs[name] += 1
        found = {name: (status.get(name), model.get(name), backs[name]) for name in self._agents}
        return [f"{name}: {told}" for name, told in found.items() if told not in whole]
