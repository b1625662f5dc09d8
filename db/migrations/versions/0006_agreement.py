"""whether scores and likes agree, week by week

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

COUNTS = ("conversation_count", "rated_count", "liked_count", "disliked_count")
FIGURES = ("agreement", "agreement_low", "agreement_high")
# Every day of AI quality is computed again, since the new columns are empty.
AGAIN = """
INSERT INTO stale_marks (table_name, day, key)
SELECT DISTINCT 'conversation_evaluation', date, '' FROM daily_ai_quality
"""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("weekly_ai_quality") as weekly:
        for name in COUNTS:
            weekly.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")))
        for name in FIGURES:
            weekly.add_column(sa.Column(name, sa.Double(), nullable=True))
    op.execute(AGAIN)


def downgrade() -> None:
    with op.batch_alter_table("weekly_ai_quality") as weekly:
        for name in (*COUNTS, *FIGURES):
            weekly.drop_column(name)
