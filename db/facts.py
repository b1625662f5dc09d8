"""What the database knows of itself: its time zone, whether it holds the demo."""

from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from db.tables.operations import AppFact

TIMEZONE = "timezone"
HOLDS_DEMO = "holds_demo"
SCHEDULE_SINCE = "schedule_since"
LOOP_SEEN = "loop_seen"
PAUSED = "paused"
MARKED = "marked"
HISTORY_TRIMMED = "history_trimmed"


def fact(connection: Connection, name: str) -> str | None:
    """The value of a fact, None where it was never set."""
    return connection.scalar(select(AppFact.value).where(AppFact.name == name))


def facts(connection: Connection) -> dict[str, str]:
    """All facts, by name."""
    return {row.name: row.value for row in connection.execute(select(AppFact.name, AppFact.value))}


def state_fact(connection: Connection, name: str, value: str | None) -> None:
    """Sets a fact, or forgets it with None."""
    if value is None:
        connection.execute(delete(AppFact).where(AppFact.name == name))
        return
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    stated = dialect.insert(AppFact).values(name=name, value=value)
    connection.execute(stated.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
