"""Whether the database holds the demo, and taking it out again."""

from sqlalchemy import Connection, Engine, delete, exists, insert, literal, select

from db.engine import reading
from db.facts import HOLDS_DEMO, fact, state_fact
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import BusinessDay, JobRun, Restatement, StaleMark, Verdict

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
    connection.execute(delete(Restatement))  # they tell of simulated figures, and ids of models come again
    connection.execute(delete(Verdict))  # also of the user's models: the demo's were judged with them
    if connection.scalar(select(evaluation.id).limit(1)) is None:
        connection.execute(delete(StaleMark))
    else:
        _judge_what_is_left(connection)
    connection.execute(delete(JobRun).where(JobRun.triggered_by == "demo"))
    state_fact(connection, HOLDS_DEMO, None)
    return True


def _judge_what_is_left(connection: Connection) -> None:
    """Marks every week that has figures."""
    daily = DailyModelPerformance
    weeks = select(literal(daily.__tablename__), BusinessDay.week_start, literal(""))
    left = weeks.join(daily, daily.date == BusinessDay.day).distinct()
    connection.execute(insert(StaleMark).from_select(["table_name", "day", "key"], left))


def is_empty(engine: Engine) -> bool:
    """Whether there is neither an evaluation nor a model yet."""
    with reading(engine) as connection:
        return connection.scalar(select(Model.id).limit(1)) is None
