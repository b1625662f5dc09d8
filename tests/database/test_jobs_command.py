"""python -m jobs: what it prints, and its exit statuses."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select
from test_aggregate_models import aggregated, assert_right, change, marks, noon, scored, store

import settings
from db.errors import Refused
from db.tables.operations import JobRun
from jobs import claims, queue
from jobs.__main__ import main
from jobs.job import Job, Outcome
from jobs.timetable import JOBS

MONDAY = date(2024, 11, 4)  # far from yesterday, which every run computes: the clock is the real one here
NAME = "aggregate_models"


class Shell:
    """Calls the command and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self.out, self.err = capsys, "", ""

    def __call__(self, *arguments: str) -> int:
        try:
            status = main(arguments)
        except SystemExit as left:  # argparse
            status = int(left.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return status

    @property
    def json(self) -> Any:
        """The one JSON object that standard output holds, and nothing else."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


@pytest.fixture
def shell(engine: Engine, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def sqlite_shell(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """For calls that never come as far as the database's own ways."""
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    return Shell(capsys)


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a job into the timetable that does what the test says."""

    def add(work: Callable[[], Any]) -> None:
        made = Job("count_things", "Count things", lambda _engine, _params, _run: Outcome(str(work())))
        monkeypatch.setitem(JOBS, made.name, made)

    return add


def fill(engine: Engine) -> None:
    """A fortnight of one model, from Monday 4 to Sunday 17 November 2024."""
    days = [MONDAY + timedelta(days=n) for n in range(14)]
    store(engine, [scored(f"{day}", 50 + n, day) for n, day in enumerate(days)])


def days(engine: Engine) -> list[date]:
    return sorted(day for _model, day in aggregated(engine))


# run


def test_run_does_the_work_and_says_so(engine: Engine, shell: Shell) -> None:
    fill(engine)
    assert shell("run", NAME) == 0
    assert shell.out.splitlines() == [
        "run 1: 14 days of 1 model: 14 rows changed",
        "run 2: 2 weeks: 2 verdicts changed",
    ]
    assert_right(engine)
    row = queue.run_row(engine, 1)
    assert (row.status, row.trigger) == ("succeeded", "command line")
    after = queue.run_row(engine, 2)
    assert (after.job, after.status, after.trigger, after.triggered_by) == (
        "judge_week",
        "succeeded",
        "command line",
        row.triggered_by,
    )
    assert shell("run", NAME) == 0
    assert shell.out.splitlines() == [
        "run 3: Nothing was stale.",
        "run 4: 1 week: 0 verdicts changed",
    ]


def test_run_of_a_day_a_range_and_a_week(engine: Engine, shell: Shell) -> None:
    fill(engine)
    assert shell("run", NAME, "--day", "2024-11-15") == 0
    assert days(engine) == [date(2024, 11, 15)]
    assert shell("run", NAME, "--since", "2024-11-07", "--until", "2024-11-08") == 0
    assert days(engine) == [date(2024, 11, day) for day in (7, 8, 15)]
    assert shell("run", NAME, "--week", "2024-W45") == 0
    assert days(engine) == [date(2024, 11, day) for day in (*range(4, 11), 15)]
    assert queue.run_row(engine, 5).params == {"since": "2024-11-04", "until": "2024-11-10"}


def test_run_of_one_model(engine: Engine, shell: Shell) -> None:
    store(engine, [scored("a", 50, MONDAY), scored("b", 60, MONDAY, model=2)])
    assert shell("run", NAME, "--model", "model-2") == 0
    assert list(aggregated(engine)) == [("model-2", MONDAY)]


@pytest.mark.parametrize("arguments", [[], ["--day", "2024-11-04"], ["--dry-run"]], ids=str)
def test_run_with_json_prints_one_object(engine: Engine, shell: Shell, arguments: list[str]) -> None:
    store(engine, [scored("a", 50, MONDAY)])
    assert shell("run", NAME, "--json", *arguments) == 0
    assert shell.err == ""
    found = shell.json
    assert (found["id"], found["job"], found["status"], found["rows_read"]) == (1, NAME, "succeeded", 1)
    assert found["result"]["pairs"] == 1
    assert datetime.fromisoformat(found["finished_at"]).tzinfo is not None


def test_dry_run_lists_the_changes_and_writes_nothing(engine: Engine, shell: Shell) -> None:
    store(engine, [scored("a", 50, MONDAY), scored("b", 60, MONDAY + timedelta(days=1))])
    main(["run", NAME])
    change(engine, "a", final_score=70)
    store(engine, [scored("c", 10, MONDAY + timedelta(days=2))])
    before, stale = aggregated(engine), marks(engine)
    shell("list")
    assert shell("run", NAME, "--dry-run") == 0
    assert shell.out.splitlines() == [
        "run 3: Dry run. 2 days of 1 model: 1 row would be added, 1 changed, 0 removed",
        "  ~ 2024-11-04 model-1: avg_final_score 50.0 → 70.0",
        "  + 2024-11-06 model-1",
    ]
    assert (aggregated(engine), marks(engine)) == (before, stale)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--day", "16.11.2026"], "--day"),
        (["--day", "2026-02-30"], "--day"),
        (["--day", "tomorrow"], "--day: “tomorrow” is not a day; write it as 2026-11-15"),
        (["--day", "2026-11-16", "--since", "2026-11-16"], "give a day, or since and until, not both"),
        (["--until", "2026-11-16"], "until needs since"),
        (["--since", "2026-11-17", "--until", "2026-11-16"], "since is after until"),
        (["--week", "2026-46"], "“2026-46” is not a week; write it as 2026-W46"),
        (["--week", "2025-W53"], "“2025-W53” is not a week; write it as 2026-W46"),
        (["--week", "2026-W46", "--day", "2026-11-16"], "give a week, or days, not both"),
        (["--model", "atlas-9"], "There is no model “atlas-9”"),
        (["--colour", "blue"], "unrecognized arguments: --colour"),
    ],
    ids=str,
)
def test_wrong_call_is_told_and_asks_for_no_run(
    sqlite_engine: Engine, sqlite_shell: Shell, arguments: list[str], words: str
) -> None:
    assert sqlite_shell("run", NAME, *arguments) == 2
    assert words in sqlite_shell.err
    assert "Traceback" not in sqlite_shell.err
    assert sqlite_shell.out == ""
    with sqlite_engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(JobRun)) == 0


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run"], ["run", "walk"], ["cancel", "soon"]], ids=str)
def test_wrong_command(sqlite_shell: Shell, arguments: list[str]) -> None:
    assert sqlite_shell(*arguments) == 2
    assert "usage: python -m jobs" in sqlite_shell.err


@pytest.mark.parametrize("number", ["x", "0", "1.5"])
def test_cancel_of_what_is_no_run(sqlite_shell: Shell, number: str) -> None:
    assert sqlite_shell("cancel", number) == 2
    assert f"“{number}” is not the number of a run; python -m jobs history shows them" in sqlite_shell.err


def test_run_of_days_of_which_there_is_nothing(engine: Engine, shell: Shell) -> None:
    nothing = "there are neither evaluations nor figures"
    assert shell("run", NAME, "--day", "2030-01-01") == 0
    assert shell.out.splitlines()[0] == f"run 1: 2030-01-01: {nothing}"
    assert shell("run", NAME, "--since", "2030-01-01", "--until", "2030-01-03") == 0
    assert f": 2030-01-01 – 2030-01-03: {nothing}" in shell.out.splitlines()[0]


def test_failed_run(engine: Engine, shell: Shell, job: Callable[..., None]) -> None:
    job(lambda: 1 / 0)
    assert shell("run", "count_things") == 1
    assert shell.err.splitlines()[-1] == "run 1 failed: ZeroDivisionError: division by zero"
    assert shell.out == ""
    assert shell("run", "count_things", "--json") == 1
    assert shell.json["error"] == "ZeroDivisionError: division by zero"


def test_refused_run(engine: Engine, shell: Shell, job: Callable[..., None]) -> None:
    def refuse() -> None:
        raise Refused("There are no things.")

    job(refuse)
    assert shell("run", "count_things") == 1
    assert shell.err.splitlines()[-1] == "run 1 failed: There are no things."


def test_run_that_is_cancelled_while_it_works(shell: Shell, engine: Engine, job: Callable[..., None]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    job(interrupt)
    assert shell("run", "count_things") == 130
    assert queue.run_row(engine, 1).status == "cancelled"


def test_run_waits_behind_the_run_of_a_dead_worker(engine: Engine, shell: Shell) -> None:
    """It was killed; nobody else looks for lost runs, so the command does."""
    store(engine, [scored("a", 50)])
    job, long_ago = JOBS[NAME], datetime.now(UTC) - timedelta(hours=1)
    lost = queue.request(engine, job, job.read({"day": "2026-11-16"}), trigger="manual", by="", now=long_ago)
    assert claims.claim(engine, "another-machine:1:2.00", long_ago)
    assert shell("run", NAME) == 0
    assert f"waits for another run of {NAME}" in shell.err
    assert queue.run_row(engine, lost.id).status == "queued"
    assert_right(engine)


# list, history, cancel


def test_list(engine: Engine, shell: Shell) -> None:
    assert shell("list") == 0
    told = "aggregate_models: Aggregate model evaluations; daily at 17:00; last never ran; next "
    assert told in shell.out
    main(["run", NAME])
    shell("list")
    assert " succeeded; next " in shell.out


def test_list_as_json(engine: Engine, shell: Shell) -> None:
    assert shell("list", "--json") == 0
    jobs = {job["name"]: job for job in shell.json["jobs"]}
    assert list(jobs) == list(JOBS)
    found = jobs[NAME]
    assert jobs["aggregate_quality"]["when"] == "daily at 17:10"
    assert jobs["judge_week"]["when"].startswith("after each aggregate_models, ")
    assert jobs["send_digest"]["when"] == "Mondays at 09:00"
    assert jobs["adjust_weights"]["when"] == "Sundays at 02:00"
    assert jobs["backtest_rules"]["when"] == "Sundays at 03:00"
    assert (found["name"], found["when"], found["last"], found["status"]) == (NAME, "daily at 17:00", "", "")
    following = datetime.fromisoformat(found["next"]).replace(tzinfo=settings.current().zone)
    assert timedelta(0) < following - datetime.now(UTC) <= timedelta(days=1)


def test_history_newest_first(engine: Engine, shell: Shell, job: Callable[..., None]) -> None:
    job(lambda: 1 / 0)
    for name in (NAME, "count_things", NAME):
        main(["run", name])
    shell("list")
    assert shell("history") == 0
    assert [line.split()[0] for line in shell.out.splitlines()] == ["5", "4", "3", "2", "1"]
    assert "ZeroDivisionError: division by zero" in shell.out.splitlines()[2]
    assert shell("history", "--last", "1") == 0
    assert [line.split()[0] for line in shell.out.splitlines()] == ["5"]
    assert shell("history", "count_things", "--json") == 0
    [found] = shell.json["runs"]
    assert (found["id"], found["status"]) == (3, "failed")
    assert shell("history", "walk") == 2
    assert "There is no job “walk”" in shell.err


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_history_of_no_sensible_number_of_runs(sqlite_shell: Shell, number: str) -> None:
    assert sqlite_shell("history", "--last", number) == 2


def test_cancel(engine: Engine, shell: Shell) -> None:
    job = JOBS[NAME]
    asked = queue.request(engine, job, job.read({}), trigger="manual", by="", now=datetime.now(UTC))
    assert shell("cancel", str(asked.id)) == 0
    assert shell.out == f"Run {asked.id} was waiting and is cancelled.\n"
    assert shell("cancel", str(asked.id)) == 1
    assert "has ended already" in shell.err
    assert shell("cancel", "99") == 2
    assert shell.err == "There is no run 99\n"


# Where it cannot work


def test_database_that_is_not_prepared(empty_engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(capsys)
    assert shell("list") == 1
    assert "python -m db upgrade" in shell.err


def test_time_zone_that_is_not_the_databases(sqlite_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    assert sqlite_shell("list") == 1
    assert "python -m db timezone Europe/Berlin" in sqlite_shell.err


def test_wrong_setting(sqlite_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS", "none")
    assert sqlite_shell("list") == 2
    assert sqlite_shell.err.startswith("WORKERS got 'none'; it takes: ")


def test_fault_of_the_database_is_one_line(
    engine: Engine, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE job_runs RENAME TO mislaid")
    monkeypatch.setattr("jobs.__main__.refuse_unready", lambda *_: None)
    assert shell("history") == 1
    assert shell.err.startswith("The database refused: ")
    assert shell.err.count("\n") == 1


def test_command_as_a_process(engine: Engine) -> None:
    """The way people call it, with standard output and error apart."""
    with engine.begin() as connection:
        connection.execute(
            insert(JobRun).values(
                job=NAME,
                params={},
                params_hash="x",
                status="succeeded",
                trigger="manual",
                queued_at=noon(MONDAY),
            )
        )
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "history", "--json"],
        cwd=settings.ROOT,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [run["status"] for run in json.loads(done.stdout)["runs"]] == ["succeeded"]
