"""Which model an agent runs on: swap, validation and rollback, each with the assignment in one transaction."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Engine, Row, Table, func, insert, select, update

from db.assignment_lock import lock_assignments
from db.clock import business_day
from db.engine import writing
from db.errors import Refused
from db.importing.agent_specs import agent_and_model
from db.importing.cells import Rejected, Surroundings
from db.resting import resting_until
from db.tables.agents import AgentAssignment, ModelEvolution
from db.upsert import upsert_rows
from jobs.formulas.swaps import BY_HAND, INCONCLUSIVE, KEPT, ROLLED_BACK, Judged
from language import _

LONGEST_REASON = 2_000

history: Table = ModelEvolution.__table__  # type: ignore[assignment]
assignments: Table = AgentAssignment.__table__  # type: ignore[assignment]
h = history.c


def swap(engine: Engine, agent: str, to: tuple[str, str], reason: str, now: datetime, zone: ZoneInfo) -> int:
    """A swap by hand to (provider, model): assignment and history; returns its id. Raises Refused."""
    reason = _given(reason)
    agent, provider, model = _named(agent.strip(), to[0].strip(), to[1].strip(), Surroundings(zone, now))
    with writing(engine) as connection:
        lock_assignments(connection)
        was = assigned(connection, agent)
        if was == (provider, model):
            raise Refused(_("{agent} runs on {model} already.").format(agent=agent, model=model), status=2)
        rested = resting_until(connection, agent, now)
        if rested:
            day = business_day(rested, zone)
            raise Refused(
                _("{agent} was rolled back and rests until {day}; swap it then.").format(agent=agent, day=day)
            )
        return _record(connection, agent, was, (provider, model), reason, now, zone, "manual", "validating")


def roll_back(engine: Engine, number: int, reason: str, now: datetime, zone: ZoneInfo) -> int:
    """Takes a swap back by hand: its agent gets the model from before it; returns the id of the new row."""
    reason = _given(reason)
    with writing(engine) as connection:
        lock_assignments(connection)
        row = connection.execute(select(history).where(h.id == number)).one_or_none()
        if row is None or row.rolls_back is not None or row.status == ROLLED_BACK:
            raise Refused(_("There is no swap {n} that could be rolled back.").format(n=number), status=2)
        if not is_in_force(connection, row):
            raise Refused(
                _("{agent} was swapped again after that; roll back the newest swap.").format(
                    agent=row.agent_name
                )
            )
        if not row.old_model:
            raise Refused(
                _("What {agent} ran on before that swap is not known.").format(agent=row.agent_name)
            )
        known = {"status": ROLLED_BACK, "verdict": BY_HAND, "updated_at": now}
        known["validated_at"] = row.validated_at or now
        connection.execute(update(history).where(h.id == number).values(known))
        return take_back(connection, row, reason, "manual", now, zone)


def settle(
    connection: Connection, row: Row[Any], judged: Judged, counts: tuple[int, int], now: datetime
) -> bool:
    """Gives a validated swap its status; False where somebody else did meanwhile."""
    values = {
        "status": judged.status,
        "verdict": judged.verdict,
        "validated_at": now,
        "observed_change": _number(judged.change),
        "performance_improvement": _number(judged.change),
        "decisions_before": counts[0],
        "decisions_after": counts[1],
        "rating_before": _number(judged.before),
        "rating_after": _number(judged.after),
        "difference_low": _number(judged.low),
        "difference_high": _number(judged.high),
        "updated_at": now,
    }
    waiting = update(history).where(h.id == row.id, h.status == "validating")
    return connection.execute(waiting.values(values)).rowcount == 1


def take_back(
    connection: Connection, row: Row[Any], reason: str, by: str, now: datetime, zone: ZoneInfo
) -> int:
    """The agent gets the model from before the swap, and the history a row that is never validated itself."""
    was, back = (row.new_provider, row.new_model), (row.old_provider, row.old_model)
    return _record(
        connection, row.agent_name, was, back, reason, now, zone, by, KEPT, rolls_back=row.timestamp
    )


def left_alone(judged: Judged, why: str) -> Judged:
    """What a swap gets that should be taken back and cannot be."""
    return replace(judged, status=INCONCLUSIVE, verdict=why) if judged.status == ROLLED_BACK else judged


def is_in_force(connection: Connection, row: Row[Any]) -> bool:
    """Whether the agent still runs on what the swap gave it."""
    newest = select(func.max(h.timestamp, type_=h.timestamp.type)).where(h.agent_name == row.agent_name)
    if connection.scalar(newest) != row.timestamp:
        return False
    return assigned(connection, row.agent_name) in (None, (row.new_provider, row.new_model))


def assigned(connection: Connection, agent: str) -> tuple[str, str] | None:
    """Provider and model that an agent runs on; None where that is not known."""
    a = assignments.c
    found = connection.execute(select(a.provider, a.model).where(a.agent_name == agent)).one_or_none()
    return (found.provider, found.model) if found else None


def _record(
    connection: Connection,
    agent: str,
    was: tuple[str, str] | None,
    to: tuple[str, str],
    reason: str,
    now: datetime,
    zone: ZoneInfo,
    by: str,
    status: str,
    rolls_back: datetime | None = None,
) -> int:
    old = was or ("", "")
    row = {
        "timestamp": now,
        "day": business_day(now, zone),
        "agent_name": agent,
        "old_provider": old[0],
        "old_model": old[1],
        "new_provider": to[0],
        "new_model": to[1],
        "reason": reason,
        "triggered_by": by,
        "status": status,
        "rolls_back": rolls_back,
        "updated_at": now,
    }
    number = connection.execute(insert(history).values(row).returning(h.id)).scalar_one()
    held = {"agent_name": agent, "provider": to[0], "model": to[1], "since": now, "updated_at": now}
    upsert_rows(connection, assignments, ("agent_name",), [held])
    return int(number)


def _named(agent: str, provider: str, model: str, where: Surroundings) -> tuple[str, str, str]:
    """The names as an import would take them; raises Refused."""
    if not agent or not model:
        raise Refused(_("A swap needs an agent and a model."), status=2)
    try:
        return agent_and_model(agent, provider, model, where)
    except Rejected as rejected:
        raise Refused(str(rejected), status=2) from None


def _given(reason: str) -> str:
    reason = " ".join(reason.replace("\0", "").split())
    if not reason:
        raise Refused(_("Say why: a swap or a rollback by hand needs a reason."), status=2)
    return reason[:LONGEST_REASON]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
