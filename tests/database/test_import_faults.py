"""Imports whose disk fills up, whose database goes away, and what other writers notice of a large one."""

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import Engine, text

import settings
from db.__main__ import main
from db.check import check
from db.engine import explain
from db.importing import files as importing_files
from db.importing import turns
from db.importing.staging import Staging

HEADER = "prediction_id,model_name,predicted_at,evaluated_at,final_score,timing_score,target_achieved\n"
WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
while True:
    begun = time.monotonic()
    connection.execute("UPDATE app_facts SET value = value")
    print(time.monotonic() - begun, flush=True)
    time.sleep(0.05)
"""


def rows(n: int, name: str = "p") -> list[str]:
    at = "2026-11-16T00:00:00Z"
    return [f"{name}{k},model-{k % 7},{at},{at},{k % 100},{k % 90},{k % 2}\n" for k in range(n)]


def write_file(path: Path, lines: list[str]) -> str:
    path.write_text(HEADER + "".join(lines))
    return str(path)


def count(engine: Engine) -> int:
    with engine.connect().execution_options(readonly=True) as connection:
        return int(connection.scalar(text("SELECT count(*) FROM model_evaluations")) or 0)


def import_with_little_room(engine: Engine, path: str, megabytes: float) -> subprocess.CompletedProcess[str]:
    """The command in a process that may write files of so many megabytes only."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(megabytes * 2**20),) * 2)

    return subprocess.run(
        [sys.executable, "-m", "db", "import", "model_evaluations", path],
        cwd=settings.ROOT,
        env=os.environ | {"DATABASE_URL": str(engine.url)},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(("n", "megabytes", "staging"), [(60_000, 3, True), (8_000, 1.2, False)])
def test_full_disk_leaves_the_database_as_it_was(
    sqlite_engine: Engine, zone: ZoneInfo, tmp_path: Path, n: int, megabytes: float, staging: bool
) -> None:
    path = write_file(tmp_path / "rows.csv", rows(n))
    done = import_with_little_room(sqlite_engine, path, megabytes)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert (
        "The disk cannot be written or read (disk I/O error); nothing of this step was written."
        in done.stderr
    )
    assert ("SQLITE_TMPDIR" in done.stderr) == staging
    assert count(sqlite_engine) == 0
    assert check(sqlite_engine, zone).wrong == []
    assert import_with_little_room(sqlite_engine, path, 1_000).returncode == 0
    assert count(sqlite_engine) == n


def test_full_disk_of_a_server_is_told() -> None:
    assert explain(psycopg.errors.DiskFull("could not extend file")).startswith(
        "The disk is full; nothing of this"
    )


def test_rejects_file_on_a_full_disk(
    sqlite_engine: Engine, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    path = write_file(tmp_path / "rows.csv", [*rows(3), "a,b,c,,,,\n"])
    assert main(["import", "model_evaluations", path, "--rejects", "/dev/full"]) == 2
    assert "/dev/full cannot be written: No space left on device" in capsys.readouterr().err
    assert count(sqlite_engine) == 0


def test_export_on_a_full_disk(sqlite_engine: Engine, tmp_path: Path) -> None:
    path = write_file(tmp_path / "rows.csv", rows(20_000))
    assert import_with_little_room(sqlite_engine, path, 1_000).returncode == 0
    for name in ("out.csv", "out.parquet"):
        done = subprocess.run(
            [sys.executable, "-m", "db", "export", "model_evaluations", str(tmp_path / name)],
            cwd=settings.ROOT,
            env=os.environ | {"DATABASE_URL": str(sqlite_engine.url)},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000,) * 2),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, "cannot be written: File too large" in done.stderr) == (1, True), done.stderr
        assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(("step", "calls"), [("add", 1), ("write", 0), ("write", 2)])
def test_database_that_goes_away(
    postgresql_engine: Engine,
    postgresql_server: Engine,
    zone: ZoneInfo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: str,
    calls: int,
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgresql_engine.url.render_as_string(hide_password=False))
    path = write_file(tmp_path / "rows.csv", rows(25_000))
    with monkeypatch.context() as patch:
        patch.setattr(importing_files, "ONE_TRANSACTION", 10_000)
        patch.setattr(
            Staging, step, going_away(getattr(Staging, step), postgresql_server, postgresql_engine, calls)
        )
        assert main(["import", "model_evaluations", path]) == 1
    out, err = capsys.readouterr()
    assert (out, "Traceback" in err) == ("", False)
    assert err.startswith("The connection to the database broke off (")
    assert ("20,000 rows were written before, in whole steps." in err) == (calls == 2)
    assert count(postgresql_engine) == 10_000 * (calls if step == "write" else 0)
    assert check(postgresql_engine, zone).wrong == []
    assert main(["import", "model_evaluations", path]) == 0
    assert count(postgresql_engine) == 25_000


def going_away(work: Callable[..., Any], server: Engine, engine: Engine, calls: int) -> Callable[..., Any]:
    """The same work, but its database ends all connections before that call."""
    made: list[None] = []

    def do(*args: Any) -> Any:
        if len(made) == calls:
            with server.connect() as admin:
                told = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                admin.execute(text(told), {"name": engine.url.database})
        made.append(None)
        return work(*args)

    return do


@contextmanager
def another_writer(engine: Engine) -> Iterator[list[float]]:
    """A program of another kind that writes 20 times a second; how long it waited each time is there afterwards."""
    command = [sys.executable, "-c", WRITER, str(engine.url.database)]
    waits: list[float] = []
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None and other.stdout.readline()
        yield waits
    finally:
        other.terminate()
        waits += [float(line) for line in other.communicate()[0].splitlines()]


def test_no_other_writer_waits_for_5_seconds_while_a_large_file_comes_in(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    lines = rows(200_000)
    random.Random(1).shuffle(lines)  # the worst order for an index
    path = write_file(tmp_path / "rows.csv", lines)
    with another_writer(sqlite_engine) as waits:
        assert main(["import", "model_evaluations", path]) == 0
    assert count(sqlite_engine) == 200_000
    assert max(waits) < 5


def test_who_waits_gets_in_between_two_steps(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a pause a waiting writer would hardly ever find the lock free: SQLite looks ten times a second."""
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    path = write_file(tmp_path / "rows.csv", rows(20_000))

    def slowly(*args: Any) -> Any:
        time.sleep(0.5)
        return write(*args)

    write = Staging.write
    monkeypatch.setattr(Staging, "write", slowly)
    monkeypatch.setattr(importing_files, "ONE_TRANSACTION", 4_000)
    with another_writer(sqlite_engine) as waits:
        assert main(["import", "model_evaluations", path]) == 0
    assert len([wait for wait in waits if wait > 0.3]) >= 2, "it waited for one step after the other"
    assert max(waits) < 2, "never for all five"


def test_steps_take_about_as_long_as_they_should(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0, 0.2, 10, 12, 20, 24, 30, 930, 1_000, 1_000])
    monkeypatch.setattr(turns.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(turns.Turns, "_let_others_in", lambda self: None)
    with sqlite_engine.connect() as connection:
        own = turns.Turns(connection, 200_000)
        found = [own.rows]
        for _step in range(5):
            with own.turn():
                pass
            found.append(own.rows)
    told = "0.2 s, 2 s as wanted, 4 s, 900 s, no time at all"
    assert found == [50_000, 200_000, 200_000, 100_000, 2_500, 10_000], told
