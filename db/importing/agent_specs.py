"""What may be imported of agents: their trades, calls of models, prices of those, swaps and assignments."""

from datetime import date

from db.importing.cells import Choice, Flag, Number, Prose, Surroundings, Text, Timestamp
from db.importing.columns import Column, Spec
from db.importing.day_cells import Date
from db.importing.json_cells import Contributions, Json
from db.importing.whole_numbers import Whole
from db.tables.agents import LARGEST, SIDES, SWAP_STATUSES, TEAM, TRIGGERS, UNATTRIBUTED
from db.tables.usage import LONGEST_MS, MOST_DOLLARS, MOST_TOKENS, TOKENS

ALWAYS = date(1970, 1, 1)  # from when a price holds that says nothing of it
_NAME = Text(200)
_AGENT = Text(200, never=(TEAM, UNATTRIBUTED))
_MONEY = Number(-LARGEST, LARGEST)


def agent_and_model(agent: str, provider: str, model: str, where: Surroundings) -> tuple[str, str, str]:
    """These names as every import stores them; raises Rejected."""
    return _AGENT.one(agent, where), _NAME.one(provider, where), _NAME.one(model, where)


def _one_of(words: tuple[str, ...]) -> Choice:
    return Choice({word: word for word in words})


TRADE_RECORDS = Spec(
    table="trade_records",
    columns=(
        Column("trade_id", Text(500), ("trade", "tradeid")),
        Column("timestamp", Timestamp(), ("executed_at", "traded_at", "created_at"), required=True),
        Column("market", _NAME, dimension=True),
        Column("ticker", _NAME, ("code", "symbol"), dimension=True),
        Column("side", _one_of(SIDES), ("action",), required=True),
        Column("quantity", _MONEY),
        Column("price", _MONEY),
        Column("pnl", _MONEY, ("profit",)),
        Column("agent_contributions", Contributions(), ("contributions",), default={}),
        Column("decision_confidence", Number(0, 1), ("confidence",)),
        Column("decision_time_seconds", Number(0, LARGEST)),
        Column("analysis_metadata", Json(), ("metadata",)),
        Column("human_intervened", Flag(), default=False),
    ),
    key=("trade_id",),
    derived="trade_id",
    day_of="timestamp",
)

LLM_USAGE_LOG = Spec(
    table="llm_usage_log",
    columns=(
        Column("request_id", Text(500), ("request", "requestid")),
        Column("timestamp", Timestamp(), ("called_at", "created_at"), required=True),
        Column("agent_name", _AGENT, ("agent",), dimension=True),
        Column("provider", _NAME, dimension=True),
        Column("model", _NAME, ("model_name",), dimension=True),
        *(
            Column(name, Whole(0, MOST_TOKENS), ("total_tokens",) if name == "tokens_used" else ())
            for name in TOKENS
        ),
        Column("cost_usd", Number(0, MOST_DOLLARS), ("cost",)),
        Column("cost_computed", Flag(), default=False),
        Column("response_time_ms", Number(0, LONGEST_MS), ("latency_ms",)),
        Column("request_type", _NAME, dimension=True),
        Column("success", Flag()),
        Column("error_message", Prose(), ("error",)),
    ),
    key=("request_id",),
    derived="request_id",
    day_of="timestamp",
    priced=True,
)

LLM_PRICES = Spec(
    table="llm_prices",
    columns=(
        Column("provider", _NAME, dimension=True),
        Column("model", Text(500), ("model_name",), required=True),
        Column("valid_from", Date(), default=ALWAYS),
        Column("input", Number(0, MOST_DOLLARS), ("input_cost_per_token",)),
        Column("output", Number(0, MOST_DOLLARS), ("output_cost_per_token",)),
        Column("cached", Number(0, MOST_DOLLARS), ("cache_read_input_token_cost",)),
        Column("source", Text(500), dimension=True),
    ),
    key=("provider", "model", "valid_from"),
)

MODEL_EVOLUTION_HISTORY = Spec(
    table="model_evolution_history",
    columns=(
        Column("timestamp", Timestamp(), ("swapped_at", "created_at"), required=True),
        Column("agent_name", _AGENT, ("agent",), required=True),
        *(
            Column(name, _NAME, dimension=True)
            for name in ("old_provider", "old_model", "new_provider", "new_model")
        ),
        Column("reason", Prose(2_000), dimension=True),
        Column("performance_improvement", _MONEY),
        Column("triggered_by", _one_of(TRIGGERS), required=True),
        Column("validation_period_days", Whole(1, 366), default=7),
        Column("rollback_threshold", Number(-1, 0), default=-0.1),
        Column("status", _one_of(SWAP_STATUSES), default="validating"),
        Column("validated_at", Timestamp()),
        Column("observed_change", _MONEY),
        Column("verdict", Text(40), dimension=True),
        *(Column(name, Whole(0, 2_000_000_000)) for name in ("decisions_before", "decisions_after")),
        *(Column(name, Number(0, 100)) for name in ("rating_before", "rating_after")),
        *(Column(name, Number(-100, 100)) for name in ("difference_low", "difference_high")),
        Column("rolls_back", Timestamp()),
    ),
    key=("agent_name", "timestamp"),
    day_of="timestamp",
    at_first=("status", "validating"),
)

AGENT_ASSIGNMENTS = Spec(
    table="agent_assignments",
    columns=(
        Column("agent_name", _AGENT, ("agent",), required=True),
        Column("provider", _NAME, dimension=True),
        Column("model", _NAME, ("model_name",), dimension=True),
        Column("role", Text(500)),
        Column("since", Timestamp(), required=True),
    ),
    key=("agent_name",),
    newest="since",
)
