"""Whether the database holds the demo, and taking it out again."""

from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, exists, insert, literal, select

from db.engine import reading
from db.facts import HOLDS_DEMO, fact, state_fact
from db.model_names import belongs_to
from db.tables.agents import (
    AgentAssignment,
    AgentPerformance,
    DailyConfidence,
    ModelEvolution,
    SystemMetric,
    TradeRecord,
)
from db.tables.forecasts import (
    DailyForecast,
    EnsembleWeight,
    EnsembleWeightHistory,
    ModelPerformance,
    Prediction,
    PredictionOutcome,
    PriceBar,
    TrainingRun,
    WeightBacktest,
)
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import BusinessDay, JobRun, ModelChange, Restatement, StaleMark, Verdict
from db.tables.quality import ConversationEvaluation, DailyAiQuality, FeedbackLog, WeeklyAiQuality
from db.tables.usage import DailyLlmUsage, LlmUsage

DEMO_ID = (
    "tidemark-demo-"  # what every simulated prediction_id and conversation_id begins with, and nobody else's
)
DEMO_CODE = ".DEMO"  # what every simulated code of a price ends with, and nobody else's
DEMO_AGENT = "demo-"  # what the name of every simulated agent begins with, and nobody else's
OF_CODES: tuple[Any, ...] = (PriceBar, Prediction, PredictionOutcome)
OF_AGENTS: tuple[Any, ...] = (TradeRecord, LlmUsage, ModelEvolution)
SOURCES: tuple[Any, ...] = (ModelEvaluation, ConversationEvaluation, FeedbackLog, *OF_CODES, *OF_AGENTS)
FROM_AGENTS: tuple[Any, ...] = (AgentPerformance, DailyConfidence, SystemMetric, DailyLlmUsage)
FROM_CODES: tuple[Any, ...] = (ModelPerformance, EnsembleWeight, EnsembleWeightHistory, TrainingRun)

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
    _remove_answers(connection)
    _remove_forecasts(connection)
    _remove_agents(connection)
    staying = _with_real_rows(connection)
    gone = [{"gone": model} for model in connection.scalars(select(Model.id)) if model not in staying]
    if gone:
        connection.execute(delete(Model).where(Model.id == bindparam("gone")), gone)
    # What was done to a model of the demo cannot be undone to one of the user's that gets its id.
    connection.execute(delete(ModelChange).where(~exists().where(Model.id == ModelChange.model_id)))
    connection.execute(delete(Restatement))  # they tell of simulated figures, and ids of models come again
    connection.execute(delete(Verdict))  # also of the user's models: the demo's were judged with them
    if not holds_real_rows(connection):
        connection.execute(delete(StaleMark))
    else:
        _judge_what_is_left(connection)
    connection.execute(delete(JobRun).where(JobRun.triggered_by == "demo"))
    state_fact(connection, HOLDS_DEMO, None)
    return True


def _remove_answers(connection: Connection) -> None:
    """The figures of days and weeks that had simulated answers go with them; what is real in them is stale."""
    for table in (ConversationEvaluation, FeedbackLog):
        connection.execute(delete(table).where(table.conversation_id.startswith(DEMO_ID, autoescape=True)))
    connection.execute(delete(DailyAiQuality))
    connection.execute(delete(WeeklyAiQuality))
    for source in (ConversationEvaluation, FeedbackLog):
        left = select(literal(source.__tablename__), source.day, literal("")).distinct()
        connection.execute(insert(StaleMark).from_select(["table_name", "day", "key"], left))


def _remove_forecasts(connection: Connection) -> None:
    """The simulated codes go with all that was computed from them; days that held them are computed again."""
    for table in (*OF_CODES, *FROM_CODES):
        connection.execute(delete(table).where(table.code.endswith(DEMO_CODE, autoescape=True)))
    connection.execute(delete(DailyForecast))
    connection.execute(delete(WeightBacktest))
    o = PredictionOutcome
    left = select(literal(o.__tablename__), o.day, o.model).distinct()
    connection.execute(insert(StaleMark).from_select(["table_name", "day", "key"], left))


def _remove_agents(connection: Connection) -> None:
    """The simulated trades, calls and swaps go with what was computed from them; what is left is computed again."""
    for table, mine in _simulated().items():
        connection.execute(delete(table).where(mine))
    connection.execute(
        delete(AgentAssignment).where(AgentAssignment.agent_name.startswith(DEMO_AGENT, autoescape=True))
    )
    for figures in FROM_AGENTS:
        connection.execute(delete(figures))
    for source in OF_AGENTS:
        left = select(literal(source.__tablename__), source.day, literal("")).distinct()
        connection.execute(insert(StaleMark).from_select(["table_name", "day", "key"], left))


def _simulated() -> dict[Any, Any]:
    """Of each source of agents the rows that are invented."""
    return {
        TradeRecord: TradeRecord.trade_id.startswith(DEMO_ID, autoescape=True),
        LlmUsage: LlmUsage.request_id.startswith(DEMO_ID, autoescape=True),
        ModelEvolution: ModelEvolution.agent_name.startswith(DEMO_AGENT, autoescape=True),
    }


def holds_real_rows(connection: Connection) -> bool:
    """Whether the user's own rows stand in any source table."""
    e, f = ConversationEvaluation, FeedbackLog
    mine = [
        is_real,
        *(~c.startswith(DEMO_ID, autoescape=True) for c in (e.conversation_id, f.conversation_id)),
        *(~table.code.endswith(DEMO_CODE, autoescape=True) for table in OF_CODES),
        *(~mine for mine in _simulated().values()),
    ]
    return any(
        connection.scalar(select(table.id).where(real).limit(1)) is not None
        for table, real in zip(SOURCES, mine, strict=True)
    )


def staying_models(connection: Connection) -> set[int] | None:
    """The models that an import leaves when it takes the demo out; None where there is no demo."""
    return _with_real_rows(connection) if holds_demo(connection) else None


def _with_real_rows(connection: Connection) -> set[int]:
    """Models with rows of the user's, and the names that were merged into them."""
    real = set(connection.scalars(select(ModelEvaluation.model_id).where(is_real).distinct()))
    return {model for model, last in belongs_to(connection).items() if last in real}


def _judge_what_is_left(connection: Connection) -> None:
    """Marks every week that has figures."""
    daily = DailyModelPerformance
    weeks = select(literal(daily.__tablename__), BusinessDay.week_start, literal(""))
    left = weeks.join(daily, daily.date == BusinessDay.day).distinct()
    connection.execute(insert(StaleMark).from_select(["table_name", "day", "key"], left))


def is_empty(engine: Engine) -> bool:
    """Whether there is neither a row of a source nor a model yet."""
    with reading(engine) as connection:
        return all(connection.scalar(select(table.id).limit(1)) is None for table in (Model, *SOURCES))
