"""What every test may use: a time zone, a clock, the shared data, settings of its own."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import chain, zip_longest
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

import settings
from tests import filled
from tests.memory import keep_files_in_memory

keep_files_in_memory()
# Hundreds of processes start, and each would compile the program anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Tests that share a server, and so a worker.
TOGETHER = ("tests/browser/", "tests/database/test_emulated_slack.py", "tests/database/test_stranger.py")
SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"

hypothesis_settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.register_profile("ci", parent=hypothesis_settings.get_profile("here"), derandomize=True)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "here")


class Together(LoadGroupScheduling):
    """Groups by file: marks of groups are lost on the way from pytest 9.2 to pytest-xdist 3.8."""

    def _split_scope(self, nodeid: str) -> str:
        return next(filter(nodeid.startswith, TOGETHER), nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser first, which takes longest; then a file of each folder in turn: pages compute, databases wait."""
    folders: dict[str, dict[str, list[pytest.Item]]] = {}
    for item in items:
        file = item.nodeid.split("::")[0]
        folders.setdefault(file.rpartition("/")[0], {}).setdefault(file, []).append(item)
    browser = folders.pop("tests/browser", {})
    in_turn = chain.from_iterable(zip_longest(*(files.values() for files in folders.values()), fillvalue=()))
    items[:] = chain(chain.from_iterable(browser.values()), chain.from_iterable(in_turn))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together | None:
    return Together(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Default settings but for the database and the folders, which are the test's own; no `.env` is read."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", None)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'default.db'}")
    monkeypatch.setenv("BACKUP_DIR", str(tmp_path / "backups"))
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("REPORTS_DIR", str(tmp_path / "sent-reports"))


@pytest.fixture(scope="session")
def zone() -> ZoneInfo:
    return ZoneInfo("Asia/Seoul")


@pytest.fixture(scope="session")
def now() -> datetime:
    """A Friday morning, 11:30 in Seoul."""
    return datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


Built = Callable[[str, Callable[[Path], Engine]], Path]


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all workers of the run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def built(common: Path) -> Built:
    """A database that one worker makes for all workers of the run: built("demo", filled.demo). Copy it to change it."""

    def do(name: str, make: Callable[[Path], Engine]) -> Path:
        found, making = common / f"{name}.db", common / f"{name}-making.db"
        with alone(common / f"{name}.lock"):
            if not found.exists():
                make(making).dispose()  # the last connection brings the write-ahead log into the file
                making.rename(found)
        return found

    return do


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process at a time; the lock of one that died is free."""
    with closing(sqlite3.connect(lock, timeout=120, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@pytest.fixture(scope="session")
def empty_file(built: Built) -> Path:
    """An upgraded, empty SQLite file."""
    return built("empty", filled.upgraded)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; a checkout without it skips the tests that need it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data are not here")
    return SHARED_DATA
