"""Outcomes of forecasts as arrays, by the day on which they became known, for walking through them (backtest.py).

Days are date ordinals (date.toordinal()) of business days, so that day 1, 8, 15 … are Mondays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pandas import DataFrame, Series, factorize

from jobs.formulas.intervals import Floats
from jobs.formulas.shares import Ints
from jobs.formulas.weights import Pairs, Window

COLUMNS = (
    "code",
    "model",
    "horizon",
    "predicted_day",
    "target_day",
    "resolved_day",
    "predicted_value",
    "actual_value",
    "base_value",
)
NEEDED = ["predicted_day", "target_day", "resolved_day", "predicted_value", "actual_value"]


@dataclass(frozen=True)
class Timeline:
    """What became known on which day, each entry in a cell; `values` is kinds × entries, in the order of the days."""

    day: Ints
    cell: Ints
    values: Floats
    cells: int

    def between(self, first: int, last: int) -> Floats:
        """Sums over the days first … last, kinds × cells."""
        low, high = np.searchsorted(self.day, [first, last + 1])
        cell = self.cell[low:high]
        return np.stack([np.bincount(cell, kind[low:high], self.cells) for kind in self.values])


@dataclass(frozen=True)
class Occasions:
    """Where every member predicted: the same group, predicted day and target; in order of week, horizon and day.

    `predicted` is occasions × members. Base NaN where unknown.
    """

    day: Ints
    group: Ints
    predicted: Floats
    actual: Floats
    base: Floats


@dataclass(frozen=True)
class Panel:
    """All of it: groups are (code, horizon); `horizon` is one number a group.

    `rows` are outcomes in cells group × member: right, direction known, 1, squared error. `pairs` are those of two
    members: 1, both squares, product. `moves` are occasions in cells of groups: base known, squared move from it, 1,
    mean squared error of the members that predicted.
    """

    members: int
    horizon: Ints
    rows: Timeline
    pairs: Timeline | None
    moves: Timeline
    occasions: Occasions

    def window(self, first: int, last: int) -> Window:
        """What the outcomes say that became known on the days first … last."""
        hits, trials, n, squares = self.rows.between(first, last).reshape(4, -1, self.members)
        pairs = None
        if self.pairs is not None:
            together, *sums = self.pairs.between(first, last)
            pairs = Pairs(together, *(kind / np.where(together > 0, together, np.nan) for kind in sums))
        return Window(self.horizon, hits, trials, n, squares / np.where(n > 0, n, np.nan), pairs)


def monday(day: Ints) -> Ints:
    """The Monday of the ISO week that holds the day."""
    return day - (day - 1) % 7


def panel(outcomes: DataFrame, members: Sequence[str]) -> Panel:
    """From a frame of COLUMNS, one row an outcome; rows of other models or without a needed value are none.

    Where a member predicted the same twice on a day, each row counts in the windows, and the last one is what the
    ensemble is made of. Actual and base value of an occasion are those of the first of its rows that has one.
    """
    member = _members(outcomes["model"], members)
    known = (member >= 0) & outcomes[NEEDED].notna().to_numpy().all(axis=1)
    frame, member = outcomes.loc[known], member[known]
    group, horizon = _groups(frame)
    every, known_on = _occasions(frame, group, member, len(members))
    error = every.predicted - every.actual[:, None]
    return Panel(
        len(members),
        horizon,
        _rows(frame, group * len(members) + member, len(horizon) * len(members)),
        _pairs(known_on, every.group, error, len(horizon)) if len(members) == 2 else None,
        _moves(known_on, every.group, error, every.actual - every.base, len(horizon)),
        _complete(every, horizon),
    )


def _members(model: Series, members: Sequence[str]) -> Ints:
    """The place of each row's model among the members, −1 for others."""
    which, names = factorize(model)
    places = {name: place for place, name in enumerate(members)}
    return np.array([*(places.get(name, -1) for name in names), -1])[which]


def _groups(frame: DataFrame) -> tuple[Ints, Ints]:
    """The group of each row, and each group's horizon."""
    code, _codes = factorize(frame["code"])
    horizon = frame["horizon"].to_numpy(np.int64)
    which, horizons = factorize(horizon)
    group, groups = factorize(code * max(len(horizons), 1) + which)
    return group, horizons[groups % max(len(horizons), 1)]


def _rows(frame: DataFrame, cell: Ints, cells: int) -> Timeline:
    predicted, actual, base = (
        frame[name].to_numpy(float) for name in ("predicted_value", "actual_value", "base_value")
    )
    directed = ~np.isnan(base)
    hit = directed & (np.sign(predicted - base) == np.sign(actual - base))
    resolved = frame["resolved_day"].to_numpy(np.int64)
    return _timeline(resolved, cell, [hit, directed, None, (predicted - actual) ** 2], cells)


def _occasions(frame: DataFrame, group: Ints, member: Ints, members: int) -> tuple[Occasions, Ints]:
    """All occasions, NaN for members that are missing; and the day on which all of each was known."""
    occasion = _together(group, frame["predicted_day"], frame["target_day"])
    first = np.unique(occasion, return_index=True)[1]  # the place of its first row; numbers go by appearance
    predicted = np.full((len(first), members), np.nan)
    predicted[occasion, member] = frame["predicted_value"].to_numpy(float)
    actual, base = (
        _first(occasion, frame[name].to_numpy(float), len(first)) for name in ("actual_value", "base_value")
    )
    known_on = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(known_on, occasion, frame["resolved_day"].to_numpy(np.int64))
    day = frame["predicted_day"].to_numpy(np.int64)[first]
    return Occasions(day, group[first], predicted, actual, base), known_on


def _together(group: Ints, predicted_on: Series, target: Series) -> Ints:
    """The occasion of each row, numbered in order of appearance."""
    day, days = factorize(predicted_on)
    aim, aims = factorize(target)
    return factorize((group * max(len(days), 1) + day) * max(len(aims), 1) + aim)[0]


def _first(occasion: Ints, value: Floats, occasions: int) -> Floats:
    """The first known value of each occasion."""
    there = ~np.isnan(value)
    found = np.full(occasions, np.nan)
    found[occasion[there][::-1]] = value[there][::-1]
    return found


def _timeline(day: Ints, cell: Ints, kinds: Sequence[object], cells: int) -> Timeline:
    """In the order of the days; None is a 1 for each."""
    order = np.argsort(day, kind="stable")
    values = [np.ones(len(day)) if kind is None else np.asarray(kind, dtype=float) for kind in kinds]
    return Timeline(day[order], cell[order], np.stack(values)[:, order], cells)


def _pairs(known_on: Ints, group: Ints, error: Floats, groups: int) -> Timeline:
    both = ~np.isnan(error).any(axis=1)
    first, second = error[both].T
    return _timeline(known_on[both], group[both], [None, first**2, second**2, first * second], groups)


def _moves(known_on: Ints, group: Ints, error: Floats, move: Floats, groups: int) -> Timeline:
    based = ~np.isnan(move)
    mean = np.nansum(error**2, axis=1) / (~np.isnan(error)).sum(axis=1)
    return _timeline(known_on, group, [based, np.where(based, move, 0) ** 2, None, mean], groups)


def _complete(every: Occasions, horizon: Ints) -> Occasions:
    """Those where all members predicted, in order."""
    all_there = np.flatnonzero(~np.isnan(every.predicted).any(axis=1))
    day, group = every.day[all_there], every.group[all_there]
    kept = all_there[np.lexsort((day, horizon[group], monday(day)))]
    return Occasions(
        every.day[kept], every.group[kept], every.predicted[kept], every.actual[kept], every.base[kept]
    )
