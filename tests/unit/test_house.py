"""The house plan, held by tests: who imports whom, what stands where, and that the README knows all of it."""

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import settings
from db import __main__ as db_command
from db import metrics
from db.base import Base
from db.importing import SPECS
from db.queries import agents, quality
from db.tables import TABLES
from jobs import __main__ as jobs_command
from jobs.timetable import JOBS, timetable
from reports import __main__ as reports_command

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGES = ("settings", "language", "db", "jobs", "reports", "dashboard")

MAY_IMPORT = {
    "language": {"settings"},
    "jobs.formulas": set(),
    "db": {"settings", "language", "jobs.formulas"},
    "reports": {"settings", "language", "db", "jobs.formulas"},
    "jobs": {"settings", "language", "db", "jobs"},
    "dashboard": {
        *("settings", "language", "dashboard", "db.metrics", "db.clock", "db.weight_words"),
        *("jobs.formulas", "reports"),
    },
}
# What single files of the dashboard may import besides, each with its reason.
ALSO = {
    ("data.py", "db.queries"): "it is the one door to the queries",
    ("data.py", "db.engine"): "it opens the connections that queries are asked over",
    ("data.py", "db.demo.holding"): "whether the data are simulated is told on every page",
    ("data.py", "db.schema"): "it says what is wrong where a database cannot be read",
    ("data.py", "db.targets"): "targets come from a file",
    ("data.py", "db.errors"): "what is wrong comes as a Refused",
    ("access.py", "db.errors"): "an outsider is refused as everything is: by a Refused",
    ("actions.py", "db.errors"): "a job that is refused is told on the page",
    ("actions.py", "db.engine"): "the queue writes, and no door but this file's leads to it",
    ("actions.py", "jobs"): "its buttons set jobs going",
    ("swap_actions.py", "db.errors"): "a swap that is refused is told on the page",
    ("swap_actions.py", "db.engine"): "a swap opens its own transaction",
    ("swap_actions.py", "jobs"): "an operator swaps by the code that the daily check uses",
    ("uploads.py", "db.importing"): "an uploaded file is imported by the code that the command runs",
    ("uploads.py", "db.engine"): "an import opens its own connections, in its own thread",
    ("uploads.py", "db.errors"): "what is wrong with a file comes as a Refused",
    ("uploads.py", "db.progress"): "the page shows how far the thread is",
    ("import_card.py", "db.errors"): "why a file is not taken is told on the page",
    ("model_changing.py", "db.model_changes"): "an operator's wish is done by the code that the command runs",
    ("model_changing.py", "db.engine"): "a change opens its own transactions",
    ("model_changing.py", "db.errors"): "why a model is not changed is told on the page",
    ("wording.py", "db.spreadsheets"): "what a spreadsheet takes for a formula is said once, for exports too",
}


# What single files of the jobs may import besides.
ALSO_IN_JOBS = {
    ("send_digest.py", "reports"): "it is the job that writes and sends the digest",
    ("alerting.py", "reports.alerts"): "a job in trouble is told at once, and health is known only here",
    ("alerting.py", "reports.deliver"): "how patient a delivery is, which tests choose",
    ("alerting.py", "reports.slack"): "the type of that patience",
}


def python_files(package: str) -> Iterator[Path]:
    for path in sorted((ROOT / package).rglob("*.py")):
        if "migrations/versions" not in path.as_posix():
            yield path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    return "jobs.formulas" if module.startswith("jobs.formulas") else module.split(".")[0]


def within(module: str, allowed: set[str]) -> bool:
    """Whether one of those allowed is the module or holds it."""
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


