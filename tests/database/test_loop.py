"""The schedule against a simulated clock, and the worker that takes what it queues."""

import datetime as dt
import random
import threading
import types
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import schedule
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import DBAPIError

import jobs.loop
import settings
from db.engine import bookkeeping
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import JobRun
from jobs import claims, queue, runner
from jobs.health import Health, health
from jobs.job import Job, Outcome
from jobs.loop import Loop
from jobs.timetable import JOBS
from jobs.workers import this_worker

SEOUL = ZoneInfo("Asia/Seoul")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SLOT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)  # 17:00 in Seoul, a Friday
MORNING = SLOT - 5 * HOUR
JOB = JOBS["aggregate_models"]


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class House:
    """A database, a clock, and a loop that looks at both."""

    def __init__(self, engine: Engine, **values: Any) -> None:
        self.engine, self.clock = engine, Clock()
        self.settings = settings.load(**values)
        self.loop = self.another_loop()

    def another_loop(self) -> Loop:
        return Loop(self.engine, self.settings, self.clock)

    def at(self, moment: datetime) -> None:
        """The loop's look at the clock at that moment."""
        self.clock.now = moment
        self.loop.tick()

    def ask(self, **params: Any) -> int:
        return queue.request(
            self.engine, JOB, JOB.read(params), trigger="manual", by="ada", now=self.clock.now
        ).id

    @property
    def runs(self) -> list[Any]:
        with self.engine.connect() as connection:
            mine = select(JobRun).where(JobRun.job == JOB.name)
            return list(connection.execute(mine.order_by(JobRun.scheduled_for, JobRun.id)))

    def work(self) -> None:
        """Runs what waits, and what follows from it."""
        while self.loop.work_once():
            pass

    @property
    def slots(self) -> list[tuple[datetime, str, str]]:
        return [(run.scheduled_for, run.status, run.trigger) for run in self.runs if run.scheduled_for]

    @property
    def health(self) -> Health:
        return health(self.engine, self.settings, self.clock.now)


@pytest.fixture
def house(engine: Engine) -> House:
    """The loop was started this morning for the first time."""
    house = House(engine)
    house.loop.tick()
    return house


# When a run is queued


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_nothing_is_caught_up_on_first_install(sqlite_engine: Engine, hour: int) -> None:
    house = House(sqlite_engine)
    house.at(MORNING + hour * HOUR)
    house.at(MORNING + hour * HOUR + MINUTE)
    assert house.runs == []


def test_due_slot_is_queued_once(house: House) -> None:
    house.at(SLOT - timedelta(microseconds=1))
    assert house.runs == []
    for seconds in (0, 10, 20, 3600):
        house.at(SLOT + timedelta(seconds=seconds))
    [run] = house.runs
    assert (run.job, run.status, run.trigger, run.triggered_by) == (
        "aggregate_models",
        "queued",
        "schedule",
        "",
    )
    assert (run.scheduled_for, run.queued_at, run.params) == (SLOT, SLOT, {})


def test_slot_that_has_run_is_not_queued_again(house: House) -> None:
    house.at(SLOT)
    house.work()
    house.at(SLOT + HOUR)
    assert house.slots == [(SLOT, "succeeded", "schedule")]


def test_every_day_has_its_run(house: House) -> None:
    for day in range(5):
        house.at(SLOT + day * DAY + 3 * MINUTE)
        house.work()
    assert house.slots == [(SLOT + day * DAY, "succeeded", "schedule") for day in range(5)]


def test_slot_comes_while_its_job_is_running(house: House) -> None:
    """What arrived since that run started wants a run of its own."""
    house.clock.now = SLOT - MINUTE
    running = house.ask()
    assert claims.claim(house.engine, this_worker(), house.clock.now, running)
    house.at(SLOT)
    assert house.slots == [(SLOT, "queued", "schedule")]


