"""The demo's forecasts: a year of prices of five invented codes, and what two models and their ensemble made of them.

One member was good at first and the other became so: the weights follow.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from db.clock import business_day, to_utc
from db.demo.holding import DEMO_CODE

SEED = 20_261_117
HORIZONS = (1, 3, 5)
MEMBERS = ("chronos", "lgbm")
ENSEMBLE = "ensemble"
CLOSES_AT, PREDICTED_AT = time(15, 50), time(16, 30)
SPREAD = 0.014  # of a day's return

Row = dict[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Code:
    """An invented price: where it begins, and by how many days its turn from one member to the other is late."""

    name: str
    start: float
    digits: int
    late: int = 0


CODES = (
    Code("HARBOR" + DEMO_CODE, 74_000, 0),
    Code("REEF" + DEMO_CODE, 182.5, 2, 40),
    Code("SHOAL" + DEMO_CODE, 61.2, 2, -60),
    Code("TIDE" + DEMO_CODE, 2_750, 1, 90),
    Code("BUOY" + DEMO_CODE, 0.84, 4),
)


@dataclass
class Simulated:
    """Bars, and per member an array codes × horizons × days of predicted values; days are weekdays with a bar.

    `target` is the place of the bar that a prediction is matched with, len(days) where it is still to come.
    """

    days: list[date]
    closes: Floats
    target: NDArray[np.int64]
    predicted: dict[str, Floats] = field(default_factory=dict)

    @property
    def actual(self) -> Floats:
        """What came true, codes × horizons × days; NaN where it is still to come."""
        known = np.concatenate([self.closes, np.full((len(CODES), 1), np.nan)], axis=1)
        found: Floats = known[:, self.target]
        return found


def simulated_forecasts(zone: ZoneInfo, now: datetime, days: int) -> Simulated:
    """The year before a moment, with the bars that are known by then."""
    today = business_day(now, zone)
    if to_utc(datetime.combine(today, CLOSES_AT), zone) > now:
        today -= timedelta(days=1)
    all_days = [today - timedelta(days=k) for k in range(days, -1, -1)]
    open_days = [day for day in all_days if day.weekday() < 5]
    ahead = np.cumsum([0, *(np.diff([day.toordinal() for day in open_days]))])
    reached = ahead[None, :] + np.array(HORIZONS)[:, None]
    made = Simulated(open_days, _closes(open_days), np.searchsorted(ahead, reached))
    for number, member in enumerate(MEMBERS):
        made.predicted[member] = _forecast(made, number)
    return made


def _closes(days: list[date]) -> Floats:
    """Codes × days. Each day's step has a seed of its own, so that the past stays as it is the next day."""
    steps = np.array(
        [np.random.default_rng([SEED, day.toordinal()]).normal(0, SPREAD, len(CODES)) for day in days]
    )
    start = np.array([code.start for code in CODES])
    closes: Floats = start[:, None] * np.exp(np.cumsum(steps, axis=0).T)
    return np.array([np.round(line, code.digits) for line, code in zip(closes, CODES, strict=True)])


def _forecast(made: Simulated, number: int) -> Floats:
    """What a member says: its skill times the move to come, and noise; what is still to come is noise alone."""
    move = np.log(made.actual / made.closes[:, None, :])
    spread = SPREAD * np.sqrt(np.array(HORIZONS))[None, :, None]
    noise = np.array(
        [
            np.random.default_rng([SEED, number, day.toordinal()]).normal(size=(len(CODES), len(HORIZONS)))
            for day in made.days
        ]
    ).transpose(1, 2, 0)
    skill = _skill(made.days, number)[:, None, :]
    signal = np.where(np.isnan(move), 0.0, move / spread)
    said = skill * spread * (skill * signal + np.sqrt(1 - skill**2) * noise)
    return rounded(made.closes[:, None, :] * np.exp(said))


def rounded(predicted: Floats) -> Floats:
    """As they are stored."""
    return np.array([np.round(own, code.digits + 2) for own, code in zip(predicted, CODES, strict=True)])


def _skill(days: list[date], number: int) -> Floats:
    """Correlation with the move to come, codes × days: the first member's falls, the second's rises."""
    ago = np.array([(days[-1] - day).days for day in days], dtype=float)[None, :]
    late = np.array([code.late for code in CODES], dtype=float)[:, None]
    turn = 1 / (1 + np.exp((ago - 170 + late) / 30))  # from 0 to 1, about half a year ago
    skill: Floats = 0.36 - 0.28 * turn if number == 0 else 0.06 + 0.32 * turn
    return skill


def bars(made: Simulated, zone: ZoneInfo) -> list[Row]:
    """Rows of price_bars."""
    rows = []
    for k, code in enumerate(CODES):
        for n, day in enumerate(made.days):
            known = to_utc(datetime.combine(day, CLOSES_AT), zone)
            close, before = made.closes[k, n], made.closes[k, max(0, n - 1)]
            wiggle = 1 + SPREAD / 3
            prices = {"open": before, "high": max(close, before) * wiggle, "low": min(close, before) / wiggle}
            row: Row = {name: round(float(price), code.digits + 1) for name, price in prices.items()}
            row |= {"code": code.name, "date": day, "close": float(close), "imported_at": known}
            rows.append(row | {"updated_at": known})
    return rows


def predictions(made: Simulated, zone: ZoneInfo, now: datetime) -> list[Row]:
    """Rows of predictions, of members and ensemble."""
    rows = []
    for n, day in enumerate(made.days):
        at = to_utc(datetime.combine(day, PREDICTED_AT), zone)
        if at > now:
            break
        for k, code in enumerate(CODES):
            for h, horizon in enumerate(HORIZONS):
                common = {
                    "code": code.name,
                    "horizon": horizon,
                    "predicted_at": at,
                    "updated_at": at,
                    "day": day,
                }
                common |= {
                    "target_date": day + timedelta(days=horizon),
                    "base_value": float(made.closes[k, n]),
                }
                for model, values in made.predicted.items():
                    rows.append(common | {"model": model, "predicted_value": float(values[k, h, n])})
    return rows


def outcomes(made: Simulated, rows: list[Row], zone: ZoneInfo) -> list[Row]:
    """Rows of prediction_outcomes: what of the predictions came true, as the matching finds it."""
    place = {day: n for n, day in enumerate(made.days)}
    number = {code.name: k for k, code in enumerate(CODES)}
    found = []
    for row in rows:
        target = int(made.target[HORIZONS.index(row["horizon"]), place[row["day"]]])
        if target < len(made.days):
            day = made.days[target]
            known = to_utc(datetime.combine(day, CLOSES_AT), zone)
            actual = float(made.closes[number[row["code"]], target])
            more = {"actual_value": actual, "resolved_at": known, "bar_date": day, "day": day}
            found.append(row | more | {"updated_at": known})
    return found