def strangers(package: str) -> Iterator[tuple[Path, str]]:
    """The imports between rooms that no row of the table allows."""
    for path in python_files(package):
        own = room(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."))
        for module in imports(path):
            if within(module, set(PACKAGES)) and room(module) != own and not within(module, MAY_IMPORT[own]):
                yield path, module


@pytest.mark.parametrize("package", ["db", "reports"])
def test_packages_import_only_what_they_may(package):
    assert [f"{path.relative_to(ROOT)} imports {module}" for path, module in strangers(package)] == []


@pytest.mark.parametrize(("package", "also"), [("dashboard", ALSO), ("jobs", ALSO_IN_JOBS)])
def test_packages_import_what_their_row_says_and_the_exceptions_named(package, also):
    found = {(path.name, module) for path, module in strangers(package)}
    unnamed = [
        one for one in found if not any(one[0] == file and within(one[1], {name}) for file, name in also)
    ]
    unused = [
        one for one in also if not any(one[0] == file and within(name, {one[1]}) for file, name in found)
    ]
    assert unnamed == []
    assert unused == [], "no exception that nothing needs any more"


def test_formulas_import_nothing_of_ours():
    for path in python_files("jobs/formulas"):
        assert not {module.split(".")[0] for module in imports(path)} & (set(PACKAGES) - {"jobs"}), path


@pytest.mark.parametrize("command", ["db", "jobs"])
def test_a_command_starts_without_what_only_some_runs_need(command):
    """Each takes a tenth of a second or more, which everybody would wait for."""
    heavy = {"numpy", "pandas", "scipy", "altair", "alembic", "slack_sdk", "streamlit", "lightgbm"}
    told = f"import sys, {command}.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert heavy & set(loaded.stdout.split()) == set()


def test_streamlit_stays_in_the_dashboard():
    for package in ("db", "jobs", "reports"):
        for path in python_files(package):
            assert not any(module.startswith("streamlit") for module in imports(path)), path


def test_the_dashboard_speaks_no_sql():
    for path in python_files("dashboard"):
        assert not any(within(module, {"sqlalchemy"}) for module in imports(path)), path


def test_only_filters_touches_session_state_and_the_address():
    for path in python_files("dashboard"):
        text = path.read_text(encoding="utf-8")
        if path.name != "filters.py":
            assert "session_state" not in text and "query_params" not in text, path


def test_views_are_prose():
    for path in python_files("dashboard/views"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not any(
            isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in ast.walk(tree)
        ), path
        assert not any(module.startswith(("altair", "pandas", "sqlalchemy")) for module in imports(path)), (
            path
        )
        shown = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
        prose = path.read_text(encoding="utf-8").count("\n") - (shown[1].lineno - 1)
        assert prose <= 60, path


def test_only_settings_reads_the_environment():
    for package in ("db", "jobs", "reports", "dashboard"):
        for path in python_files(package):
            text = path.read_text(encoding="utf-8")
            assert "os.getenv" not in text and "environ[" not in text and "environ.get" not in text, path


def test_the_lists_are_complete():
    assert {table.__tablename__ for table in TABLES} == set(Base.metadata.tables)
    assert {entry.job.name for entry in timetable(settings.load())} == set(JOBS)
    for name, job in JOBS.items():
        assert job.name == name
        assert (ROOT / "jobs" / f"{name}.py").is_file(), "a job's name is its file"
    views = {path.name for path in (ROOT / "dashboard" / "views").glob("*.py")}
    navigation = (ROOT / "dashboard" / "navigation.py").read_text(encoding="utf-8")
    assert views == set(re.findall(r'"(\w+\.py)"', navigation))


def test_metrics_name_columns_that_exist():
    columns = set(Base.metadata.tables["daily_model_performance"].c.keys())
    known_of = {"models": columns, "quality": set(quality.COLUMNS)}
    known_of["forecasts"] = set(Base.metadata.tables["daily_forecasts"].c.keys())
    known_of["agents"] = set(agents.COLUMNS)
    for metric in metrics.METRICS.values():
        known = known_of[metric.word]
        assert {name for name in (metric.count, metric.mean, metric.std, metric.part) if name} <= known


def test_the_readme_lists_every_setting_with_its_meaning():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| .*? \| (.*?) \|$", README, re.M))
    wanted = {name.upper(): field.description for name, field in settings.Settings.model_fields.items()}
    assert rows == wanted


def commands(parser: argparse.ArgumentParser) -> set[str]:
    (choices,) = (
        action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    return set(choices)


def test_the_readme_names_every_command_and_import_column():
    for name, command in (("db", db_command), ("jobs", jobs_command), ("reports", reports_command)):
        parser = command._parser()
        named = " ".join(re.findall(rf"^    python -m {name} (.*)$", README, re.M))
        for command in commands(parser):
            assert re.search(rf"\b{command}\b", named), f"{name} {command}"
    for spec in SPECS.values():
        for column in spec.columns:
            assert f"`{column.name}`" in README, column.name
    for target in re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M):
        assert f"make {target}" in README, target


def test_the_demo_pins_and_the_lock_agree():
    locked = dict(
        re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", (ROOT / "requirements-lock.txt").read_text(), re.M)
    )
    locked = {name.lower().replace("_", "-"): version for name, version in locked.items()}
    for file in ("requirements.txt", "requirements-dev.txt"):
        for name, version in re.findall(
            r"^([A-Za-z0-9_.-]+)(?:\[\w+\])?==(\S+)", (ROOT / file).read_text(), re.M
        ):
            assert locked[name.lower().replace("_", "-")] == version, f"{file}: {name}; run make lock"


def test_every_number_is_defined() -> None:
    told = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for metric in metrics.METRICS.values():
        assert f"| {metric.label} | {metric.definition} |" in told
    columns = {column.name for column in Base.metadata.tables["daily_model_performance"].columns}
    assert [name for name in columns - {"model_id", "date", "updated_at"} if f"`{name}`" not in told] == []
