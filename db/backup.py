"""Backup and restore of the whole database: SQLite by its backup API, PostgreSQL by pg_dump."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from sqlalchemy import Engine, inspect, update

from db.backup_files import refuse_other_file
from db.client_programs import put_back, run
from db.engine import DATA_VERSION, DATABASE_FAULTS, data_version, explain
from db.errors import Refused
from db.tables import metadata
from db.tables.operations import AppFact
from language import _


def backup_path(folder: Path, engine: Engine, now: datetime) -> Path:
    """Where a backup made now goes: a new name with its moment in UTC."""
    ending = "dump" if engine.dialect.name == "postgresql" else "db"
    name = f"tidemark-{now:%Y%m%dT%H%M%SZ}"
    names = chain([name], (f"{name}-{n}" for n in count(2)))
    return next(path for path in (folder / f"{name}.{ending}" for name in names) if not path.exists())


def back_up(engine: Engine, path: Path) -> Path:
    """Writes a consistent copy of the database, also under load, to a new file; raises Refused."""
    if path.exists():
        raise Refused(_("{path} exists already; name another file").format(path=path), status=2)
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if engine.dialect.name == "postgresql":
            run("pg_dump", "--format=custom", f"--file={unfinished}", database=engine.url)
        else:
            _copy_sqlite(_file(engine), unfinished)
            _leave_one_file(unfinished)
        unfinished.rename(path)
    except (OSError, sqlite3.Error) as error:
        raise Refused(_("No backup was made at {path}: {why}").format(path=path, why=error)) from None
    finally:
        for left in (unfinished, unfinished.with_name(unfinished.name + "-journal")):
            if left.is_file():  # SQLite leaves its journal where the disk was full
                left.unlink()
    return path


def restore(engine: Engine, path: Path, keep: Callable[[], Path] | None = None) -> Path | None:
    """Replaces the whole database by a backup, or leaves it as it was; raises Refused.

    `keep` backs up first what is there, where that is anything (None: no backup is wanted); returns its file.
    """
    if not path.is_file():
        raise Refused(_("There is no backup at {path}").format(path=path), status=2)
    refuse_other_file(engine, path)
    kept = keep() if keep and _our_tables(engine) else None
    version = _data_version(engine)
    _replace(engine, path)
    try:
        _raise_version(engine, version)
    except DATABASE_FAULTS as error:
        if kept:
            _replace(engine, kept)
        raise _not_restored(path, explain(error)) from error
    return kept


def _our_tables(engine: Engine) -> set[str]:
    return metadata.tables.keys() & inspect(engine).get_table_names()


def _raise_version(engine: Engine, above: int) -> None:
    """What pages have cached is out of date."""
    newer = str(max(above, _data_version(engine)) + 1)
    with engine.begin() as connection:
        connection.execute(update(AppFact).where(AppFact.name == DATA_VERSION).values(value=newer))


def _data_version(engine: Engine) -> int:
    """The version of the data; 0 in a database that has no tables yet."""
    return data_version(engine) if inspect(engine).has_table(AppFact.__tablename__) else 0


def _replace(engine: Engine, path: Path) -> None:
    """All of it or nothing: one transaction of either engine."""
    if engine.dialect.name == "postgresql":
        put_back(path, engine.url, _our_tables(engine))
        return
    try:
        engine.dispose()
        _copy_sqlite(path, _file(engine))
    except sqlite3.Error as error:
        raise _not_restored(path, str(error)) from None


def _not_restored(path: Path, why: str) -> Refused:
    told = _("{path} was not restored: {why}. The database is as it was.")
    return Refused(told.format(path=path, why=why.rstrip(".")))


def _file(engine: Engine) -> Path:
    assert engine.url.database is not None
    return Path(engine.url.database)


def _leave_one_file(copy: Path) -> None:
    """Whoever reads a copy that keeps a write-ahead log leaves two more files beside it."""
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _copy_sqlite(source: Path, target: Path) -> None:
    reader = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
    writer = sqlite3.connect(target, timeout=30)
    try:
        reader.backup(writer)
    finally:
        writer.close()
        reader.close()
