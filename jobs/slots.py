"""When a job is due: moments on the clock of a time zone, right across clock changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from db.clock import business_day, to_utc
from jobs.job import Job
from language import N_, _

WEEKDAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A job and its time of day; `weekday` 0–6 (Monday first) for weekly ones, `at` None for none at all.

    An `hourly` one also runs at that minute of every other hour. `after` are the jobs whose every successful run is
    followed by one of this job.
    """

    job: Job
    at: time | None = None
    weekday: int | None = None
    after: tuple[Job, ...] = ()
    hourly: bool = False

    def slots(self, after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Every slot in (after, until], oldest first: one a day or week, whatever the clocks do that day.

        Hours are those that pass: a day whose clocks change has 23 or 25.
        """
        if self.at is None:
            return
        if self.hourly:
            yield from self._hours(after, until, zone)
            return
        day = business_day(after, zone) - timedelta(days=1)
        while (slot := self._slot(day, self.at, zone)) <= until:
            if slot > after and self._is_due(day):
                yield slot
            day += timedelta(days=1)

    def next_slot(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """The first slot later than a moment."""
        return next(self.slots(after, after + timedelta(days=9), zone), None)

    def _hours(self, after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        assert self.at is not None
        day = business_day(after, zone) - timedelta(days=1)
        while (slot := self._slot(day, self.at, zone)) <= until:
            day += timedelta(days=1)
            following = self._slot(day, self.at, zone)
            while (
                slot < following and slot <= until
            ):  # counted from each day anew: clocks may move half an hour
                if slot > after:
                    yield slot
                slot += timedelta(hours=1)

    def _is_due(self, day: date) -> bool:
        return self.weekday is None or day.weekday() == self.weekday

    @staticmethod
    def _slot(day: date, at: time, zone: ZoneInfo) -> datetime:
        # The first of two equal times, and after a time that is skipped: never one of the day before.
        return to_utc(datetime.combine(day, at.replace(fold=0)), zone)

    def told(self) -> str:
        """The rhythm in words."""
        if self.after:
            return _("after each {job}").format(job=", ".join(job.name for job in self.after))
        if self.at is None:
            return _("on request")
        if self.hourly:
            return _("daily at {at}, and at that minute of each hour").format(at=f"{self.at:%H:%M}")
        if self.weekday is None:
            return _("daily at {at}").format(at=f"{self.at:%H:%M}")
        return _("{weekday}s at {at}").format(weekday=_(WEEKDAYS[self.weekday]), at=f"{self.at:%H:%M}")


def every_day(job: Job, at: time) -> Entry:
    return Entry(job, at)


def every_hour(job: Job, at: time) -> Entry:
    return Entry(job, at, hourly=True)


def every_week(job: Job, on: str, at: time) -> Entry:
    return Entry(job, at, WEEKDAYS.index(on))


def after_each(others: tuple[Job, ...], job: Job) -> Entry:
    return Entry(job, after=others)


def on_request(job: Job) -> Entry:
    return Entry(job)
