"""What every test may use: a time zone, a clock, the shared data, settings of its own."""

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

import settings

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"

hypothesis_settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.register_profile("ci", parent=hypothesis_settings.get_profile("here"), derandomize=True)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Default settings but for the database, backups and reports, which are the test's own; no `.env` is read."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", None)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'default.db'}")
    monkeypatch.setenv("BACKUP_DIR", str(tmp_path / "backups"))
    monkeypatch.setenv("REPORTS_DIR", str(tmp_path / "sent-reports"))


@pytest.fixture
def zone() -> ZoneInfo:
    return ZoneInfo("Asia/Seoul")


@pytest.fixture
def now() -> datetime:
    """A Friday morning, 11:30 in Seoul."""
    return datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; a checkout without it skips the tests that need it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data are not here")
    return SHARED_DATA
