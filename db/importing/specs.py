"""What may be imported: for each source table its columns, their other names, and how a cell is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from db.importing.cells import Choice, Flag, Kind, Number, Prose, Text, Timestamp
from db.importing.day_cells import Date, Horizon
from db.tables.forecasts import KEY, LARGEST, OLDEST_BAR
from db.tables.models import COMPOSITES, RATINGS, SCORES
from db.tables.quality import CRITERIA, EVERYBODY
from language import N_


@dataclass(frozen=True)
class Column:
    """A column of a file.

    `required` ones must have a value in each row (`absent` says what it means where one has none), `dimension`s keep
    '' where it is not known, and the others null or their `default`.
    """

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    required: bool = False
    dimension: bool = False
    absent: str = ""
    default: Any = None

    @property
    def nothing(self) -> Any:
        """What an empty cell is stored as."""
        return "" if self.dimension else self.default


@dataclass(frozen=True)
class Rule:
    """What must hold between the cells of a row, where it has all of them; `told` is said of a row that breaks it.

    Such a row is rejected, or with `warns` stored and counted.
    """

    columns: tuple[str, ...]
    holds: Callable[..., bool]
    told: str
    warns: bool = False


# Columns of an export that an import leaves out, since the database fills them.
COMPUTED = (
    *(
        "id",
        "model_id",
        "came_as",
        "day",
        "updated_at",
        "imported_at",
        "abs_error",
        "direction_hit",
        "bar_date",
    ),
    *("_line", "_reason", *COMPOSITES),
)


@dataclass(frozen=True)
class Spec:
    """How files become rows of a table.

    `key` is the natural key as the file has it. `reference` names the column that holds a model's name, which
    is stored as its id; None: there is none. `derived` is a key column that is made from the row's content where
    it is missing. `day_of` is the timestamp whose business day is stored. `computed` are columns that an import
    leaves out without a word.
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    reference: str | None = None
    derived: str | None = None
    day_of: str | None = None
    rules: tuple[Rule, ...] = ()
    # Values that count for nothing unless a timestamp says that they were given: value → timestamp.
    counts_with: tuple[tuple[str, str], ...] = ()
    computed: tuple[str, ...] = COMPUTED

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


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
        Column("evaluator", Text(200, never=EVERYBODY), ("judge",), dimension=True),
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
    )
}