def test_run_that_waits_covers_the_slot(house: House) -> None:
    waiting = house.ask()
    house.at(SLOT)
    manual, covered = sorted(house.runs, key=lambda run: run.id)
    assert (manual.id, manual.status, manual.trigger) == (waiting, "queued", "manual")
    assert (covered.scheduled_for, covered.status, covered.result) == (
        SLOT,
        "covered",
        {"covered_by": waiting},
    )
    assert covered.finished_at == SLOT
    house.at(SLOT + 20 * MINUTE)
    assert len(house.runs) == 2
    house.work()
    assert not house.loop.work_once()


def test_run_with_other_parameters_covers_nothing(house: House) -> None:
    house.ask(dry_run=True)
    house.at(SLOT)
    assert house.slots == [(SLOT, "queued", "schedule")]


@pytest.mark.parametrize(("late", "trigger"), [(5 * MINUTE, "schedule"), (6 * MINUTE, "catch-up")])
def test_slot_that_is_queued_late_is_a_catch_up(house: House, late: timedelta, trigger: str) -> None:
    house.at(SLOT + late)
    assert house.slots == [(SLOT, "queued", trigger)]


def test_missed_slots_have_one_run_and_are_all_on_record(house: House) -> None:
    house.at(SLOT + 4 * DAY + HOUR)
    assert house.slots == [
        *((SLOT + day * DAY, "covered", "schedule") for day in range(4)),
        (SLOT + 4 * DAY, "queued", "catch-up"),
    ]
    *covered, run = house.runs
    assert [row.result for row in covered] == [{"covered_by": run.id}] * 4
    house.work()
    assert not house.loop.work_once()
    house.at(SLOT + 5 * DAY)
    assert house.slots[-1] == (SLOT + 5 * DAY, "queued", "schedule")


def of_agents(house: House) -> list[tuple[datetime, str, str]]:
    """The slots of the job that runs every hour: when, its status, its trigger."""
    with house.engine.connect() as connection:
        mine = (
            select(JobRun)
            .where(JobRun.job == "aggregate_agents", JobRun.scheduled_for.is_not(None))
            .order_by(JobRun.scheduled_for)
        )
        return [(run.scheduled_for, run.status, run.trigger) for run in connection.execute(mine)]


def test_an_hourly_job_is_queued_once_an_hour_and_hours_without_a_loop_give_one_run(
    sqlite_engine: Engine,
) -> None:
    house = House(sqlite_engine, aggregate_agents_at=time(17, 5))
    house.at(SLOT)
    for minutes in (4, 5, 6, 40, 65, 66):
        house.at(SLOT + minutes * MINUTE)
        house.work()
    first, second = SLOT + 5 * MINUTE, SLOT + 65 * MINUTE
    assert of_agents(house) == [(first, "succeeded", "schedule"), (second, "succeeded", "schedule")]
    house.at(SLOT + 3 * DAY + 20 * MINUTE)
    house.work()
    newest = SLOT + 3 * DAY + 5 * MINUTE
    assert of_agents(house)[2:] == [(newest, "succeeded", "catch-up")], "no row for each of 71 hours"
    house.at(SLOT + 3 * DAY + 64 * MINUTE)
    assert len(of_agents(house)) == 3


def test_slot_missed_right_after_the_first_start(house: House) -> None:
    """No run is on record yet, but the loop was there before the slot: it is caught up."""
    house.at(SLOT + 3 * HOUR)
    assert house.slots == [(SLOT, "queued", "catch-up")]


# Two loops


def test_two_loops_queue_one_run_a_slot(house: House) -> None:
    other = house.another_loop()
    for day in range(3):
        house.at(SLOT + day * DAY)
        other.tick()
        while other.work_once():
            pass
    assert house.slots == [(SLOT + day * DAY, "succeeded", "schedule") for day in range(3)]


