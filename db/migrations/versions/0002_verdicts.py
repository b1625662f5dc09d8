"""verdicts

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from db.base import Timestamp

VERDICTS = "'improved', 'declined', 'no clear change', 'too little data'"

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("word", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("metric", sa.String(length=100), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_previous", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Double(), nullable=True)
            for name in ("value", "previous", "change", "low", "high", "p", "p_holm", "surprise")
        ),
        sa.Column("comparisons", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=50), server_default="", nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.CheckConstraint(f"verdict IN ({VERDICTS})", name=op.f("ck_verdicts_verdict")),
        sa.PrimaryKeyConstraint("word", "subject", "metric", "week_start", name=op.f("pk_verdicts")),
    )
    op.create_index(op.f("ix_verdicts_week_start_word"), "verdicts", ["week_start", "word"], unique=False)
    # The weeks that are there already are judged with the next aggregation.
    op.execute(
        "INSERT INTO stale_marks (table_name, day, key) "
        "SELECT DISTINCT 'daily_model_performance', b.week_start, '' "
        "FROM daily_model_performance d JOIN business_days b ON b.day = d.date"
    )


def downgrade() -> None:
    op.execute("DELETE FROM stale_marks WHERE table_name = 'daily_model_performance'")
    op.drop_table("verdicts")
