"""Half a year on clocks that change for summer, and that somebody sets back: each day due has its run, and one."""

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Engine, select

import settings
from db.engine import reading
from db.tables.operations import JobRun
from jobs.loop import Loop
from jobs.timetable import timetable
from soak.evidence import Finding

ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe")
TIMES = (time(1, 30), time(2, 30))  # inside the hour that is skipped or comes twice
BEGIN, DAYS = datetime(2026, 2, 20, 12, tzinfo=UTC), 270
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SET_BACK = 0.02  # how often, of all looks at the clock


def clocks(engine: Engine, seed: int, days: int = DAYS) -> Finding:
    """Two loops in turns, in a zone and at a time by chance; the clock goes back by an hour or a day now and then."""
    chance = random.Random(seed)  # noqa: S311
    zone, at = chance.choice(ZONES), chance.choice(TIMES)
    finding = Finding(f"clocks that change and are set back, {engine.dialect.name}")
    with finding.timed():
        config = settings.load(timezone=zone, aggregate_at=at, heartbeat_url=None)
        now, end, looks, back = BEGIN, BEGIN + days * DAY, 0, 0
        loops = [Loop(engine, config, lambda: now) for _loop in range(2)]
        while now < end:
            loop = loops[looks % 2]
            loop.tick()
            while loop.work_once():
                pass
            now, looks = now + chance.uniform(0, 4) * HOUR, looks + 1
            if chance.random() < SET_BACK:
                now, back = now - chance.choice([HOUR, DAY]), back + 1
        finding.faults = _wrong_days(engine, config, BEGIN.date() + DAY, end.date() - DAY)
        finding.figures = f"{zone} at {at:%H:%M}, {days} days, {looks} looks, set back {back} times"
    return finding


def _wrong_days(engine: Engine, config: settings.Settings, first: date, last: date) -> list[str]:
    """Days of a scheduled job without a run or with two, and runs that did not end well."""
    slots = select(JobRun.job, JobRun.scheduled_for, JobRun.status).where(JobRun.scheduled_for.is_not(None))
    with reading(engine) as connection:
        found = list(connection.execute(slots))
    faults = [
        f"{row.job} of {row.scheduled_for}: {row.status}"
        for row in found
        if row.status not in ("succeeded", "covered")
    ]
    days = Counter((row.job, row.scheduled_for.astimezone(config.zone).date()) for row in found)
    hourly = {entry.job.name for entry in timetable(config) if entry.hourly}
    faults += [
        f"{job} has {n} runs on {day}" for (job, day), n in days.items() if n > 1 and job not in hourly
    ]
    for entry in (entry for entry in timetable(config) if entry.at):
        for day in (first + k * DAY for k in range((last - first).days + 1)):
            wanted = entry.weekday in (None, day.weekday())
            if bool(days[entry.job.name, day]) != wanted:
                faults.append(f"{entry.job.name} has {'no' if wanted else 'a'} run on {day}")
    return faults
