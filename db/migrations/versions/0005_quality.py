"""AI quality

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from db.base import Timestamp
from db.triggers import Watched, install, uninstall

WATCHED = (
    Watched("conversation_evaluation", at="created_at", key="model"),
    Watched("feedback_log", at="created_at", key="model"),
)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CRITERIA = ("quality", "accuracy", "consistency", "sentiment_match")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _moment(column: str) -> str:
    shape = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    exists = f"datetime(substr({column}, 1, 19)) = substr({column}, 1, 19)"
    fraction = f"substr({column}, 20) GLOB '.[0-9]*' AND substr({column}, 21) NOT GLOB '*[^0-9]*'"
    return f"{column} GLOB '{shape}*' AND {exists} AND (length({column}) = 19 OR ({fraction}))"


def upgrade() -> None:
    _evaluations()
    _feedback()
    figures = [
        sa.Column("evaluation_count", sa.Integer(), nullable=False),
        sa.Column("avg_score", sa.Double(), nullable=True),
        sa.Column("std_score", sa.Double(), nullable=True),
    ]
    for name in CRITERIA:
        figures += [
            sa.Column(f"{name}_count", sa.Integer(), nullable=False),
            sa.Column(f"avg_{name}", sa.Double(), nullable=True),
            sa.Column(f"std_{name}", sa.Double(), nullable=True),
        ]
    figures += [sa.Column(name, sa.Integer(), nullable=False) for name in ("likes", "dislikes")]
    dimensions = ("evaluator", "model", "channel", "topic")
    op.create_table(
        "daily_ai_quality",
        sa.Column("date", sa.Date(), nullable=False),
        *(sa.Column(name, sa.String(length=200), nullable=False) for name in dimensions),
        *(column._copy() for column in figures),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("date", *dimensions, name=op.f("pk_daily_ai_quality")),
    )
    op.create_index(op.f("ix_daily_ai_quality_model_date"), "daily_ai_quality", ["model", "date"])
    op.create_table(
        "weekly_ai_quality",
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("evaluator", sa.String(length=200), nullable=False),
        *figures,
        *(
            sa.Column(name, sa.Double(), nullable=True)
            for name in ("feedback_score", "ai_index", "change_pct")
        ),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("week_start", "evaluator", name=op.f("pk_weekly_ai_quality")),
    )
    for watched in WATCHED:
        install(op.get_bind(), watched)


def _evaluations() -> None:
    table = "conversation_evaluation"
    marks = ("score", *CRITERIA)
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", sa.String(length=500), nullable=False),
        *_dimensions("model", "evaluator"),
        sa.Column("created_at", Timestamp(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=name != "score") for name in marks),
        *_dimensions("channel", "topic"),
        sa.Column("prompt", sa.String(), nullable=True),
        sa.Column("response", sa.String(), nullable=True),
        *_bookkeeping(table),
        sa.CheckConstraint("conversation_id <> ''", name=op.f(f"ck_{table}_conversation_id")),
        sa.CheckConstraint("evaluator <> '*'", name=op.f(f"ck_{table}_evaluator")),
        *(sa.CheckConstraint(f"{mark} BETWEEN 0 AND 10", name=op.f(f"ck_{table}_{mark}")) for mark in marks),
        sa.UniqueConstraint(
            "conversation_id",
            "model",
            "evaluator",
            "created_at",
            name=op.f(f"uq_{table}_conversation_id_model_evaluator_created_at"),
        ),
    )
    daily = ["day", "evaluator", "model", "channel", "topic", *marks]
    op.create_index("ix_conversation_evaluation_daily", table, daily)
    op.create_index(op.f("ix_conversation_evaluation_conversation_id"), table, ["conversation_id"])


def _feedback() -> None:
    table = "feedback_log"
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", sa.String(length=500), nullable=False),
        sa.Column("message_id", sa.String(length=500), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("feedback", sa.String(length=10), nullable=False),
        *_dimensions("model"),
        sa.Column("comment", sa.String(), nullable=True),
        *_bookkeeping(table),
        sa.CheckConstraint("conversation_id <> '' AND message_id <> ''", name=op.f(f"ck_{table}_key")),
        sa.CheckConstraint("feedback IN ('like', 'dislike')", name=op.f(f"ck_{table}_feedback")),
        sa.UniqueConstraint(
            "conversation_id",
            "message_id",
            "created_at",
            name=op.f(f"uq_{table}_conversation_id_message_id_created_at"),
        ),
    )
    op.create_index("ix_feedback_log_daily", table, ["day", "model", "feedback"])


def _dimensions(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(length=200), server_default="", nullable=False) for name in names]


def _bookkeeping(table: str) -> list[sa.schema.SchemaItem]:
    """When a row changed, its day, its primary key, and on SQLite the rule of its moments."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    rules = [
        sa.CheckConstraint(_moment(name), name=op.f(f"ck_{table}_{name}"))
        for name in ("created_at", "updated_at")
    ]
    return [
        sa.Column("updated_at", Timestamp(), server_default=sa.func.current_timestamp(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(rules if sqlite else ()),
    ]


def downgrade() -> None:
    tables = ("weekly_ai_quality", "daily_ai_quality", "feedback_log", "conversation_evaluation")
    for table in tables:
        op.drop_table(table)
    for watched in WATCHED:
        uninstall(op.get_bind(), watched)
    op.execute("DELETE FROM stale_marks WHERE table_name IN ('conversation_evaluation', 'feedback_log')")