def test_loops_that_tick_at_the_same_moment_queue_one_run_a_slot(engine: Engine) -> None:
    """From the first start on; each look at the clock after it finds a slot, or three that were missed."""
    house = House(engine)
    loops = [house.another_loop() for _n in range(3)]
    moments = [MORNING, SLOT, SLOT + DAY, SLOT + 4 * DAY]
    barrier = threading.Barrier(len(loops), action=lambda: setattr(house.clock, "now", moments.pop(0)))
    faults: list[Exception] = []

    def tick(loop: Loop) -> None:
        for _moment in range(4):
            barrier.wait(20)
            try:
                loop.tick()
            except DBAPIError as error:
                faults.append(error)
            barrier_out.wait(20)
            while loop is loops[0] and loop.work_once():
                pass

    barrier_out = threading.Barrier(len(loops))
    threads = [threading.Thread(target=tick, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert faults == []
    assert house.slots == [
        (SLOT, "succeeded", "schedule"),
        (SLOT + DAY, "succeeded", "schedule"),
        (SLOT + 2 * DAY, "covered", "schedule"),
        (SLOT + 3 * DAY, "covered", "schedule"),
        (SLOT + 4 * DAY, "succeeded", "catch-up"),
    ]


# Clocks that change


@pytest.mark.parametrize("back", [timedelta(seconds=1), HOUR, 5 * HOUR, DAY], ids=str)
def test_clock_set_back_after_a_slot_does_not_run_it_twice(house: House, back: timedelta) -> None:
    house.at(SLOT)
    house.work()
    for moment in (SLOT - back, SLOT - back / 2, SLOT, SLOT + MINUTE):
        house.at(moment)
    assert house.slots == [(SLOT, "succeeded", "schedule")]
    house.at(SLOT + DAY)
    assert house.slots[-1] == (SLOT + DAY, "queued", "schedule")


def test_clock_set_back_again_and_again_leaves_each_slot_one_run(sqlite_engine: Engine) -> None:
    """By an hour or a day, at random moments of a week around the change of the clocks in New York."""
    chance, zone = random.Random(0), "America/New_York"
    house = House(sqlite_engine, timezone=zone, aggregate_at=time(1, 30))
    now, end = datetime(2026, 10, 29, 12, tzinfo=UTC), datetime(2026, 11, 5, 12, tzinfo=UTC)
    while now < end:
        house.at(now)
        house.work()
        now += chance.uniform(0, 2) * HOUR
        if chance.random() < 0.04:
            now -= chance.choice([HOUR, DAY])
    slots = [slot.astimezone(ZoneInfo(zone)) for slot, _status, _trigger in house.slots]
    days = Counter(slot.date() for slot in slots)
    assert days.keys() >= {date(2026, 10, 30) + n * DAY for n in range(6)}
    assert set(days.values()) == {1}
    assert {(slot.hour, slot.minute) for slot in slots} == {(1, 30)}
    assert {status for _slot, status, _trigger in house.slots} == {"succeeded"}


def test_clock_set_back_before_the_first_start_of_the_loop(house: House) -> None:
    house.at(MORNING - 30 * DAY)
    assert house.runs == []
    house.at(SLOT - 30 * DAY)
    assert [run.scheduled_for for run in house.runs] == [SLOT - 30 * DAY]


def test_days_that_a_wrong_clock_had_already_shown_are_not_left_out(house: House) -> None:
    """The clock stood a month ahead for a moment, and all slots of that month were put on record."""
    house.at(SLOT + 30 * DAY)
    house.work()
    house.at(SLOT + MINUTE)
    for day in range(2, 6):
        house.at(SLOT + day * DAY)
        assert house.loop.work_once(), day


@pytest.mark.parametrize("at", [time(1, 30), time(2, 30)], ids=str)
@pytest.mark.parametrize("start", [datetime(2026, 3, 6, 12), datetime(2026, 10, 30, 12)], ids=str)
def test_clock_changes_leave_one_run_a_local_day(sqlite_engine: Engine, at: time, start: datetime) -> None:
    new_york = ZoneInfo("America/New_York")
    house = House(sqlite_engine, timezone="America/New_York", aggregate_at=at)
    for step in range(3 * 24 * 2):
        house.at(start.replace(tzinfo=UTC) + step * 30 * MINUTE)
        house.work()
    days = Counter(slot.astimezone(new_york).date() for slot, _status, _trigger in house.slots)
    assert len(days) == 3
    assert set(days.values()) == {1}
    assert {(status, trigger) for _slot, status, trigger in house.slots} == {("succeeded", "schedule")}


# The worker


def test_work_of_an_empty_queue(house: House) -> None:
    assert not house.loop.work_once()


def test_tick_finds_the_run_of_a_silent_worker(house: House) -> None:
    run_id = house.ask()
    assert claims.claim(house.engine, "another-machine:1:2.00", house.clock.now, run_id)
    house.at(MORNING + MINUTE)
    assert queue.run_row(house.engine, run_id).status == "running"
    house.at(MORNING + 2 * MINUTE)
    assert house.loop.work_once()
    row = queue.run_row(house.engine, run_id)
    assert (row.status, row.attempt) == ("succeeded", 2)


def test_loop_runs_what_is_asked_for_and_ends_when_it_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real clock and threads; the run under way ends at its next step and goes back into the queue."""
    monkeypatch.setattr(runner, "BEAT_SECONDS", 0.02)
    house, working = House(engine), threading.Event()
    loop = Loop(engine, house.settings)

    def never_ends(_engine: Engine, _params: Any, run: Any) -> Outcome:
        working.set()
        while True:
            run.progress(0.5, "half")
            sleep(0.005)

    quick = Job("quick", "Quick", lambda _e, _p, _r: Outcome("done"))
    slow = Job("slow", "Slow", never_ends)
    ids = {}
    for job in (quick, slow):
        monkeypatch.setitem(JOBS, job.name, job)
        asked = queue.request(engine, job, job.read({}), trigger="manual", by="", now=datetime.now(UTC))
        ids[job.name] = asked.id
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        assert working.wait(20)
        deadline = monotonic() + 20
        while queue.run_row(engine, ids["quick"]).status != "succeeded":
            assert monotonic() < deadline
            sleep(0.01)
    finally:
        loop.stop.set()
        thread.join(20)
    assert not thread.is_alive()
    row = queue.run_row(engine, ids["slow"])
    assert (row.status, row.attempt) == ("queued", 1)


def test_loop_goes_on_ticking_when_the_clock_is_set_back(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is every autumn on a machine whose own time zone has a winter: the ticker goes by local time."""

    class Local(datetime):
        back = timedelta(0)

        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) - cls.back

    clock = types.SimpleNamespace(
        **{name: getattr(dt, name) for name in ("date", "time", "timedelta")}, datetime=Local
    )
    monkeypatch.setattr(schedule, "datetime", clock)
    monkeypatch.setattr(jobs.loop, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(jobs.loop, "POLL_SECONDS", 0.01)
    ticks = threading.Semaphore(0)
    loop = Loop(sqlite_engine, settings.load(workers=1))
    monkeypatch.setattr(loop, "tick", ticks.release)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        assert all(ticks.acquire(timeout=10) for _tick in range(3))
        Local.back = HOUR
        assert all(ticks.acquire(timeout=10) for _tick in range(5))
    finally:
        loop.stop.set()
        thread.join(20)


def test_scheduled_run_really_aggregates(house: House) -> None:
    with house.engine.begin() as connection:
        connection.execute(insert(Model).values(id=1, name="atlas-2"))
        connection.execute(
            insert(ModelEvaluation).values(
                prediction_id="a",
                model_id=1,
                predicted_at=MORNING - DAY,
                evaluated_at=MORNING,
                final_score=80,
            )
        )
    house.at(SLOT)
    house.work()
    [run] = house.runs
    assert (run.status, run.rows_read, run.rows_written) == ("succeeded", 1, 1)
    assert run.message == "1 day of 1 model: 1 row changed"


# How the jobs are


def test_health_of_a_new_house(engine: Engine) -> None:
    found = House(engine).health
    job, *_others = found.jobs
    assert (job.name, job.rhythm, job.last, job.overdue_since) == (
        "aggregate_models",
        "daily at 17:00",
        None,
        None,
    )
    assert job.next_slot == SLOT
    assert not job.failed
    assert not found.worker_is_there


def test_health_sees_the_worker_for_a_minute(house: House) -> None:
    assert house.health.worker_is_there
    house.clock.now += timedelta(seconds=59)
    assert house.health.worker_is_there
    house.clock.now += timedelta(seconds=1)
    assert not house.health.worker_is_there
    house.clock.now = MORNING - HOUR
    assert not house.health.worker_is_there, "seen in the future, by a clock that was wrong"


def test_health_after_a_run(house: House) -> None:
    house.at(SLOT)
    house.work()
    job, *_others = house.health.jobs
    assert (job.last.status, job.last.finished_at, job.overdue_since) == ("succeeded", SLOT, None)
    assert job.next_slot == SLOT + DAY


def test_health_is_overdue_a_quarter_of_an_hour_after_a_slot_that_nobody_queued(house: House) -> None:
    house.clock.now = SLOT + 15 * MINUTE - timedelta(seconds=1)
    assert house.health.jobs[0].overdue_since is None
    house.clock.now = SLOT + 15 * MINUTE
    assert house.health.jobs[0].overdue_since == SLOT
    house.clock.now = SLOT + 3 * DAY
    assert house.health.jobs[0].overdue_since == SLOT, "since the first that was missed"


def test_health_is_overdue_when_a_queued_slot_finds_no_worker(house: House) -> None:
    house.at(SLOT)
    house.at(SLOT + 14 * MINUTE)
    assert house.health.jobs[0].overdue_since is None
    house.at(SLOT + 15 * MINUTE)
    assert house.health.jobs[0].overdue_since == SLOT
    house.work()
    assert house.health.jobs[0].overdue_since is None


def test_what_waits_for_another_job_is_not_overdue(house: House) -> None:
    sunday = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)  # 02:00 in Seoul
    with bookkeeping(house.engine) as connection:
        for name in ("retrain", "adjust_weights"):
            job = Job(name, name, lambda *_: Outcome(""))
            queue.insert_run(
                connection,
                job,
                job.read({}),
                status="queued",
                trigger="schedule",
                by="",
                now=sunday,
                scheduled_for=sunday,
            )

    def overdue() -> datetime | None:
        now = health(house.engine, house.settings, sunday + HOUR)
        return next(job.overdue_since for job in now.jobs if job.name == "adjust_weights")

    assert overdue() is None
    with bookkeeping(house.engine) as connection:
        connection.execute(update(JobRun).where(JobRun.job == "retrain").values(status="failed"))
    assert overdue() == sunday


@pytest.mark.parametrize("status", ["failed", "lost"])
def test_health_says_that_the_last_run_failed(house: House, status: str) -> None:
    run_id = house.ask()
    claimed = claims.claim(house.engine, this_worker(), MORNING, run_id)
    assert claimed is not None
    claims.finish(house.engine, claimed, status, MORNING, error="The disk is full.")
    job, *_others = house.health.jobs
    assert job.failed
    assert job.last.error == "The disk is full."
    house.ask()
    house.work()
    assert not house.health.jobs[0].failed


def test_rehearsals_and_covered_slots_are_not_the_last_run(house: House) -> None:
    house.ask()
    house.at(SLOT)
    house.work()
    real = house.health.jobs[0].last.id
    house.ask(dry_run=True)
    house.work()
    assert len(house.runs) == 3
    assert house.health.jobs[0].last.id == real
