"""What may be imported: for each source table its columns, their other names, and how a cell is read."""

from dataclasses import dataclass

from db.importing.cells import Choice, Flag, Kind, Number, Prose, Text, Timestamp
from db.tables.models import COMPOSITES, RATINGS, SCORES
from db.tables.quality import CRITERIA, EVERYBODY


@dataclass(frozen=True)
class Column:
    """A column of a file; `required` ones must have a value in each row, `dimension`s keep '' where it is not known."""

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    required: bool = False
    dimension: bool = False


@dataclass(frozen=True)
class Spec:
    """How files become rows of a table.

    `key` is the natural key as the file has it. `reference` names the column that holds a model's name, which
    is stored as its id; None: there is none. `derived` is a key column that is made from the row's content where
    it is missing. `day_of` is the timestamp whose business day is stored. `computed` are columns of an export that
    an import leaves out, since the database fills them.
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    reference: str | None
    derived: str
    day_of: str
    # Values that count for nothing unless a timestamp says that they were given: value → timestamp.
    counts_with: tuple[tuple[str, str], ...] = ()
    computed: tuple[str, ...] = (
        "id",
        "model_id",
        "came_as",
        "day",
        "updated_at",
        "_line",
        "_reason",
        *COMPOSITES,
    )

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

SPECS = {spec.table: spec for spec in (MODEL_EVALUATIONS, CONVERSATION_EVALUATION, FEEDBACK_LOG)}
