"""python -m db: exit statuses, and what it says."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from db.__main__ import main
from db.schema import newest
from settings import ROOT

ROWS = "prediction_id,model_name,predicted_at,final_score,evaluated_at\n"
GOOD = "a,atlas-2,2026-11-16T00:00:00Z,70,2026-11-17T00:00:00Z\n"
BAD = "b,atlas-2,2026-11-16T00:00:00Z,700,2026-11-17T00:00:00Z\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; its exit status and what it wrote to standard output and standard error."""

    def do(*argv: str | Path) -> tuple[int, str, str]:
        try:
            status = main([str(word) for word in argv])
        except SystemExit as ended:  # argparse's own
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return status, out, err

    return do


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str, name: str = "rows.csv") -> Path:
        (tmp_path / name).write_text(content)
        return tmp_path / name

    return write


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM model_evaluations")) or 0)


def test_upgrade_from_nothing_and_again(empty_engine: Engine, run: Run) -> None:
    assert run("check")[0] == 1
    assert run("upgrade") == (0, f"Schema: none → {newest()}\n", "")
    assert run("upgrade") == (0, f"The schema is the newest already: {newest()}\n", "")
    assert run("check")[0] == 0


def test_rollback_backs_up_first(sqlite_engine: Engine, run: Run, tmp_path: Path, at: str) -> None:
    status, out, _err = run("rollback", "base")
    assert status == 0
    (backup,) = (tmp_path / "backups").iterdir()
    assert out == f"Backup: {backup}\nSchema: {newest()} → none\n"
    assert run("restore", backup)[:2] == (0, f"Restored from {backup}; schema {newest()}\n")
    assert run("check")[0] == 0
    assert run("rollback", "--no-backup", "9999")[0] == 2


def test_restore_says_where_the_state_before_it_is(
    at: str, sqlite_engine: Engine, run: Run, file: Callable[..., Path], tmp_path: Path
) -> None:
    old = tmp_path / "old.db"
    run("backup", old)
    run("import", "model_evaluations", file(ROWS + GOOD))
    status, out, err = run("restore", old)
    (kept,) = (tmp_path / "backups").iterdir()
    assert (status, out, err) == (0, f"Backup: {kept}\nRestored from {old}; schema {newest()}\n", "")
    assert run("restore", "--no-backup", kept)[0] == 0
    assert count(sqlite_engine) == 1
    assert len(list((tmp_path / "backups").iterdir())) == 1


@pytest.mark.parametrize("revision", ["9999", "-99"])
def test_rollback_to_nowhere_makes_no_backup(at: str, run: Run, tmp_path: Path, revision: str) -> None:
    status, out, err = run("rollback", "--", revision)
    assert (status, out) == (2, "")
    assert "The schema cannot go there" in err
    assert not (tmp_path / "backups").exists()


