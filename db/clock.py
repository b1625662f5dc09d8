"""Time zone, business day and ISO week. UTC inside, `TIMEZONE` at the edges."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from db.errors import Refused
from language import _

Now = Callable[[], datetime]

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2100, 12, 31)


def utc_now() -> datetime:
    """The present moment; everything that needs it takes it as a parameter and gets this in production."""
    return datetime.now(UTC)


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """A wall time of the zone in UTC; the first of two where clocks go back, moved on where they skip."""
    return local.replace(tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=100_000)
def starts_at(day: date, zone: ZoneInfo) -> datetime:
    """The UTC moment at which a business day begins: its first local moment, also where midnight is skipped."""
    return to_utc(datetime.combine(day, time.min), zone)


def business_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day whose start … next start holds an aware moment.

    Nearly always its local date; where clocks went back across midnight the second 23:30 stays in the new day.
    """
    local = moment.astimezone(zone).date()
    tomorrow = local + timedelta(days=1)
    return tomorrow if starts_at(tomorrow, zone) <= moment else local


def week_start(day: date) -> date:
    """The Monday of the ISO week that holds the day."""
    return day - timedelta(days=day.weekday())


def days(first: date, last: date) -> Iterator[date]:
    """Every day from first to last, both included."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def parse_day(text: str) -> date:
    """A day as people type it (2026-11-15); raises Refused."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(
            _("“{text}” is not a day; write it as 2026-11-15").format(text=text), status=2
        ) from None


def parse_week(text: str) -> date:
    """The Monday of an ISO week written as 2026-W46; raises Refused."""
    try:
        year, _sep, number = text.upper().partition("-W")
        monday = date.fromisocalendar(int(year), int(number), 1)
        if not FIRST_DAY <= monday <= LAST_DAY:
            raise ValueError(text)
        return monday
    except ValueError:
        raise Refused(_("“{text}” is not a week; write it as 2026-W46").format(text=text), status=2) from None


def parse_monday(text: str) -> date:
    """The Monday of a week that is typed as 2026-W46 or as one of its days; raises Refused."""
    if "W" in text.upper():
        return parse_week(text)
    try:
        day = date.fromisoformat(text)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ValueError(text)
    except ValueError:
        raise Refused(_("“{text}” is not a week; write it as 2026-W46").format(text=text), status=2) from None
    return week_start(day)
