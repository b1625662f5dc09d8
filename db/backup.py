"""Backup and restore of the whole database: SQLite by its backup API, PostgreSQL by pg_dump."""

import os
import shutil
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Engine, inspect, update

from db.engine import DATA_VERSION, data_version, without_password
from db.errors import Refused
from db.tables.operations import AppFact
from language import _


def backup_path(folder: Path, engine: Engine, now: datetime) -> Path:
    """Where a backup made now goes: a name with its moment in UTC."""
    ending = "dump" if engine.dialect.name == "postgresql" else "db"
    return folder / f"tidemark-{now:%Y%m%dT%H%M%SZ}.{ending}"


def back_up(engine: Engine, path: Path) -> Path:
    """Writes a consistent copy of the database, also under load, to a new file; raises Refused."""
    if path.exists():
        raise Refused(_("{path} exists already; name another file").format(path=path), status=2)
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if engine.dialect.name == "postgresql":
            _run(engine, "pg_dump", "--format=custom", f"--file={unfinished}")
        else:
            _copy_sqlite(_file(engine), unfinished)
        unfinished.rename(path)
    except (OSError, sqlite3.Error) as error:
        raise Refused(_("No backup was made at {path}: {why}").format(path=path, why=error)) from None
    finally:
        if unfinished.is_file():
            unfinished.unlink()
    return path


def restore(engine: Engine, path: Path) -> None:
    """Replaces the whole database by a backup, or leaves it as it was; raises Refused."""
    if not path.is_file():
        raise Refused(_("There is no backup at {path}").format(path=path), status=2)
    version = _data_version(engine)
    _replace(engine, path)
    newer = str(max(version, _data_version(engine)) + 1)
    with engine.begin() as connection:  # what pages have cached is out of date
        connection.execute(update(AppFact).where(AppFact.name == DATA_VERSION).values(value=newer))


def _data_version(engine: Engine) -> int:
    """The version of the data; 0 in a database that has no tables yet."""
    return data_version(engine) if inspect(engine).has_table(AppFact.__tablename__) else 0


def _replace(engine: Engine, path: Path) -> None:
    if engine.dialect.name == "postgresql":
        _run(engine, "pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", str(path))
        return
    try:
        _refuse_other_file(path)
        engine.dispose()
        _copy_sqlite(path, _file(engine))
    except sqlite3.Error as error:
        raise Refused(_("{path} was not restored: {why}").format(path=path, why=error)) from None


def _file(engine: Engine) -> Path:
    assert engine.url.database is not None
    return Path(engine.url.database)


def _refuse_other_file(path: Path) -> None:
    source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        (sound,) = source.execute("PRAGMA integrity_check(1)").fetchone()
        ours = source.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.DatabaseError:
        sound, ours = "no database", None
    finally:
        source.close()
    if sound != "ok" or not ours:
        raise Refused(
            _("{path} is no sound backup of Tidemark; nothing was changed").format(path=path), status=2
        )


def _copy_sqlite(source: Path, target: Path) -> None:
    reader = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
    writer = sqlite3.connect(target, timeout=30)
    try:
        reader.backup(writer)
    finally:
        writer.close()
        reader.close()


def _run(engine: Engine, program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise Refused(
            _(
                "{program} is not installed, so there is no backup. Install PostgreSQL's client programs."
            ).format(program=program)
        )
    # Everybody on this machine may read a command line, but not an environment.
    # (`set` takes None for “leave it”, so the password is taken out by `_replace`.)
    shown = without_password(engine.url.set(drivername="postgresql"))._replace(password=None)
    url, password = shown.render_as_string(hide_password=False), _password(engine.url)
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    done = subprocess.run(  # noqa: S603 - a program found on PATH with arguments of ours
        [found, f"--dbname={url}", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        why = done.stderr.strip().splitlines()
        raise Refused(
            _("{program} failed: {why}").format(program=program, why=why[0] if why else done.returncode)
        )


def _password(url: URL) -> str:
    """The password of an address, which may also stand in its query."""
    inside = url.query.get("password", "")
    return str(url.password or (inside if isinstance(inside, str) else inside[-1]))
