"""The schema comes into being, is watched, and a migration that fails leaves nothing."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

import settings
from db import migrating, schema
from db.check import check
from db.engine import data_version
from db.errors import Refused
from db.exporting import EXPORTS
from db.importing import SPECS
from db.model_changes import undo
from db.tables import TABLES, metadata, operations
from tests.filled import aggregate

SECOND = """
from alembic import op
revision = "{own}"
down_revision = "{newest}"
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
        return migrating.problems(connection)


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
        text = SECOND.format(own="9999", newest=schema.newest(), end=end)
        (folder / "versions" / "9999_second.py").write_text(text)
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


def test_versions_are_those_that_alembic_finds() -> None:
    scripts = ScriptDirectory(str(schema.MIGRATIONS))
    assert schema.newest() == scripts.get_current_head()
    assert schema.known() == {script.revision for script in scripts.walk_revisions()}


def test_commands_that_move_no_schema_load_no_alembic() -> None:
    told = "import sys, db.__main__, jobs.__main__, dashboard.data; sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", told], cwd=settings.ROOT, check=True)


def test_tables_are_listed_completely() -> None:
    assert {table.__tablename__ for table in TABLES} == set(metadata.tables)
    own = {name for name in vars(operations) if hasattr(getattr(operations, name), "__tablename__")}
    sources = {t.__tablename__ for t in TABLES if t.__name__ not in own}
    assert set(EXPORTS) == sources | {"verdicts", "restatements"}
    assert set(SPECS) <= sources


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
    schema.rollback(engine, zone, "0001", None)
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


@pytest.fixture
def model_gone(sqlite_engine: Engine, zone: ZoneInfo, now: datetime) -> Engine:
    """Aggregated evaluations of two models, whose rows in `models` were then deleted as SQLite's shell does it."""
    execute(
        sqlite_engine,
        "INSERT INTO models (id, name) VALUES (7, 'atlas-2'), (8, 'borealis-7b'), (9, 'cirrus-l')",
        "INSERT INTO model_evaluations (prediction_id, model_id, predicted_at) VALUES "
        "('a', 7, '2026-11-01 00:00:00'), ('b', 7, '2026-11-02 00:00:00'), ('c', 8, '2026-11-02 00:00:00'), "
        "('d', 9, '2026-11-02 00:00:00')",
    )
    assert aggregate(sqlite_engine) == "succeeded"
    shell(sqlite_engine, "DELETE FROM models WHERE id < 9")
    return sqlite_engine


def shell(engine: Engine, statement: str) -> None:
    """Runs a statement as a program does that knows nothing of foreign keys."""
    with closing(sqlite3.connect(str(engine.url.database))) as connection, connection:
        connection.execute(statement)


def test_aggregation_names_the_models_that_are_gone(model_gone: Engine, zone: ZoneInfo) -> None:
    shell(model_gone, "UPDATE model_evaluations SET final_score = 1")
    assert aggregate(model_gone) == "failed"
    with model_gone.connect() as connection:
        mine = "SELECT error FROM job_runs WHERE job = 'aggregate_models' ORDER BY id DESC LIMIT 1"
        told = connection.scalar(text(mine))
    assert told == (
        "There are evaluations of models that are gone from the table models (id 7, 8). "
        "python -m db check says what to do."
    )


def test_rows_without_their_model_are_counted_with_what_to_do(model_gone: Engine, zone: ZoneInfo) -> None:
    wrong = check(model_gone, zone).wrong
    assert [line.split(" Put it back")[0] for line in wrong] == [
        "3 rows of daily_model_performance without their row of models (id 7, 8).",
        "3 rows of model_evaluations without their row of models (id 7, 8).",
    ]
    assert problems(model_gone) == wrong
    assert all("INSERT INTO models (id, name)" in line for line in wrong)


@pytest.mark.parametrize("way", ["take them out", "put them back"])
def test_what_is_to_be_done_about_them_mends_it(model_gone: Engine, zone: ZoneInfo, way: str) -> None:
    if way == "put them back":
        shell(model_gone, "INSERT INTO models (id, name) VALUES (7, 'atlas-2'), (8, 'borealis-7b')")
    else:
        for line in check(model_gone, zone).wrong:
            shell(model_gone, line.split("take them out: ")[1].split(";")[0])
    assert check(model_gone, zone).wrong == []
    assert aggregate(model_gone) == "succeeded"
    assert check(model_gone, zone).wrong == []
    with model_gone.connect() as connection:
        left = connection.scalar(text("SELECT count(*) FROM daily_model_performance"))
    assert left == (4 if way == "put them back" else 1)


def test_many_missing_rows_are_cut_with_their_number(sqlite_engine: Engine) -> None:
    rows = ", ".join(f"('p{n}', {n}, '2026-11-01 00:00:00')" for n in range(1, 13))
    shell(
        sqlite_engine, f"INSERT INTO model_evaluations (prediction_id, model_id, predicted_at) VALUES {rows}"
    )
    assert "(id 1, 2, 3, 4, 5 … and 7 more)" in problems(sqlite_engine)[0]


def test_a_look_at_the_schema_waits_for_no_writer(engine: Engine, zone: ZoneInfo) -> None:
    with engine.begin() as writer:
        writer.execute(text("UPDATE app_facts SET value = value"))
        with engine.connect() as looking:
            looking.connection.driver_connection.execute(
                "PRAGMA busy_timeout = 0" if engine.dialect.name == "sqlite" else "SET lock_timeout = 1"
            )
        schema.refuse_unready(engine, zone)
        assert schema.upgrade(engine, zone, None).after == schema.newest()


MERGED = (
    "INSERT INTO models (id, name, merged_into) VALUES (1, 'a', 3), (2, 'b', 3), (3, 'c', NULL)",
    "INSERT INTO model_evaluations (id, prediction_id, model_id, predicted_at) VALUES "
    "(1, 'a1', 3, '2026-11-01 00:00:00'), (2, 'b1', 3, '2026-11-01 00:00:00'), (3, 'c1', 3, '2026-11-01 00:00:00')",
    "INSERT INTO model_changes (id, at, kind, model_id, old_name, new_name, moved) VALUES "
    "(1, '2026-11-02 00:00:00', 'merge', 1, 'a', 'b', '[1]'), "
    "(2, '2026-11-03 00:00:00', 'merge', 2, 'b', 'c', '[1, 2]'), "
    "(3, '2026-11-04 00:00:00', 'retire', 3, 'c', '', NULL)",
)


def test_merges_of_the_third_version_can_still_be_undone(
    engine: Engine, zone: ZoneInfo, now: datetime
) -> None:
    schema.rollback(engine, zone, "0003", None)
    execute(engine, *MERGED)
    schema.upgrade(engine, zone, None)
    assert problems(engine) == []
    assert state_of_rows(engine) == [(1, 3, 1), (2, 3, 2), (3, 3, None)]
    schema.rollback(engine, zone, "0003", None)
    with engine.connect() as connection:
        into = connection.execute(text("SELECT id, merged_into FROM models ORDER BY id"))
        assert [tuple(row) for row in into] == [(1, 3), (2, 3), (3, None)]
    schema.upgrade(engine, zone, None)
    undo(engine, 2, now)
    assert state_of_rows(engine) == [(1, 2, 1), (2, 2, None), (3, 3, None)]
    undo(engine, 1, now)
    assert state_of_rows(engine) == [(1, 1, None), (2, 2, None), (3, 3, None)]


def state_of_rows(engine: Engine) -> list[tuple[int, int, int | None]]:
    rows = "SELECT id, model_id, came_as FROM model_evaluations ORDER BY id"
    with engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(text(rows))]
