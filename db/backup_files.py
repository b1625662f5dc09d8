"""Is a file a sound backup of Tidemark? Looked at as a whole before a restore touches anything."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine

from db import schema
from db.client_programs import run
from db.engine import DATA_VERSION
from db.errors import Refused
from db.facts import TIMEZONE
from language import _

_NEEDED = (DATA_VERSION, TIMEZONE)  # the facts without which nothing works
_Tables = Mapping[str, list[str]]  # the first column of its rows, by table


def refuse_other_file(engine: Engine, path: Path) -> None:
    """Raises Refused where a file is not a backup that this engine takes, or not a whole one."""
    tables = _dumped(path) if engine.dialect.name == "postgresql" else _copied(path)
    versions = tables.get("alembic_version", [])
    if "app_facts" not in tables or len(versions) != 1:
        raise _other(path, _("it holds other tables"))
    if versions[0] not in schema.known():
        raise _other(path, _("its schema {version} is not known here").format(version=versions[0]))
    if missing := [name for name in _NEEDED if name not in tables["app_facts"]]:
        raise _other(path, _("{name} is missing in its app_facts").format(name=missing[0]))


def _other(path: Path, why: str) -> Refused:
    told = _("{path} is no sound backup of Tidemark ({why}); nothing was changed")
    return Refused(told.format(path=path, why=why), status=2)


def _copied(path: Path) -> _Tables:
    """What a SQLite file holds, once every page of it was read."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source:
            (sound,) = source.execute("PRAGMA integrity_check(1)").fetchone()
            if sound != "ok":
                raise _other(path, str(sound))
            return {
                "alembic_version": _column(source, "SELECT version_num FROM alembic_version"),
                "app_facts": _column(source, "SELECT name FROM app_facts"),
            }
    except sqlite3.Error as error:
        raise _other(path, str(error)) from None


def _column(source: sqlite3.Connection, query: str) -> list[str]:
    return [str(value) for (value,) in source.execute(query)]


def _dumped(path: Path) -> _Tables:
    """What a file of pg_dump holds, once all of it was read: its list of contents comes before the rows."""
    wanted = ("--data-only", "--table=alembic_version", "--table=app_facts")
    try:
        run("pg_restore", f"--file={os.devnull}", str(path))
        script = run("pg_restore", *wanted, "--file=-", str(path))
    except Refused as error:
        raise _other(path, str(error)) from None
    tables: dict[str, list[str]] = {}
    rows: list[str] | None = None
    for line in script.splitlines():
        if line.startswith("COPY "):
            table = line.split()[1].rpartition(".")[2]
            rows = tables.setdefault(table, [])
        elif line == "\\.":
            rows = None
        elif rows is not None:
            rows.append(line.split("\t")[0])
    return tables
