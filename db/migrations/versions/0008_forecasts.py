"""Forecasts

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from db.base import Timestamp
from db.triggers import Watched, install, uninstall

WATCHED = (
    Watched("price_bars", at=None, key="code", marked="date"),
    Watched("predictions", at="predicted_at", key="code", marked="target_date"),
    Watched("prediction_outcomes", at="resolved_at", key="model"),
)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ABS_ERROR = "abs(predicted_value - actual_value)"
DIRECTION_HIT = (
    "((predicted_value > base_value) = (actual_value > base_value)) AND "
    "((predicted_value < base_value) = (actual_value < base_value))"
)
KEY = ("code", "model", "horizon", "predicted_at", "target_date")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _bars()
    _predictions()
    _outcomes()
    _figures()
    _weights()
    _training()
    for watched in WATCHED:
        install(op.get_bind(), watched)


def _bars() -> None:
    table = "price_bars"
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        _text("code"),
        _date("date"),
        *(_number(name, nullable=name != "close") for name in ("open", "high", "low", "close", "volume")),
        _now("imported_at"),
        _now("updated_at"),
        sa.CheckConstraint("code <> ''", name=op.f(f"ck_{table}_code")),
        *_values(table, "open", "high", "low", "close"),
        sa.CheckConstraint("volume BETWEEN 0 AND 1e+15", name=op.f(f"ck_{table}_volume")),
        sa.CheckConstraint("low <= high", name=op.f(f"ck_{table}_low_high")),
        sa.CheckConstraint("date >= '1800-01-01'", name=op.f(f"ck_{table}_date")),
        *_moments(table, "imported_at", "updated_at"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("code", "date", name=op.f(f"uq_{table}_code_date")),
    )


def _predictions() -> None:
    table = "predictions"
    false = sa.text("0") if op.get_bind().dialect.name == "sqlite" else sa.text("false")
    flag = sa.CheckConstraint("user_triggered IN (0, 1)", name=op.f(f"ck_{table}_user_triggered"))
    op.create_table(
        table,
        *_forecast(),
        sa.Column("user_triggered", sa.Boolean(), server_default=false, nullable=False),
        _now("updated_at"),
        sa.Column("day", sa.Date(), nullable=True),
        *_rules(table, "predicted_value", "base_value"),
        *_moments(table, "predicted_at", "updated_at"),
        *((flag,) if op.get_bind().dialect.name == "sqlite" else ()),
    )
    op.create_index(op.f("ix_predictions_code_target_date"), table, ["code", "target_date"])
    op.create_index(op.f("ix_predictions_day_model"), table, ["day", "model"])


def _outcomes() -> None:
    table = "prediction_outcomes"
    op.create_table(
        table,
        *_forecast(),
        _number("actual_value", nullable=False),
        sa.Column("abs_error", sa.Double(), sa.Computed(ABS_ERROR, persisted=True), nullable=False),
        sa.Column("direction_hit", sa.Boolean(), sa.Computed(DIRECTION_HIT, persisted=True), nullable=True),
        sa.Column("resolved_at", Timestamp(), nullable=False),
        sa.Column("bar_date", sa.Date(), nullable=True),
        _now("updated_at"),
        sa.Column("day", sa.Date(), nullable=True),
        *_rules(table, "predicted_value", "base_value", "actual_value"),
        *_moments(table, "predicted_at", "resolved_at", "updated_at"),
    )
    window = ["day", "code", "horizon", "model", "direction_hit", "abs_error", "base_value", "actual_value"]
    op.create_index("ix_prediction_outcomes_window", table, window)
    op.create_index(op.f("ix_prediction_outcomes_code_target_date"), table, ["code", "target_date"])


def _figures() -> None:
    op.create_table(
        "daily_forecasts",
        _date("date"),
        _text("model"),
        _count("horizon"),
        *map(_count, ("sample_count", "hit_count", "direction_count", "closer_count", "based_count")),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("date", "model", "horizon", name=op.f("pk_daily_forecasts")),
    )
    key = ("code", "model", "horizon", "window_days", "as_of")
    op.create_table(
        "model_performance",
        _text("code"),
        _text("model"),
        _count("horizon"),
        _count("window_days"),
        _date("as_of"),
        _number("hit_rate"),
        _count("hit_count"),
        _count("direction_count"),
        _number("mae", nullable=False),
        _count("sample_count"),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_model_performance")),
    )
    op.create_index(op.f("ix_model_performance_as_of"), "model_performance", ["as_of"])


def _weights() -> None:
    table = "ensemble_weights"
    op.create_table(
        table,
        _text("code"),
        _count("horizon"),
        _text("model"),
        _number("weight", nullable=False),
        _number("hit_rate"),
        _count("sample_count"),
        _date("as_of"),
        _text("rule", 50),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.CheckConstraint("weight BETWEEN 0 AND 1", name=op.f(f"ck_{table}_weight")),
        sa.PrimaryKeyConstraint("code", "horizon", "model", name=op.f(f"pk_{table}")),
    )
    table = "ensemble_weight_history"
    op.create_table(
        table,
        _text("code"),
        _count("horizon"),
        _text("model"),
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        _date("as_of"),
        sa.Column("decided_at", Timestamp(), nullable=False),
        _text("rule", 50),
        *map(_number, ("before", "after", "hit_rate")),
        _count("sample_count"),
        _text("action", 40),
        _text("reason"),
        sa.Column("undoes", ID, nullable=True),
        *(
            sa.CheckConstraint(f"{name} BETWEEN 0 AND 1", name=op.f(f"ck_{table}_{name}"))
            for name in ("before", "after")
        ),
        sa.PrimaryKeyConstraint("code", "horizon", "model", "run_id", name=op.f(f"pk_{table}")),
    )
    for name in ("decided_at", "run_id"):
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name])
    op.create_table(
        "weight_backtests",
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        _text("rule", 220),
        _count("horizon"),
        _date("week_start"),
        *map(_number, ("loss", "hit_rate")),
        sa.Column("n", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "rule", "horizon", "week_start", name=op.f("pk_weight_backtests")),
    )


def _training() -> None:
    op.create_table(
        "training_runs",
        _text("code"),
        _count("horizon"),
        _text("model"),
        sa.Column("trained_at", Timestamp(), nullable=False),
        *map(_count, ("rows", "folds")),
        *map(_number, ("mae", "mae_before", "mae_no_change", "hit_rate")),
        sa.Column("artifact", sa.String(length=500), server_default="", nullable=False),
        _text("status", 20),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("code", "horizon", "model", "trained_at", name=op.f("pk_training_runs")),
    )


def _forecast() -> list[sa.Column]:
    """What was predicted, for when, and from where."""
    return [
        sa.Column("id", ID, nullable=False),
        _text("code"),
        _text("model"),
        _count("horizon"),
        sa.Column("predicted_at", Timestamp(), nullable=False),
        _date("target_date"),
        _number("predicted_value", nullable=False),
        _number("base_value"),
    ]


def _rules(table: str, *values: str) -> list[sa.schema.SchemaItem]:
    return [
        *(
            sa.CheckConstraint(f"{name} <> ''", name=op.f(f"ck_{table}_{name}"))
            for name in ("code", "model")
        ),
        sa.CheckConstraint("horizon >= 0", name=op.f(f"ck_{table}_horizon")),
        *_values(table, *values),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(*KEY, name=op.f(f"uq_{table}_key")),
    ]


def _values(table: str, *names: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(f"{name} BETWEEN -1e+15 AND 1e+15", name=op.f(f"ck_{table}_{name}"))
        for name in names
    ]


def _moments(table: str, *names: str) -> list[sa.CheckConstraint]:
    """That SQLite's text really is a UTC moment."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    return [sa.CheckConstraint(_moment(name), name=op.f(f"ck_{table}_{name}")) for name in names]


def _moment(column: str) -> str:
    shape = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    exists = f"datetime(substr({column}, 1, 19)) = substr({column}, 1, 19)"
    fraction = f"substr({column}, 20) GLOB '.[0-9]*' AND substr({column}, 21) NOT GLOB '*[^0-9]*'"
    return f"{column} GLOB '{shape}*' AND {exists} AND (length({column}) = 19 OR ({fraction}))"


def _text(name: str, length: int = 200) -> sa.Column:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _date(name: str) -> sa.Column:
    return sa.Column(name, sa.Date(), nullable=False)


def _count(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False)


def _number(name: str, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _now(name: str) -> sa.Column:
    return sa.Column(name, Timestamp(), server_default=sa.func.current_timestamp(), nullable=False)


def downgrade() -> None:
    for table in (
        *("training_runs", "weight_backtests", "ensemble_weight_history", "ensemble_weights"),
        *("model_performance", "daily_forecasts", "prediction_outcomes", "predictions", "price_bars"),
    ):
        op.drop_table(table)
    for watched in WATCHED:
        uninstall(op.get_bind(), watched)
    op.execute("DELETE FROM stale_marks WHERE table_name IN ('price_bars', 'predictions', 'prediction_outcomes')")
