"""Paused jobs: nothing is queued, nothing is caught up, what a person asks for runs; and old runs that go."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select
from test_jobs_command import Shell
from test_loop import DAY, HOUR, JOB, MINUTE, MORNING, SLOT, House

from db.errors import Refused
from db.queries import operations
from db.tables.operations import JobRun
from jobs import history, pausing


@pytest.fixture
def house(engine: Engine) -> House:
    """The loop was started this morning for the first time."""
    house = House(engine)
    house.loop.tick()
    return house


@pytest.fixture
def shell(engine: Engine, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def pause(house: House) -> str:
    return pausing.pause(house.engine, house.settings, JOB.name, house.clock.now)


def resume(house: House) -> str:
    return pausing.resume(house.engine, house.settings, JOB.name, house.clock.now)


def skipped(house: House) -> list[object]:
    return [run.result for run in house.runs if run.status == "covered"]


def test_slots_in_a_pause_are_recorded_as_skipped(house: House) -> None:
    pause(house)
    for day in range(3):
        house.at(SLOT + day * DAY)
        assert "queued" not in {run.status for run in house.runs}
    assert house.slots == [(SLOT + day * DAY, "covered", "schedule") for day in range(3)]
    assert skipped(house) == [{"skipped": "paused"}] * 3


def test_nothing_is_caught_up_at_resume(house: House) -> None:
    pause(house)
    house.at(SLOT + DAY)
    house.clock.now = SLOT + 2 * DAY + HOUR  # the loop stood still meanwhile
    resume(house)
    house.at(SLOT + 2 * DAY + 2 * HOUR)
    assert "queued" not in {run.status for run in house.runs}
    assert skipped(house) == [{"skipped": "paused"}] * 3
    house.at(SLOT + 3 * DAY)
    assert house.slots[-1] == (SLOT + 3 * DAY, "queued", "schedule")


def test_what_was_due_before_the_pause_still_runs(house: House) -> None:
    house.clock.now = SLOT + MINUTE
    pause(house)
    assert house.slots == [(SLOT, "queued", "schedule")]
    assert house.loop.work_once()


def test_what_a_person_asks_for_runs_in_a_pause(house: House) -> None:
    pause(house)
    house.ask()
    assert house.loop.work_once()


def test_a_job_paused_before_the_loop_ever_saw_it(engine: Engine) -> None:
    house = House(engine)
    pause(house)
    house.at(SLOT + DAY)
    resume(house)
    house.at(SLOT + 2 * DAY)
    assert [status for _at, status, _trigger in house.slots].count("queued") == 1


def test_a_paused_job_is_neither_due_nor_overdue(house: House) -> None:
    pause(house)
    house.clock.now = SLOT + 5 * HOUR
    (job,) = (job for job in house.health.jobs if job.name == JOB.name)
    assert (job.paused_since, job.next_slot, job.overdue_since) == (MORNING, None, None)
    resume(house)
    (job,) = (job for job in house.health.jobs if job.name == JOB.name)
    assert (job.paused_since, job.next_slot, job.overdue_since) == (None, SLOT + DAY, None)


def test_twice_is_once(house: House) -> None:
    assert "is paused" in pause(house)
    house.clock.now += HOUR
    assert "paused already" in pause(house)
    assert house.health.jobs[0].paused_since == MORNING
    assert "on schedule again" in resume(house)
    assert "not paused" in resume(house)


def test_a_job_that_does_not_exist(house: House) -> None:
    with pytest.raises(Refused, match="There is no job “nothing”"):
        pausing.pause(house.engine, house.settings, "nothing", MORNING)


def test_the_command(engine: Engine, shell: Shell) -> None:
    assert shell("pause", JOB.name) == 0
    assert "is paused" in shell.out
    shell("list")
    assert "PAUSED since" in shell.out
    shell("list", "--json")
    assert shell.json["jobs"][0]["paused"] and not shell.json["jobs"][0]["next"]
    assert shell("resume", JOB.name) == 0
    shell("list")
    assert "PAUSED" not in shell.out
    assert shell("pause", "nothing") == 2


# History


def finished(house: House, days_ago: int, slot: bool = False, status: str = "succeeded") -> int:
    at = MORNING - timedelta(days=days_ago)
    values = {"job": JOB.name, "params": {}, "params_hash": "", "status": status, "trigger": "schedule"}
    values |= {"queued_at": at, "finished_at": at, "scheduled_for": at if slot else None}
    with house.engine.begin() as connection:
        made: int = connection.scalar(insert(JobRun).values(values).returning(JobRun.id))
    return made


def trim(house: House, after: timedelta) -> int:
    with house.engine.begin() as connection:
        return history.trim_daily(connection, MORNING + after, house.settings.zone)


def test_old_runs_go_but_not_the_newest_ones(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT_RUNS", 2)
    _old, young, newest_slot = finished(house, 91), finished(house, 89), finished(house, 95, slot=True)
    finished(house, 200, status="failed")
    waiting, among_the_newest = house.ask(), finished(house, 300)
    assert trim(house, DAY) == 2
    assert {run.id for run in house.runs} == {young, newest_slot, waiting, among_the_newest}


def test_the_loop_trims_once_a_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT_RUNS", 0)
    finished(house, 91)
    house.at(MORNING + HOUR)
    assert len(house.runs) == 1, "today it was done before"
    house.at(MORNING + DAY)
    assert [run for run in house.runs if not run.scheduled_for] == []


def test_size_and_rows_of_the_database(house: House) -> None:
    finished(house, 1)
    with house.engine.connect() as connection:
        found = operations.storage(connection)
        runs = len(connection.execute(select(JobRun.id)).all())
    assert found["bytes"] > 100_000
    assert found["rows"] == {"job_runs": runs, "stale_marks": 0, "restatements": 0}