@pytest.fixture
def at(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """The SQLite database is that of the command."""
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    return str(sqlite_engine.url)


def test_backup_without_pg_dump_says_how_to_go_on(
    postgresql_engine: Engine, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgresql_engine.url.render_as_string(False))
    monkeypatch.setenv("PATH", str(tmp_path))
    status, out, err = run("rollback", "base")
    assert (status, out) == (1, "")
    assert "pg_dump is not installed" in err
    assert "--no-backup" in err
    assert run("check")[0] == 0  # nothing moved
    assert run("rollback", "--no-backup", "base")[0] == 0


def test_backup_to_a_file(at: str, run: Run, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "copy.db") == (0, f"Backup: {tmp_path / 'copy.db'}\n", "")
    assert run("backup", tmp_path / "copy.db")[0] == 2
    assert run("restore", tmp_path / "nowhere.db")[0] == 2


def test_check_says_what_is_wrong(engine: Engine, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, _err = run("check")
    assert status == 0
    assert "model_evaluations: 0 rows" in out
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_job_runs_job_id"))
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    status, out, _err = run("check")
    assert status == 1
    wrong = [line for line in out.splitlines() if line.startswith("WRONG: ")]
    assert len(wrong) == 2
    assert "ix_job_runs_job_id" in wrong[0]
    assert "python -m db timezone Europe/Berlin" in wrong[1]


@pytest.fixture
def read_only(at: str, sqlite_engine: Engine) -> Iterator[None]:
    """The file may be read only, as for a user without the right to write."""

    def connect(_dialect: Any, _record: Any, arguments: Any, _named: Any) -> sqlite3.Connection:
        path = Path(arguments[0]).resolve().as_uri()
        return sqlite3.connect(f"{path}?mode=ro", uri=True, check_same_thread=False)

    sqlite_engine.dispose()
    event.listen(sqlite_engine, "do_connect", connect)
    yield
    event.remove(sqlite_engine, "do_connect", connect)


@pytest.mark.usefixtures("read_only")
def test_database_that_may_only_be_read(run: Run, file: Callable[..., Path]) -> None:
    status, out, _err = run("check")
    assert status == 1
    assert "WRONG: nobody can write to the database: let this user write to its file" in out
    status, _out, err = run("import", "model_evaluations", file(ROWS + GOOD))
    assert status == 1
    assert err.startswith(
        "The database may not be written to; nothing of this step was written. Let this user"
    )
    assert "again" in err
    assert "Import the file again" not in err


def test_database_file_that_is_none(
    run: Run, monkeypatch: pytest.MonkeyPatch, file: Callable[..., Path]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file('no database at all, whatever it is called')}")
    status, _out, err = run("check")
    assert status == 1
    assert "Cannot open the database" in err
    assert "server" not in err


def test_import_export_and_import(
    engine: Engine, run: Run, file: Callable[..., Path], tmp_path: Path
) -> None:
    status, out, _err = run("import", "model_evaluations", file(ROWS + GOOD))
    assert status == 0
    assert out == "rows.csv: 1 read: 1 new, 0 updated, 0 unchanged, 0 rejected\n  new models: atlas-2\n"
    exported = tmp_path / "out.jsonl"
    assert run("export", "model_evaluations", exported)[:2] == (
        0,
        f"{exported}: 1 row of model_evaluations\n",
    )
    status, out, _err = run("import", "model_evaluations", exported)
    assert (status, out) == (0, "out.jsonl: 1 read: 0 new, 0 updated, 1 unchanged, 0 rejected\n")
    assert run("export", "model_evaluations", exported, "--since", "2026-11-17")[:2] == (
        0,
        f"{exported}: 0 rows of model_evaluations; replaced the file of that name\n",
    )
    assert exported.read_text() == ""


@pytest.mark.parametrize(
    ("rows", "options", "status", "stored"),
    [
        (GOOD, (), 0, 1),
        (GOOD + BAD, (), 0, 1),
        (BAD, (), 1, 0),
        ("", (), 1, 0),
        (GOOD + BAD, ("--strict",), 1, 0),
        (GOOD, ("--strict",), 0, 1),
        (GOOD + BAD, ("--dry-run",), 0, 0),
        (BAD, ("--dry-run",), 1, 0),
    ],
)
def test_exit_status_of_an_import(
    engine: Engine,
    run: Run,
    file: Callable[..., Path],
    rows: str,
    options: tuple[str, ...],
    status: int,
    stored: int,
) -> None:
    assert run("import", "model_evaluations", file(ROWS + rows), *options)[0] == status
    assert count(engine) == stored


def test_rejected_rows_are_told_and_kept(
    at: str, run: Run, file: Callable[..., Path], tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    status, out, _err = run("import", "model_evaluations", file(ROWS + GOOD + BAD), "--rejects", rejects)
    assert status == 0
    assert "  rows.csv, line 3: final_score: 700 is outside 0 to 100\n" in out
    assert out.endswith(f"The rejected rows are in {rejects}: mend them and import it.\n")
    mended = file(rejects.read_text().replace("700", "70", 1), "mended.csv")
    assert run("import", "model_evaluations", mended)[0] == 0


def test_rejects_do_not_overwrite_what_is_imported(at: str, run: Run, file: Callable[..., Path]) -> None:
    path = file(ROWS + BAD)
    assert run("import", "model_evaluations", path, "--rejects", path)[0] == 2
    assert path.read_text() == ROWS + BAD


def test_several_files(at: str, run: Run, file: Callable[..., Path], tmp_path: Path) -> None:
    first, second = file(ROWS + BAD, "first.csv"), file(ROWS + GOOD + BAD, "second.csv")
    rejects = tmp_path / "rejects.csv"
    status, out, _err = run("import", "model_evaluations", first, second, "--rejects", rejects)
    assert status == 1  # a file that is lost as a whole is not made good by another one
    assert "first.csv: 1 read" in out
    assert "No row of first.csv is good: nothing of it was written.\n" in out
    assert "No row of second.csv" not in out
    empty = file(ROWS, "empty.csv")
    assert run("import", "model_evaluations", empty, second)[0] == 0
    assert "second.csv: 2 read" in out
    assert {path.name for path in tmp_path.glob("rejects*")} == {"rejects-first.csv", "rejects-second.csv"}


def test_json_is_one_object_and_nothing_else(at: str, run: Run, file: Callable[..., Path]) -> None:
    paths = [file(ROWS + GOOD + BAD, "first.csv"), file(ROWS + GOOD, "second.csv")]
    status, out, err = run("import", "model_evaluations", *paths, "--json")
    assert (status, err) == (0, "")
    told: dict[str, Any] = json.loads(out)
    assert (told["read"], told["new"], told["unchanged"], told["rejected"]) == (3, 1, 1, 1)
    assert [entry["file"] for entry in told["files"]] == [str(path) for path in paths]
    assert told["files"][0]["rejects"][0]["line"] == 3


def test_json_tells_an_error_too(at: str, run: Run, file: Callable[..., Path]) -> None:
    paths = [file(ROWS + GOOD, "first.csv"), file("", "empty.csv")]
    status, out, err = run("import", "model_evaluations", *paths, "--json")
    assert status == 1
    told = json.loads(out)
    assert (told["new"], told["error"]) == (1, err.strip())
    assert "is empty" in err


def test_map_and_set(at: str, run: Run, file: Callable[..., Path]) -> None:
    path = file("who,evaluated_at\natlas-2,2026-11-16\n")
    options = ("--map", "who=model_name", "--set", "predicted_at=evaluated_at")
    assert run("import", "model_evaluations", path, *options)[0] == 0


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("no-such-command",),
        ("import", "model_evaluations"),
        ("import", "no_such_table", "{file}"),
        ("import", "model_evaluations", "{folder}/nowhere.csv"),
        ("import", "model_evaluations", "{file}", "{folder}/nowhere.csv"),
        ("import", "model_evaluations", "{file}", "--map", "who"),
        ("import", "model_evaluations", "{file}", "--map", "who=nobody"),
        ("import", "model_evaluations", "{file}", "--rejects", "{folder}/nowhere/rejects.csv"),
        ("export", "no_such_table", "{folder}/out.csv"),
        ("export", "models", "{folder}/out.xlsx"),
        ("export", "model_evaluations", "{folder}/out.csv", "--since", "yesterday"),
        ("timezone", "Seoul"),
    ],
)
def test_wrong_calls(
    at: str, run: Run, file: Callable[..., Path], tmp_path: Path, argv: tuple[str, ...]
) -> None:
    path = file(ROWS + BAD)
    status, out, err = run(*(word.format(file=path, folder=tmp_path) for word in argv))
    assert (status, out) == (2, "")
    assert err


@pytest.mark.parametrize("command", ["import", "export", "demo"])
def test_other_timezone_is_refused(
    engine: Engine,
    run: Run,
    file: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    arguments = {
        "import": ("model_evaluations", file(ROWS + GOOD)),
        "export": ("models", tmp_path / "out.csv"),
        "demo": (),
    }
    status, _out, err = run(command, *arguments[command])
    assert status == 1
    assert "python -m db timezone Europe/Berlin" in err


def test_timezone(
    engine: Engine, run: Run, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("import", "model_evaluations", file(ROWS + GOOD.replace("T00", "T22")))
    status, out, _err = run("timezone", "Europe/Berlin")
    assert status == 0
    assert "1 row has another day now." in out
    assert "TIMEZONE=Europe/Berlin" in out
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    assert run("check")[0] == 0


def test_demo_and_the_first_real_rows(engine: Engine, run: Run, file: Callable[..., Path]) -> None:
    status, out, _err = run("demo")
    assert status == 0
    for job in ("aggregate_models", "aggregate_quality", "aggregate_forecasts", "aggregate_agents"):
        assert f"python -m jobs run {job}" in out.splitlines()[-1]
    assert "The demo was removed" in run("import", "model_evaluations", file(ROWS + GOOD))[1]
    assert run("demo")[0] == 1
    assert run("demo", "--remove")[:2] == (0, "There is no demo in the database.\n")


def test_demo_can_be_removed(at: str, run: Run) -> None:
    run("demo")
    assert run("demo", "--remove")[:2] == (0, "The demo was removed.\n")


def test_wrong_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Seoul")
    status, _out, err = run("check")
    assert status == 2
    assert "TIMEZONE got 'Seoul'" in err


def test_address_that_is_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:secret@host:notaport/x")
    status, _out, err = run("check")
    assert status == 2
    assert err.startswith("DATABASE_URL is no address of a database")
    assert "secret" not in err


def test_database_that_cannot_be_reached(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for url in (
        f"sqlite:///{tmp_path}/file/x.db",
        f"sqlite:///{tmp_path}",
        f"postgresql://someone:secret@/x?host={tmp_path}",
    ):
        monkeypatch.setenv("DATABASE_URL", url)
        status, _out, err = run("check")
        assert status == 1
        assert "DATABASE_URL" in err
        assert "secret" not in err


def test_file_that_is_no_database(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("no database at all, but some text")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'x.db'}")
    assert run("check")[0] == 1


def python_m_db(*argv: str | Path, **options: Any) -> "subprocess.Popen[str]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    command = [sys.executable, "-m", "db", *map(str, argv)]
    return subprocess.Popen(command, env=dict(os.environ), **(pipes | options))


def test_as_a_program(at: str) -> None:
    out, err = python_m_db("--help").communicate()
    assert all(f"    {command}" in out for command in ("upgrade", "import", "export", "timezone"))
    checking = python_m_db("check")
    out, err = checking.communicate()
    assert (checking.returncode, err) == (0, "")


def test_reader_that_goes_away(at: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    checking = python_m_db("check", stdout=writing)
    os.close(writing)
    _out, err = checking.communicate()
    assert (checking.returncode, err) == (141, "")


def test_interrupt_leaves_nothing(
    postgresql_engine: Engine, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgresql_engine.url.render_as_string(False))
    with postgresql_engine.connect() as other, postgresql_engine.connect() as watcher:
        other.execute(text("LOCK TABLE models"))
        importing = python_m_db("import", "model_evaluations", file(ROWS + GOOD))
        while not watcher.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert importing.poll() is None
            watcher.rollback()
        importing.send_signal(signal.SIGINT)
        _out, err = importing.communicate()
    assert (importing.returncode, err) == (130, "Interrupted; nothing half-done was left.\n")
    assert count(postgresql_engine) == 0
