"""What may be imported: each source table with its columns, their other names, and how a cell is read."""

from db.importing.agent_specs import (
    AGENT_ASSIGNMENTS,
    LLM_PRICES,
    LLM_USAGE_LOG,
    MODEL_EVOLUTION_HISTORY,
    TRADE_RECORDS,
)
from db.importing.cells import Choice, Flag, Number, Prose, Text, Timestamp
from db.importing.columns import COMPUTED, Column, Rule, Spec
from db.importing.day_cells import Date, Horizon
from db.tables.forecasts import KEY, LARGEST, OLDEST_BAR
from db.tables.models import RATINGS, SCORES
from db.tables.quality import CRITERIA, EVERYBODY
from language import N_

MODEL_EVALUATIONS = Spec(
    table="model_evaluations",
    columns=(
        Column("prediction_id", Text(500), ("prediction", "predictionid")),
        Column("model_name", Text(200), ("model",), required=True),
        Column("predicted_at", Timestamp(), ("prediction_time", "created_at"), required=True),
        Column("evaluated_at", Timestamp(), ("evaluation_time",)),
        Column("human_evaluated_at", Timestamp()),
        *(Column(name, Number(0, 100)) for name in SCORES),
        *(Column(name, Number(1, 5)) for name in RATINGS),
        Column("target_achieved", Flag(), ("target_hit",)),
        Column("support_breached", Flag(), ("stop_breached",)),
    ),
    key=("model_name", "prediction_id"),
    reference="model_name",
    derived="prediction_id",
    day_of="predicted_at",
    counts_with=(("final_score", "evaluated_at"), *((name, "human_evaluated_at") for name in RATINGS[:2])),
)

_LIKES = {
    "like": "like",
    "dislike": "dislike",
    "👍": "like",
    "👎": "dislike",
    "up": "like",
    "down": "dislike",
}

CONVERSATION_EVALUATION = Spec(
    table="conversation_evaluation",
    columns=(
        Column("conversation_id", Text(500), ("conversation", "conversationid")),
        Column("model", Text(200), ("model_name",), dimension=True),
        Column("evaluator", Text(200, never=(EVERYBODY,)), ("judge",), dimension=True),
        Column("created_at", Timestamp(), ("evaluated_at", "timestamp"), required=True),
        Column("score", Number(0, 10), ("overall",), required=True),
        *(
            Column(name, Number(0, 10), ("sentiment",) if name == "sentiment_match" else ())
            for name in CRITERIA
        ),
        Column("channel", Text(200), dimension=True),
        Column("topic", Text(200), dimension=True),
        Column("prompt", Prose(), ("question",)),
        Column("response", Prose(), ("answer",)),
    ),
    key=("conversation_id", "model", "evaluator", "created_at"),
    reference=None,
    derived="conversation_id",
    day_of="created_at",
)

FEEDBACK_LOG = Spec(
    table="feedback_log",
    columns=(
        Column("conversation_id", Text(500), ("conversation", "conversationid"), required=True),
        Column("message_id", Text(500), ("message", "messageid")),
        Column("created_at", Timestamp(), ("timestamp",), required=True),
        Column("feedback", Choice(_LIKES), ("rating",), required=True),
        Column("model", Text(200), ("model_name",), dimension=True),
        Column("comment", Prose()),
    ),
    key=("conversation_id", "message_id", "created_at"),
    reference=None,
    derived="message_id",
    day_of="created_at",
)

_PRICE = Number(-LARGEST, LARGEST)


def _between(price: float, low: float, high: float) -> bool:
    return low <= price <= high


PRICE_BARS = Spec(
    table="price_bars",
    columns=(
        Column("code", Text(200), ("ticker", "symbol"), required=True),
        Column("date", Date(OLDEST_BAR), ("day",), required=True),
        *(Column(name, _PRICE, required=name == "close") for name in ("open", "high", "low", "close")),
        Column("volume", Number(0, LARGEST)),
    ),
    key=("code", "date"),
    rules=(
        Rule(("low", "high"), lambda low, high: low <= high, N_("low is above high")),
        Rule(("open", "low", "high"), _between, N_("open is not between low and high"), warns=True),
        Rule(("close", "low", "high"), _between, N_("close is not between low and high"), warns=True),
    ),
)

_FORECAST = (
    Column("code", Text(200), ("ticker", "symbol"), required=True),
    Column("model", Text(200), ("model_name",), required=True),
    Column("horizon", Horizon(), ("horizon_days",), required=True),
    Column("predicted_at", Timestamp(), ("prediction_time",), required=True),
    Column("target_date", Date(), required=True),
    Column("predicted_value", _PRICE, ("predicted", "prediction"), required=True),
    Column("base_value", _PRICE, ("base",)),
)

PREDICTIONS = Spec(
    table="predictions",
    columns=(*_FORECAST, Column("user_triggered", Flag(), default=False)),
    key=KEY,
    day_of="predicted_at",
    computed=(*COMPUTED, "actual_value", "resolved_at"),
)

PREDICTION_OUTCOMES = Spec(
    table="prediction_outcomes",
    columns=(
        *_FORECAST,
        Column("actual_value", _PRICE, ("actual",), required=True, absent=N_("not resolved yet")),
        Column("resolved_at", Timestamp(), required=True),
    ),
    key=KEY,
    day_of="resolved_at",
)

SPECS = {
    spec.table: spec
    for spec in (
        MODEL_EVALUATIONS,
        CONVERSATION_EVALUATION,
        FEEDBACK_LOG,
        PRICE_BARS,
        PREDICTIONS,
        PREDICTION_OUTCOMES,
        TRADE_RECORDS,
        LLM_USAGE_LOG,
        LLM_PRICES,
        MODEL_EVOLUTION_HISTORY,
        AGENT_ASSIGNMENTS,
    )
}
