"""The app as Streamlit's AppTest runs it, on an empty database, on the demo, and on many models."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import Engine, func, select
from streamlit.testing.v1 import AppTest

from db.engine import engine_for
from db.tables.operations import JobRun
from tests import filled
from tests.conftest import Built

ROOT = Path(__file__).parents[2]
PAGES = ("overview", "models", "forecasts", "agents", "usage", "quality", "operations", "reports")
Open = Callable[..., AppTest]


def newest_runs_key(engine: Engine) -> str:
    """What the session calls the table of runs: by its newest one."""
    with engine.connect() as connection:
        return f"runs_{connection.scalar(select(func.max(JobRun.id)))}"


@pytest.fixture(scope="session")
def demo_file(built: Built) -> Path:
    return built("demo", filled.demo)


@pytest.fixture(scope="session")
def many_file(built: Built) -> Path:
    return built("many", lambda path: filled.many_models(path, 200))


@pytest.fixture(scope="session")
def very_many_file(built: Built) -> Path:
    return built("very-many", lambda path: filled.many_models(path, 2_000, weeks=1))


@pytest.fixture(scope="session")
def ratings_file(built: Built) -> Path:
    return built("ratings", filled.overall_ratings)


@pytest.fixture(scope="session")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """The copies that tests of this worker show and do not change: what one has read the next finds in the cache."""
    return {}


@pytest.fixture
def own_copy() -> None:
    """For a test that changes what is stored, or a setting that answers depend on."""


@pytest.fixture
def show(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    looked_at: dict[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[Path], None]]:
    """Makes a copy of a database the one that pages show, but where there is one already."""
    may_change = bool({"engine", "own_copy"} & set(request.fixturenames))
    own = tmp_path / "tidemark.db"

    def do(file: Path) -> None:
        if may_change and not own.exists():
            shutil.copy(file, own)
        if not may_change and file not in looked_at:
            looked_at[file] = shutil.copy(file, tmp_path_factory.mktemp("shown") / file.name)
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{own if may_change else looked_at[file]}")
        st.cache_resource.clear()

    yield do
    for file, copy in list(looked_at.items()):
        log = copy.with_name(f"{copy.name}-wal")
        if log.exists() and log.stat().st_size:
            del looked_at[file]
            pytest.fail("This test changes what others look at: let it ask for own_copy.")


@pytest.fixture
def open_page(show: Callable[[Path], None]) -> Open:
    """Opens a page on a copy of a database: open_page("models", demo_file, period="all")."""

    def do(page: str, file: Path, **query: str) -> AppTest:
        show(file)
        app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        if page != "overview":
            app.switch_page(f"views/{page}.py")
        app.run()
        assert not app.exception, app.exception[0].value
        return app

    return do


@pytest.fixture
def engine(tmp_path: Path):
    """The database that pages show."""
    return engine_for(f"sqlite:///{tmp_path / 'tidemark.db'}")


class Quoted:
    """A language that puts every text it translates into quotation marks."""

    def gettext(self, text: str) -> str:
        return text if text.startswith("«") else f"«{text}»"

    def ngettext(self, one: str, many: str, n: int) -> str:
        return self.gettext(one if n == 1 else many)


@pytest.fixture
def quoting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no quotation marks on the page was not translated."""
    monkeypatch.setattr("language._catalogue", lambda language: Quoted())
