"""How numbers and periods are written in charts."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal
from unicodedata import east_asian_width

from language import N_, _

Grain = Literal["day", "week"]
Show = Callable[[float], str]

STEP: dict[Grain, timedelta] = {"day": timedelta(days=1), "week": timedelta(days=7)}
MONTHS = [
    N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
    N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"),
]  # fmt: skip


def number(value: float, decimals: int = 1) -> str:
    """With a true minus and thousands separators: −2,870.5."""
    return f"{value:,.{decimals}f}".replace("-", "−")


def signed(value: float, decimals: int = 1) -> str:
    """A change: with a plus or a true minus, without either where it rounds to nothing."""
    if not round(value, decimals):
        return f"{0:.{decimals}f}"
    return f"{value:+,.{decimals}f}".replace("-", "−")


def interval(low: float, high: float, show: Show = number) -> str:
    return f"{show(low)} … {show(high)}"


def month(day: date) -> str:
    return _(MONTHS[day.month - 1])


def month_of_year(day: date) -> str:
    return _("{month} {year}").format(month=month(day), year=day.year)


def day_name(day: date) -> str:
    return _("{day} {month}").format(day=day.day, month=month(day))


def period_name(first: date, grain: Grain) -> str:
    """A day (16 Nov 2026) or a week by its first and last day (9 – 15 Nov 2026)."""
    last = first + STEP[grain] - timedelta(days=1)
    if grain == "day":
        pattern = _("{day} {month} {year}")
    elif first.year != last.year:
        return f"{period_name(first, 'day')} – {period_name(last, 'day')}"
    elif first.month == last.month:
        pattern = _("{day} – {last_day} {month} {year}")
    else:
        pattern = _("{day} {month} – {last_day} {last_month} {year}")
    return pattern.format(
        day=first.day, month=month(first), last_day=last.day, last_month=month(last), year=last.year
    )


def text_width(text: str, size: float) -> float:
    """A guess, in pixels: hangul and symbols are about twice as wide as Latin letters."""
    return sum(size if east_asian_width(letter) in "WFA" else size * 0.45 for letter in text)
