"""the name that a merged row came under, and changes that are under way

Revision ID: 0004
Revises: 0003
"""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
SOME = sa.text("came_as IS NOT NULL")
BATCH = 500  # ids in a statement
STANDING = "FROM model_changes WHERE kind = 'merge' AND undone_at IS NULL ORDER BY id"
# Names went straight to the last model of a chain; now each goes to the next one.
NEXT = """
UPDATE models SET merged_into = (SELECT next.id FROM model_changes AS change
    JOIN models AS next ON next.name = change.new_name
    WHERE change.kind = 'merge' AND change.undone_at IS NULL AND change.model_id = models.id)
WHERE merged_into IS NOT NULL AND 1 = (SELECT count(*) FROM model_changes AS change
    JOIN models AS next ON next.name = change.new_name AND next.id <> models.id
    WHERE change.kind = 'merge' AND change.undone_at IS NULL AND change.model_id = models.id)
"""
LAST = """
UPDATE models SET merged_into = (SELECT next.merged_into FROM models AS next WHERE next.id = models.merged_into)
WHERE EXISTS (SELECT 1 FROM models AS next WHERE next.id = models.merged_into AND next.merged_into IS NOT NULL)
"""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_evaluations", sa.Column("came_as", sa.Integer(), nullable=True))
    op.create_index(
        op.f("ix_model_evaluations_came_as"),
        "model_evaluations",
        ["came_as"],
        sqlite_where=SOME,
        postgresql_where=SOME,
    )
    with op.batch_alter_table("model_changes") as changes:
        changes.add_column(sa.Column("moved_rows", sa.Integer(), nullable=True))
        changes.add_column(sa.Column("under_way", sa.String(length=10), nullable=True))
        changes.create_check_constraint(
            op.f("ck_model_changes_under_way"), "under_way IN ('there', 'back')"
        )
    _keep_what_was_moved()
    op.execute(NEXT)
    with op.batch_alter_table("model_changes") as changes:
        changes.drop_column("moved")


def _keep_what_was_moved() -> None:
    """What stood at the change now stands at the rows, where they still belong to the model that got them."""
    connection = op.get_bind()
    for change, model, moved in connection.execute(sa.text(f"SELECT id, model_id, moved {STANDING}")).all():
        ids = json.loads(moved) if isinstance(moved, str) else moved or []
        count = sa.text("UPDATE model_changes SET moved_rows = :n WHERE id = :id")
        connection.execute(count, {"n": len(ids), "id": change})
        for start in range(0, len(ids), BATCH):
            _say_came_as(model, ids[start : start + BATCH])


def _say_came_as(model: int, ids: Sequence[int]) -> None:
    said = sa.text(
        "UPDATE model_evaluations SET came_as = :model WHERE id IN :ids AND came_as IS NULL "
        "AND model_id = (SELECT merged_into FROM models WHERE id = :model)"
    ).bindparams(sa.bindparam("ids", expanding=True))
    op.get_bind().execute(said, {"model": model, "ids": list(ids)})


def downgrade() -> None:
    connection = op.get_bind()
    op.add_column("model_changes", sa.Column("moved", JSON, nullable=True))
    as_json = "CAST(:ids AS JSONB)" if connection.dialect.name == "postgresql" else ":ids"
    for change, model in connection.execute(sa.text(f"SELECT id, model_id {STANDING}")).all():
        came = sa.text("SELECT id FROM model_evaluations WHERE came_as = :model")
        ids = json.dumps(list(connection.scalars(came, {"model": model})))
        told = sa.text(f"UPDATE model_changes SET moved = {as_json} WHERE id = :id")
        connection.execute(told, {"ids": ids, "id": change})
    while connection.execute(sa.text(LAST)).rowcount:
        pass
    with op.batch_alter_table("model_changes") as changes:
        changes.drop_constraint(op.f("ck_model_changes_under_way"), type_="check")
        changes.drop_column("under_way")
        changes.drop_column("moved_rows")
    op.drop_index(op.f("ix_model_evaluations_came_as"), "model_evaluations")
    op.drop_column("model_evaluations", "came_as")
