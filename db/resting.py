"""The week after a rollback, in which an agent keeps its model."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from db.tables.agents import ModelEvolution

REST = timedelta(days=7)

h = ModelEvolution.__table__.c


def resting_until(connection: Connection, agent: str, now: datetime) -> datetime | None:
    """The end of the rest after the agent's last rollback; None where it does not rest."""
    last = select(func.max(h.timestamp, type_=h.timestamp.type))
    at: datetime | None = connection.scalar(last.where(h.agent_name == agent, h.rolls_back.is_not(None)))
    return at + REST if at and at + REST > now else None
