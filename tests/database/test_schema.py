"""The schema comes into being, is watched, and a migration that fails leaves nothing."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, inspect, text

from db import schema
from db.check import check
from db.engine import data_version
from db.errors import Refused
from db.exporting import EXPORTS
from db.importing import SPECS
from db.tables import TABLES, metadata, operations

SECOND = """
from alembic import op
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
def upgrade():
    op.execute("CREATE TABLE half_done (x INTEGER)")
    op.execute("INSERT INTO app_facts (name, value) VALUES ('half', 'done')")
    {end}
def downgrade():
    op.execute("DROP TABLE half_done")
"""


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def problems(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return schema.problems(connection)


@pytest.fixture
def second_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a migration behind the newest one."""

    def add(end: str) -> None:
        folder = tmp_path / "migrations"
        (folder / "versions").mkdir(parents=True)
        for file in (
            "env.py",
            *(f"versions/{p.name}" for p in (schema.MIGRATIONS / "versions").glob("*.py")),
        ):
            (folder / file).write_text((schema.MIGRATIONS / file).read_text())
        (folder / "versions" / "0002_second.py").write_text(SECOND.format(end=end))
        monkeypatch.setattr(schema, "MIGRATIONS", folder)

    return add


def test_upgrade_from_nothing(empty_engine: Engine, zone: ZoneInfo) -> None:
    moved = schema.upgrade(empty_engine, zone, back_up=lambda: pytest.fail("there is nothing to back up"))
    assert (moved.before, moved.after, moved.backup) == (None, schema.newest(), None)
    assert problems(empty_engine) == []
    assert check(empty_engine, zone).wrong == []
    assert data_version(empty_engine) == 1


def test_second_upgrade_does_nothing(engine: Engine, zone: ZoneInfo) -> None:
    moved = schema.upgrade(engine, zone, back_up=lambda: pytest.fail("nothing moves"))
    assert moved.before == moved.after == schema.newest()


def test_tables_are_listed_completely() -> None:
    assert {table.__tablename__ for table in TABLES} == set(metadata.tables)
    own = {name for name in vars(operations) if hasattr(getattr(operations, name), "__tablename__")}
    assert set(EXPORTS) == {t.__tablename__ for t in TABLES if t.__name__ not in own}
    assert set(SPECS) <= set(EXPORTS)


def test_empty_database_is_refused(empty_engine: Engine, zone: ZoneInfo) -> None:
    with pytest.raises(Refused, match="python -m db upgrade"):
        schema.refuse_unready(empty_engine, zone)
    with pytest.raises(Refused, match="nothing to roll back"):
        schema.rollback(empty_engine, zone, None, None)


def test_other_timezone_is_refused(engine: Engine) -> None:
    with pytest.raises(Refused, match="python -m db timezone Europe/Berlin"):
        schema.refuse_unready(engine, ZoneInfo("Europe/Berlin"))


def test_rollback_and_upgrade_again(engine: Engine, zone: ZoneInfo, tmp_path: Path) -> None:
    moved = schema.rollback(engine, zone, "base", back_up=lambda: tmp_path / "made")
    assert (moved.before, moved.after, moved.backup) == (schema.newest(), None, tmp_path / "made")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    schema.upgrade(engine, zone, None)
    assert check(engine, zone).wrong == []


def test_rollback_of_the_first_version_wants_to_be_said(engine: Engine, zone: ZoneInfo) -> None:
    with pytest.raises(Refused, match="delete them with all that they hold"):
        schema.rollback(engine, zone, None, None)


def test_rollback_to_unknown_version(engine: Engine, zone: ZoneInfo) -> None:
    with pytest.raises(Refused, match="nowhere") as refused:
        schema.rollback(engine, zone, "nowhere", None)
    assert refused.value.status == 2
    assert problems(engine) == []


def test_failing_migration_leaves_the_old_state(
    engine: Engine, zone: ZoneInfo, tmp_path: Path, second_migration: Callable[[str], None]
) -> None:
    second_migration('op.execute("SELECT no_such_column FROM app_facts")')
    before, backups = state(engine), []
    with pytest.raises(Exception, match="no_such_column"):
        schema.upgrade(engine, zone, back_up=lambda: backups.append(1) or tmp_path)
    assert backups == [1]
    assert state(engine) == before


def test_migration_with_another_result_is_undone(
    engine: Engine, zone: ZoneInfo, second_migration: Callable[[str], None]
) -> None:
    second_migration("pass")  # a table that the code does not know
    before = state(engine)
    with pytest.raises(Refused, match="half_done"):
        schema.upgrade(engine, zone, None)
    assert state(engine) == before


def state(engine: Engine) -> tuple[object, ...]:
    with engine.connect() as connection:
        facts = connection.execute(text("SELECT name, value FROM app_facts ORDER BY name")).all()
        return schema.version(connection), sorted(inspect(connection).get_table_names()), facts


def test_dropped_trigger_is_found(engine: Engine) -> None:
    on = " ON model_evaluations" if engine.dialect.name == "postgresql" else ""
    execute(engine, f"DROP TRIGGER model_evaluations_marks_update{on}")
    assert problems(engine) == ["trigger model_evaluations_marks_update is missing or changed"]


def test_disabled_trigger_is_found(postgresql_engine: Engine) -> None:
    execute(postgresql_engine, "ALTER TABLE model_evaluations DISABLE TRIGGER model_evaluations_day_insert")
    assert problems(postgresql_engine) == ["trigger model_evaluations_day_insert is missing or changed"]


def test_changed_trigger_is_found(sqlite_engine: Engine) -> None:
    execute(
        sqlite_engine,
        "DROP TRIGGER model_evaluations_marks_delete",
        "CREATE TRIGGER model_evaluations_marks_delete AFTER DELETE ON model_evaluations BEGIN SELECT 1; END",
    )
    assert problems(sqlite_engine) == ["trigger model_evaluations_marks_delete is missing or changed"]


def test_missing_rule_is_found(postgresql_engine: Engine) -> None:
    execute(
        postgresql_engine, "ALTER TABLE model_evaluations DROP CONSTRAINT ck_model_evaluations_final_score"
    )
    assert problems(postgresql_engine) == ["rule ck_model_evaluations_final_score is missing"]


def test_missing_rule_is_found_on_sqlite(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA writable_schema=ON")
        driver.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'ck_model_evaluations_final_score', 'ck_other') "
            "WHERE name = 'model_evaluations'"
        )
    sqlite_engine.dispose()
    assert "rule ck_model_evaluations_final_score is missing" in problems(sqlite_engine)


def test_missing_index_and_column_are_found(engine: Engine) -> None:
    execute(engine, "DROP INDEX ix_model_evaluations_daily", "ALTER TABLE models DROP COLUMN version")
    found = "\n".join(problems(engine))
    assert "ix_model_evaluations_daily" in found
    assert "version" in found


def test_row_without_parent_is_found(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute(
            "INSERT INTO model_evaluations (prediction_id, model_id, predicted_at) "
            "VALUES ('a', 99, '2026-11-01 00:00:00')"
        )
        driver.execute("PRAGMA foreign_keys=ON")
    assert problems(sqlite_engine) == ["model_evaluations row 1 points at a row of models that is not there"]
