"""Numbers, days and weeks in words: the same on page, in the digest and in charts."""

import math
from datetime import date, datetime, timedelta
from typing import Any
from unicodedata import bidirectional

from db.metrics import Metric
from language import N_, _, spoken
from reports.charts.text import month, signed
from settings import current

WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
_TO_THE_LEFT = ("R", "AL", "RLE", "RLO", "RLI")


def isolated(text: str) -> str:
    """The text with marks around it where it runs from right to left, so that what stands beside it stays there."""
    to_the_left = any(bidirectional(letter) in _TO_THE_LEFT for letter in text)
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}" if to_the_left else text


def brief(text: str, most: int) -> str:
    """A name that is too long for its place, without its middle: both ends tell versions apart."""
    return text if len(text) <= most else f"{text[: most - most // 3 - 1]}…{text[-(most // 3) :]}"


def figure(value: float | None, metric: Metric) -> str:
    """A metric's value as people read it; – where there is none."""
    if value is None or math.isnan(value):
        return "–"
    told = f"{value:,.{metric.digits}f}".replace("-", "−")
    return f"{told}%" if metric.is_rate else told


def change(value: float | None, before: float | None, metric: Metric) -> str | None:
    """The difference to a value before, in points for rates; None where one is missing."""
    if value is None or before is None or math.isnan(value) or math.isnan(before):
        return None
    return difference(value - before, metric)


def difference(value: float, metric: Metric, with_unit: bool = True) -> str:
    """A change of a metric with its sign: +0.7, or −19.1 pp for rates."""
    told = signed(value, metric.digits_of_change)
    return _("{change} pp").format(change=told) if metric.is_rate and with_unit else told


def moment(at: datetime | None, now: datetime, whole: bool = False) -> str:
    """A moment of the near past or future, in `TIMEZONE`: a time today, else (or `whole`) a day and a time."""
    if at is None or at != at:
        return "–"
    zone = current().zone
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date() and not whole:
        return f"{local:%H:%M}"
    near = local.year == today.year and not whole
    pattern = _("{weekday} {day} {month} {time}") if near else _("{weekday} {day} {month} {time} {year}")
    weekday, time = _(WEEKDAYS[local.weekday()]), f"{local:%H:%M}"
    return pattern.format(weekday=weekday, day=local.day, month=month(local), time=time, year=local.year)


def day_in_words(day: date) -> str:
    """A day: 15 Nov 2026."""
    return _("{day} {month} {year}").format(day=day.day, month=month(day), year=day.year)


def span(first: date, last: date) -> str:
    """A range of days, as short as it can be said: 9 – 15 Nov 2026."""
    if first == last:
        return day_in_words(last)
    if first.year != last.year:
        return f"{day_in_words(first)} – {day_in_words(last)}"
    if first.month != last.month:
        pattern = _("{day} {month} – {last_day} {last_month} {year}")
    else:
        pattern = _("{day} – {last_day} {month} {year}")
    return pattern.format(
        day=first.day, month=month(first), last_day=last.day, last_month=month(last), year=last.year
    )


def week_name(monday: date) -> str:
    """An ISO week: Week 46."""
    return _("Week {n}").format(n=monday.isocalendar().week)


def week_against(monday: date) -> str:
    """Its days and what it is compared with: 9 – 15 Nov 2026, compared with week 45."""
    before = (monday - timedelta(days=7)).isocalendar().week
    days = span(monday, monday + timedelta(days=6))
    return _("{days}, compared with week {n}").format(days=days, n=before)


def span_with_end(first: date, last: date, newest: date) -> str:
    """The days shown, and whether they end where the data do."""
    told = span(first, last)
    return _("{span} (newest data)").format(span=told) if last == newest else told


def took(started: Any, finished: Any) -> str:
    """How long something took: 0.4 s, 14 s, 2 min."""
    if started is None or finished is None or started != started or finished != finished:
        return ""
    seconds = (finished - started).total_seconds()
    if seconds >= 120:
        return _("{n} min").format(n=f"{seconds / 60:.0f}")
    return _("{n} s").format(n=f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}")


def size_in_words(size: int) -> str:
    """A number of bytes: 640 kB, 12.3 MB, 1.2 GB."""
    if size < 1_000_000:
        return _("{n} kB").format(n=f"{size / 1e3:,.0f}")
    if size < 1_000_000_000:
        return _("{n} MB").format(n=f"{size / 1e6:,.1f}")
    return _("{n} GB").format(n=f"{size / 1e9:,.1f}")


def short_span(first: date, last: date) -> str:
    """A range of days without its year: 9 – 15 Nov; in Korean 11/9–11/15, as people write it there."""
    if spoken() == "ko":
        return f"{first.month}/{first.day}–{last.month}/{last.day}"
    if first.month == last.month:
        pattern = _("{day} – {last_day} {month}")
    else:
        pattern = _("{day} {month} – {last_day} {last_month}")
    return pattern.format(day=first.day, month=month(first), last_day=last.day, last_month=month(last))


def signed_percent(value: float) -> str:
    """A relative change: +10.7%."""
    return f"{signed(value)}%"
