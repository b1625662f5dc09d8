"""Whether the database holds the demo, and taking it out again."""

from sqlalchemy import Connection, Engine, delete, exists, select

from db.engine import reading
from db.facts import HOLDS_DEMO, fact, state_fact
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import JobRun, Restatement, StaleMark

DEMO_ID = "tidemark-demo-"  # what every simulated prediction_id begins with, and nobody else's

is_real = ~ModelEvaluation.prediction_id.startswith(DEMO_ID, autoescape=True)


def holds_demo(connection: Connection) -> bool:
    """Whether what the pages show is simulated."""
    return fact(connection, HOLDS_DEMO) is not None


def remove_demo(connection: Connection) -> bool:
    """Takes every simulated row out, and what was computed from them; returns whether there was a demo.

    Rows of the user's that were imported beside the demo stay, and so do the marks of their days.
    """
    if not holds_demo(connection):
        return False
    evaluation, daily = ModelEvaluation, DailyModelPerformance
    connection.execute(delete(evaluation).where(~is_real))
    behind = exists().where(evaluation.day == daily.date, evaluation.model_id == daily.model_id)
    connection.execute(delete(daily).where(~behind))
    connection.execute(delete(Model).where(~exists().where(evaluation.model_id == Model.id)))
    if connection.scalar(select(evaluation.id).limit(1)) is None:
        for table in (StaleMark, Restatement):
            connection.execute(delete(table))
    connection.execute(delete(JobRun).where(JobRun.triggered_by == "demo"))
    state_fact(connection, HOLDS_DEMO, None)
    return True


def is_empty(engine: Engine) -> bool:
    """Whether there is neither an evaluation nor a model yet."""
    with reading(engine) as connection:
        return connection.scalar(select(Model.id).limit(1)) is None
