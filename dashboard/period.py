"""The days that a page shows: presets that end at the newest data, and dates of one's own."""

from dataclasses import dataclass
from datetime import date, timedelta

from db.clock import FIRST_DAY, LAST_DAY, week_start
from language import N_
from reports.charts.text import Grain

OWN = "own"
PRESETS = {
    "7d": N_("Last 7 days"),
    "30d": N_("Last 30 days"),
    "90d": N_("Last 90 days"),
    "12w": N_("Last 12 weeks"),
    "26w": N_("Last 26 weeks"),
    "1y": N_("Last year"),
    "all": N_("All data"),
    OWN: N_("Own dates"),
}
DEFAULT_PRESET = "12w"
BY_DAY = 31  # up to so many days are shown by day, more by week


@dataclass(frozen=True)
class Period:
    """The days that a page shows, and whether by day or by ISO week."""

    first: date
    last: date
    grain: Grain

    @property
    def span(self) -> tuple[date, date]:
        return self.first, self.last

    @property
    def before(self) -> "Period":
        """The equally long period that ends where this one begins; whole weeks before weeks."""
        days = (self.last - self.first).days + 1
        if self.grain == "week":
            days = -(-days // 7) * 7
        return Period(self.first - timedelta(days=days), self.first - timedelta(days=1), self.grain)


def preset(name: str, newest: date, oldest: date) -> Period:
    """Presets stay relative and end at the newest day with data."""
    if name.endswith("w"):
        return Period(week_start(newest) - timedelta(weeks=int(name[:-1]) - 1), newest, "week")
    if name == "all":
        return _by_day_or_week(oldest, newest)
    days = 365 if name == "1y" else int(name[:-1])
    return _by_day_or_week(newest - timedelta(days=days - 1), newest)


def own(first: date, last: date, newest: date, oldest: date) -> Period:
    """The days asked for, as far as there are data; whole weeks where they are shown by week."""
    if first <= newest and oldest <= last:
        first, last = max(first, oldest), min(last, newest)
    shown = _by_day_or_week(first, last)
    if shown.grain == "day":
        return shown
    end = week_start(last) + timedelta(days=6)
    return Period(shown.first, min(end, newest) if last <= newest else end, "week")


def _by_day_or_week(first: date, last: date) -> Period:
    by_day = (last - first).days < BY_DAY
    return Period(first, last, "day") if by_day else Period(week_start(first), last, "week")


def dates(first: str, last: str) -> tuple[date, date] | None:
    """Two days as an address has them (2026-01-05); None where they are none, reversed, or of no calendar."""
    try:
        found = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return None
    return found if FIRST_DAY <= found[0] <= found[1] <= LAST_DAY else None
