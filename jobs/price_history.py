"""Prices as models take them: which codes have enough of them, and the newest bars of one."""

from collections.abc import Iterable
from datetime import date

import numpy as np
from sqlalchemy import Connection, func, select

from db.tables.forecasts import PriceBar
from jobs.formulas.boosting import ENOUGH_BARS
from jobs.formulas.features import Bars

MOST = 2_500  # newest bars that a model learns from, ten years of trading days

b = PriceBar


def codes_with(connection: Connection, least: int = ENOUGH_BARS) -> list[str]:
    """The codes with so many bars, in order."""
    counted = select(b.code).group_by(b.code).having(func.count() >= least).order_by(b.code)
    return list(connection.scalars(counted))


def wanted_codes(connection: Connection, named: Iterable[str], set_up: Iterable[str]) -> list[str]:
    """The codes that were named; else those of the settings; else all with enough bars."""
    return list(dict.fromkeys(named)) or list(dict.fromkeys(set_up)) or codes_with(connection)


def bars_of(connection: Connection, code: str, most: int = MOST) -> Bars:
    """A code's newest bars, in order."""
    newest = select(b.date, b.open, b.high, b.low, b.close, b.volume).where(b.code == code)
    rows = connection.execute(newest.order_by(b.date.desc()).limit(most)).all()[::-1]
    days: list[date] = [row.date for row in rows]
    values = np.array([tuple(row)[1:] for row in rows], dtype=float).reshape(len(rows), 5)
    return Bars(np.array([day.toordinal() for day in days], dtype=np.int64), *values.T)
