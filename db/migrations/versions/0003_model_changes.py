"""models that are retired or merged, and what people did to models

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.base import Timestamp

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("retired_at", Timestamp(), nullable=True))
    op.add_column("models", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.create_table(
        "model_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("old_name", sa.String(length=200), nullable=False),
        sa.Column("new_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("moved", JSON, nullable=True),
        sa.Column("undone_at", Timestamp(), nullable=True),
        sa.CheckConstraint("kind IN ('rename', 'merge', 'retire')", name=op.f("ck_model_changes_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_changes")),
    )


def downgrade() -> None:
    op.drop_table("model_changes")
    op.drop_column("models", "merged_into")
    op.drop_column("models", "retired_at")
