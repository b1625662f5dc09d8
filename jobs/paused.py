"""Jobs that are paused: the schedule queues nothing for them; what a person asks for still runs."""

from datetime import datetime

from sqlalchemy import Connection

from db.facts import PAUSED, fact, state_fact


def paused_since(connection: Connection, job: str) -> datetime | None:
    """Since when a job is paused; None where it is not."""
    since = fact(connection, f"{PAUSED}:{job}")
    return datetime.fromisoformat(since) if since else None


def set_paused(connection: Connection, job: str, since: datetime | None) -> None:
    """Pauses a job from a moment on, or with None lets the schedule have it again."""
    state_fact(connection, f"{PAUSED}:{job}", since.isoformat() if since else None)
