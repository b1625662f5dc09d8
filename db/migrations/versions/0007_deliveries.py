"""how far the delivery of a report is

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.base import Timestamp

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
COLUMNS = (
    ("mark", sa.String(length=50)),
    ("claimed_by", sa.String(length=50)),
    ("claimed_at", Timestamp()),
    ("channel_id", sa.String(length=50)),
    ("permalink", sa.String(length=500)),
    ("parts", JSON),
)

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reports") as reports:
        reports.alter_column(
            "kind", existing_type=sa.String(length=50), type_=sa.String(length=200), existing_nullable=False
        )
        for name, kind in COLUMNS:
            reports.add_column(sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    # What has a longer name than fits is an alert, which is of the past.
    op.execute("DELETE FROM reports WHERE length(kind) > 50")
    with op.batch_alter_table("reports") as reports:
        for name, _kind in reversed(COLUMNS):
            reports.drop_column(name)
        reports.alter_column(
            "kind", existing_type=sa.String(length=200), type_=sa.String(length=50), existing_nullable=False
        )
