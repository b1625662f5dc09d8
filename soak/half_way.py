"""A migration that fails half-way on a filled database, on a copy of the migrations with one more behind them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Engine

from db import schema
from soak import sound
from soak.evidence import Finding
from soak.source import ROWS, ZONE, Source

# Every kind of step that a migration has: rows changed and deleted, a column more, a table made anew, one dropped.
BROKEN = """
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{newest}"
def upgrade():
    op.execute("UPDATE model_evaluations SET final_score = 1 WHERE final_score > 50")
    op.execute("DELETE FROM daily_model_performance WHERE model_id = 1")
    op.add_column("models", sa.Column("colour", sa.String(20)))
    with op.batch_alter_table("job_runs", recreate="auto") as table:
        table.alter_column("job", type_=sa.String(150))
    op.drop_table("restatements")
    op.execute("SELECT no_such_column FROM app_facts")
def downgrade():
    pass
"""


@contextmanager
def one_more_migration(folder: Path) -> Iterator[None]:
    """Inside, the newest migration is the broken one."""
    migrations, newest = folder / "migrations", schema.newest()
    shutil.copytree(schema.MIGRATIONS, migrations)
    (migrations / "versions" / "9999_broken.py").write_text(BROKEN.format(newest=newest))
    with patch.object(schema, "MIGRATIONS", migrations):
        yield


def half_way(engine: Engine, folder: Path, rows: int = ROWS) -> Finding:
    """The upgrade fails, and every table is what it was, row for row."""
    finding = Finding(f"migration fails half-way, {engine.dialect.name}")
    with finding.timed():
        source = Source.of(rows)
        source.store(engine)
        sound.aggregate(engine)
        before = sound.state(engine)
        with one_more_migration(folder):
            try:
                schema.upgrade(engine, ZONE, None)
                finding.faults.append("it did not fail")
            except Exception as error:  # noqa: BLE001 - what the migration raises is what is wanted
                if "no_such_column" not in str(error):
                    finding.faults.append(f"it failed too early: {error}")
        finding.faults += sound.changes(before, sound.state(engine)) + sound.faults(engine)
        finding.faults += source.faults(engine) + source.daily_faults(engine)
        finding.figures = f"{len(before)} tables, {sum(count for _d, count, _h in before.values()):,} rows"
    return finding
