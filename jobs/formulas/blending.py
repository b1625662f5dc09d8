"""An ensemble's forecast, and which bar a forecast is about."""

from collections.abc import Mapping

from jobs.formulas.features import Ints

CALENDAR_BARS = 60  # newest bars, whose weekdays are those on which a code has bars


def blend(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighted mean of the members that are there; those that are not leave their weight to them in proportion.

    Equal where none of those that are there has a weight. ValueError without any.
    """
    if not values:
        raise ValueError("no member has a value")
    shares = {name: weights.get(name, 0.0) for name in values}
    total = sum(shares.values())
    if total <= 0:
        shares, total = dict.fromkeys(values, 1.0), float(len(values))
    return sum(value * shares[name] for name, value in values.items()) / total


def bars_ahead(day: Ints, horizon: int) -> int:
    """How many bars after the newest one a forecast so many calendar days ahead is about, as far as weekdays tell.

    That is the first one on or after its target date, on a weekday on which the code has had bars lately.
    """
    weekdays = set((day[-CALENDAR_BARS:] % 7).tolist())
    bars, now, due = 0, int(day[-1]), int(day[-1]) + horizon
    while bars == 0 or now < due or now % 7 not in weekdays:
        now += 1
        bars += now % 7 in weekdays
    return bars
