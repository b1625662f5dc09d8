"""Backtests of weight rules by set of members; which runs were undone is found at once

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

TABLE, UNDOES = "weight_backtests", "ix_ensemble_weight_history_undoes"

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make(sa.Column("prefix", sa.String(200), nullable=False))
    only = sa.text("undoes IS NOT NULL")
    op.create_index(
        UNDOES, "ensemble_weight_history", ["undoes", "run_id"], sqlite_where=only, postgresql_where=only
    )


def downgrade() -> None:
    op.drop_index(UNDOES, "ensemble_weight_history")
    _make()


def _make(*also: sa.Column) -> None:
    """The table anew: what it holds is made again by every run of its job."""
    op.drop_table(TABLE)
    key = ("run_id", *(column.name for column in also), "rule", "horizon", "week_start")
    op.create_table(
        TABLE,
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        *also,
        sa.Column("rule", sa.String(220), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("hit_rate", sa.Double(), nullable=True),
        sa.Column("n", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{TABLE}")),
    )
