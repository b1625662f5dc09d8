"""Whether the database holds the demo, and taking it out again."""

from sqlalchemy import Connection, delete

from db.facts import HOLDS_DEMO, fact, state_fact
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import JobRun, Restatement, StaleMark


def holds_demo(connection: Connection) -> bool:
    """Whether what the pages show is simulated."""
    return fact(connection, HOLDS_DEMO) is not None


def remove_demo(connection: Connection) -> bool:
    """Takes every simulated row out, and what was computed from them; returns whether there was a demo."""
    if not holds_demo(connection):
        return False
    for table in (DailyModelPerformance, ModelEvaluation, Model, StaleMark, Restatement):
        connection.execute(delete(table))
    connection.execute(delete(JobRun).where(JobRun.triggered_by == "demo"))
    state_fact(connection, HOLDS_DEMO, None)
    return True
