"""What pages ask of model_evolution_history and agent_assignments."""

from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, func, select

from db.queries.frames import frame
from db.tables.agents import AgentAssignment, ModelEvolution

h = ModelEvolution.__table__.c
a = AgentAssignment.__table__.c


_by_itself = and_(h.rolls_back.is_not(None), h.triggered_by == "automatic")


def newest(connection: Connection, limit: int) -> pd.DataFrame:
    """Swaps and rollbacks, newest first: all columns, and can_roll_back: its agent still runs on what it gave."""
    last = select(h.agent_name, func.max(h.timestamp, type_=h.timestamp.type).label("last"))
    mine: Any = last.group_by(h.agent_name).subquery()
    current = and_(h.timestamp == mine.c.last, h.rolls_back.is_(None), h.status != "rolled_back")
    current = and_(current, h.old_model != "")
    rows = select(*h, current.label("can_roll_back")).join(mine, mine.c.agent_name == h.agent_name)
    found = frame(connection, rows.order_by(h.timestamp.desc(), h.id.desc()).limit(limit))
    return found.astype({"can_roll_back": bool})


def assignments(connection: Connection) -> pd.DataFrame:
    """Which model each agent runs on: agent_name, provider, model, role, since."""
    return frame(
        connection, select(a.agent_name, a.provider, a.model, a.role, a.since).order_by(a.agent_name)
    )


def stretches(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Which model each agent ran on from when to when within a span of time.

    Columns: agent_name, provider, model, begun, ended (of the stretch that is shown), swap (the id of what began it,
    NaN where it began before the oldest swap that is known).
    """
    history = frame(connection, select(*h).order_by(h.agent_name, h.timestamp, h.id))
    current = assignments(connection).set_index("agent_name")
    found: list[dict[str, Any]] = []
    for agent, swaps in history.groupby("agent_name", sort=False):
        moments = [None, *swaps["timestamp"], None]
        models = [(swaps["old_provider"].iloc[0], swaps["old_model"].iloc[0])]
        models += list(zip(swaps["new_provider"], swaps["new_model"], strict=True))
        ids = [None, *swaps["id"]]
        for k, (provider, model) in enumerate(models):
            begun, ended = moments[k] or since, moments[k + 1] or until
            if model and ended > since and begun < until:
                span = {"begun": max(begun, since), "ended": min(ended, until)}
                found.append(
                    {"agent_name": agent, "provider": provider, "model": model, "swap": ids[k]} | span
                )
    for agent in current.index.difference(list(history["agent_name"].unique())):
        row = current.loc[agent]
        begun = max(row["since"], since)
        if begun < until:
            span = {"begun": begun, "ended": until}
            found.append(
                {"agent_name": agent, "provider": row["provider"], "model": row["model"], "swap": None} | span
            )
    columns = ["agent_name", "provider", "model", "begun", "ended", "swap"]
    return pd.DataFrame(found, columns=columns).sort_values(["agent_name", "begun"], ignore_index=True)


def rolled_back(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """What was rolled back by itself in a span of time, newest first: agent_name, old_model (rolled back), new_model,
    reason, triggered_by, timestamp."""
    columns = (h.agent_name, h.old_model, h.new_model, h.reason, h.triggered_by, h.timestamp)
    inside = and_(_by_itself, h.timestamp >= since, h.timestamp < until)
    return frame(connection, select(*columns).where(inside).order_by(h.timestamp.desc()))


def validated(connection: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """How many swaps the checks gave each status in a span of time."""
    inside = and_(h.validated_at >= since, h.validated_at < until, h.rolls_back.is_(None))
    found = select(h.status, func.count().label("n")).where(inside).group_by(h.status)
    return {row.status: row.n for row in connection.execute(found)}


def days_of_swaps(connection: Connection, since: date, until: date) -> pd.DataFrame:
    """Swaps and rollbacks as events: day, agent_name, new_model, rolls_back (true where it takes one back)."""
    columns = (h.day, h.agent_name, h.new_model, h.rolls_back.is_not(None).label("rolls_back"))
    return frame(
        connection, select(*columns).where(h.day.between(since, until)).order_by(h.day, h.agent_name)
    )


def settled_by_itself(connection: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """How many swaps the check validated, and rolled back, in a span of time; {} where it validated none."""
    found = validated(connection, since, until)
    automatic = and_(_by_itself, h.timestamp >= since, h.timestamp < until)
    back = connection.scalar(select(func.count()).where(automatic)) or 0
    n = sum(n for status, n in found.items() if status != "rolled_back") + back
    return {"validated": n, "rolled_back": back} if n else {}
