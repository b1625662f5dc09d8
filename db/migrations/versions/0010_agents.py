"""Agents

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from db.base import Json, Timestamp
from db.triggers import Watched, install, uninstall

WATCHED = (
    Watched("trade_records", at="timestamp", key="market"),
    Watched("llm_usage_log", at="timestamp", key="agent_name"),
    Watched("model_evolution_history", at="timestamp", key="agent_name"),
)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEEN = tuple(watched.table for watched in WATCHED)

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _trades()
    _swaps()
    _performance()
    _system()
    _usage()
    _prices()
    for watched in WATCHED:
        install(op.get_bind(), watched)


def _trades() -> None:
    table = "trade_records"
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        _text("trade_id", 500, default=None),
        _at("timestamp"),
        _text("market"),
        _text("ticker"),
        _text("side", 10, default=None),
        *map(_number, ("quantity", "price", "pnl")),
        sa.Column("agent_contributions", Json, server_default="{}", nullable=False),
        *map(_number, ("decision_confidence", "decision_time_seconds")),
        sa.Column("analysis_metadata", Json, nullable=True),
        _flag("human_intervened"),
        _now("updated_at"),
        _day(),
        *_named(table, "trade_id"),
        *_one_of(table, "side", "'buy', 'sell'"),
        *_between(table, "-1e+15", "1e+15", "quantity", "price", "pnl"),
        *_object(table, "agent_contributions"),
        *_between(table, "0", "1", "decision_confidence"),
        *_between(table, "0", "1e+15", "decision_time_seconds"),
        *_flags(table, "human_intervened"),
        *_moments(table, "timestamp", "updated_at"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("trade_id", name=op.f(f"uq_{table}_trade_id")),
    )
    op.create_index(op.f(f"ix_{table}_day_market"), table, ["day", "market"])
    op.create_index(op.f(f"ix_{table}_timestamp"), table, ["timestamp"])


def _swaps() -> None:
    table = "model_evolution_history"
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        _at("timestamp"),
        _text("agent_name", default=None),
        *map(_text, ("old_provider", "old_model", "new_provider", "new_model")),
        _text("reason", 2000),
        _number("performance_improvement"),
        _text("triggered_by", 20, default=None),
        sa.Column("validation_period_days", sa.Integer(), server_default=sa.text("7"), nullable=False),
        sa.Column("rollback_threshold", sa.Double(), server_default=sa.text("-0.1"), nullable=False),
        _text("status", 20, default="validating"),
        sa.Column("validated_at", Timestamp(), nullable=True),
        _number("observed_change"),
        _text("verdict", 40),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("decisions_before", "decisions_after")),
        *map(_number, ("rating_before", "rating_after", "difference_low", "difference_high")),
        sa.Column("rolls_back", Timestamp(), nullable=True),
        _now("updated_at"),
        _day(),
        *_named(table, "agent_name"),
        *_one_of(table, "triggered_by", "'automatic', 'manual', 'scheduled'"),
        *_one_of(table, "status", "'validating', 'kept', 'rolled_back', 'inconclusive'"),
        *_between(table, "1", "366", "validation_period_days"),
        *_between(table, "-1", "0", "rollback_threshold"),
        *_between(table, "-1e+15", "1e+15", "performance_improvement", "observed_change"),
        *_moments(table, "timestamp", "validated_at", "rolls_back", "updated_at"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("agent_name", "timestamp", name=op.f(f"uq_{table}_agent_name_timestamp")),
    )
    op.create_index(op.f(f"ix_{table}_day"), table, ["day"])
    op.create_index(op.f(f"ix_{table}_status"), table, ["status"])
    table = "agent_assignments"
    op.create_table(
        table,
        _text("agent_name", default=None),
        _text("provider"),
        _text("model"),
        sa.Column("role", sa.String(500), nullable=True),
        _at("since"),
        _now("updated_at"),
        *_named(table, "agent_name"),
        *_moments(table, "since", "updated_at"),
        sa.PrimaryKeyConstraint("agent_name", name=op.f(f"pk_{table}")),
    )


def _performance() -> None:
    table = "agent_performance"
    op.create_table(
        table,
        *(_text(name, default=None) for name in ("agent_name", "market")),
        _text("period", 10, default=None),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("period_start", "period_end")),
        *map(_count, ("total_decisions", "successful_decisions", "wins", "losses")),
        _number("avg_contribution_score"),
        *(
            _number(name, nullable=False)
            for name in ("total_pnl_attributed", "attributed_gains", "attributed_losses")
        ),
        _count("confidence_count"),
        *map(_number, ("confidence_accuracy", "performance_rating")),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("agent_name", "market", "period", "period_start", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_period_period_start"), table, ["period", "period_start"])
    table = "daily_confidence"
    op.create_table(
        table,
        sa.Column("date", sa.Date(), nullable=False),
        *(_text(name, default=None) for name in ("agent_name", "market")),
        sa.Column("bin", sa.Integer(), autoincrement=False, nullable=False),
        *map(_count, ("trade_count", "win_count")),
        _number("confidence_sum", nullable=False),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("date", "agent_name", "market", "bin", name=op.f(f"pk_{table}")),
    )


def _system() -> None:
    table = "system_metrics"
    op.create_table(
        table,
        sa.Column("date", sa.Date(), nullable=False),
        _text("market", default=None),
        *map(_count, ("total_trades", "wins", "losses")),
        *map(_number, ("win_rate", "total_pnl", "total_cost_usd")),
        _count("decision_time_count"),
        *map(
            _number, ("avg_decision_time_seconds", "agent_efficiency_score", "model_diversity_index")
        ),
        *map(_count, ("auto_improvements", "human_interventions")),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("date", "market", name=op.f(f"pk_{table}")),
    )


def _usage() -> None:
    table = "llm_usage_log"
    tokens = ("prompt_tokens", "completion_tokens", "cached_tokens", "tokens_used")
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        _text("request_id", 500, default=None),
        _at("timestamp"),
        *map(_text, ("agent_name", "provider", "model")),
        *(sa.Column(name, ID, nullable=True) for name in tokens),
        _number("cost_usd"),
        _flag("cost_computed"),
        _number("response_time_ms"),
        _text("request_type"),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        _now("updated_at"),
        _day(),
        *_named(table, "request_id"),
        *_between(table, "0", "1e+12", *tokens, "response_time_ms"),
        *_between(table, "0", "1e+09", "cost_usd"),
        *_flags(table, "success", "cost_computed"),
        *_moments(table, "timestamp", "updated_at"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("request_id", name=op.f(f"uq_{table}_request_id")),
    )
    covered = ["day", "agent_name", "provider", "model", "response_time_ms", "success", "cost_usd"]
    op.create_index(f"ix_{table}_daily", table, [*covered, "cost_computed", *tokens])
    op.create_index(op.f(f"ix_{table}_timestamp"), table, ["timestamp"])
    table = "daily_llm_usage"
    op.create_table(
        table,
        sa.Column("date", sa.Date(), nullable=False),
        *(_text(name, default=None) for name in ("agent_name", "provider", "model")),
        *map(_count, ("calls", "known_count", "failures")),
        *(sa.Column(name, ID, nullable=True) for name in ("prompt_tokens", "completion_tokens", "tokens")),
        *map(_count, ("cost_count", "computed_count")),
        *map(_number, ("cost_usd", "cost_mean", "cost_std", "cost_max")),
        _count("latency_count"),
        *map(_number, ("latency_mean_ms", "latency_p50_ms", "latency_p95_ms")),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("date", "agent_name", "provider", "model", name=op.f(f"pk_{table}")),
    )


def _prices() -> None:
    table, key = "llm_prices", ("provider", "model", "valid_from")
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        _text("provider"),
        _text("model", 500, default=None),
        sa.Column("valid_from", sa.Date(), nullable=False),
        *map(_number, ("input", "output", "cached")),
        _text("source", 500),
        _now("updated_at"),
        *_named(table, "model"),
        *_between(table, "0", "1e+09", "input", "output", "cached"),
        *_moments(table, "updated_at"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(*key, name=op.f(f"uq_{table}_{'_'.join(key)}")),
    )


def _text(name: str, length: int = 200, default: str | None = "") -> sa.Column:
    return sa.Column(name, sa.String(length=length), server_default=default, nullable=False)


def _number(name: str, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _count(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False)


def _at(name: str) -> sa.Column:
    return sa.Column(name, Timestamp(), nullable=False)


def _now(name: str) -> sa.Column:
    return sa.Column(name, Timestamp(), server_default=sa.func.current_timestamp(), nullable=False)


def _day() -> sa.Column:
    return sa.Column("day", sa.Date(), nullable=True)


def _flag(name: str) -> sa.Column:
    false = sa.text("0") if _on_sqlite() else sa.text("false")
    return sa.Column(name, sa.Boolean(), server_default=false, nullable=False)


def _named(table: str, column: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"{column} <> ''", name=op.f(f"ck_{table}_{column}"))]


def _one_of(table: str, column: str, words: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"{column} IN ({words})", name=op.f(f"ck_{table}_{column}"))]


def _object(table: str, column: str) -> list[sa.CheckConstraint]:
    """That JSON is an object."""
    rule = f"jsonb_typeof({column}) = 'object'"
    if _on_sqlite():
        rule = f"json_valid({column}) AND json_type({column}) = 'object'"
    return [sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{column}"))]


def _between(table: str, low: str, high: str, *columns: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(f"{name} BETWEEN {low} AND {high}", name=op.f(f"ck_{table}_{name}"))
        for name in columns
    ]


def _flags(table: str, *columns: str) -> list[sa.CheckConstraint]:
    """That SQLite's number really is a truth value."""
    return [
        sa.CheckConstraint(f"{name} IN (0, 1)", name=op.f(f"ck_{table}_{name}"))
        for name in columns
        if _on_sqlite()
    ]


def _moments(table: str, *columns: str) -> list[sa.CheckConstraint]:
    """That SQLite's text really is a UTC moment."""
    return [
        sa.CheckConstraint(_moment(name), name=op.f(f"ck_{table}_{name}")) for name in columns if _on_sqlite()
    ]


def _moment(column: str) -> str:
    shape = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    exists = f"datetime(substr({column}, 1, 19)) = substr({column}, 1, 19)"
    fraction = f"substr({column}, 20) GLOB '.[0-9]*' AND substr({column}, 21) NOT GLOB '*[^0-9]*'"
    return f"{column} GLOB '{shape}*' AND {exists} AND (length({column}) = 19 OR ({fraction}))"


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def downgrade() -> None:
    for table in (
        *("daily_llm_usage", "llm_prices", "llm_usage_log", "system_metrics", "daily_confidence"),
        *("agent_performance", "agent_assignments", "model_evolution_history", "trade_records"),
    ):
        op.drop_table(table)
    for watched in WATCHED:
        uninstall(op.get_bind(), watched)
    gone = sa.table("stale_marks", sa.column("table_name", sa.String))
    op.execute(gone.delete().where(gone.c.table_name.in_(SEEN)))
