"""From the figures of a window to decisions on the weights of each (code, horizon); nothing is written here."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame
from sqlalchemy import Connection, select

from db.tables.forecasts import EnsembleWeight
from jobs.changes import same
from jobs.formulas.members import Members
from jobs.formulas.weight_names import (
    BATES_GRANGER,
    EQUAL,
    HIT_RATE,
    MEMBERS_CHANGED,
    NO_MEMBER,
    REMOVED,
    UPDATED,
)
from jobs.formulas.weights import RULES, Pairs, Window
from jobs.window_figures import figures, pairs, window
from settings import Settings

BY_ITSELF = (HIT_RATE, EQUAL)  # rules that weigh a code without looking at others

Group = tuple[str, int]  # code, horizon
InForce = dict[Group, dict[str, float]]
FindPairs = Callable[[str, str], Iterable[Any]]


class Decision(NamedTuple):
    """On one model of a group; `before` and `after` are null where no weight is in force."""

    code: str
    horizon: int
    model: str
    before: float | None
    after: float | None
    hit_rate: float | None
    sample_count: int  # outcomes with a direction
    action: str
    reason: str


class Weighed(NamedTuple):
    """What a rule makes of a group, whatever is in force: weights None where it skips."""

    group: Group
    members: tuple[str, ...]
    figures: Mapping[str, Any]
    weights: list[float] | None
    action: str
    reason: str


def planned(connection: Connection, settings: Settings, as_of: date, code: str | None = None) -> DataFrame:
    """The decisions that a run with this as_of would take, on all codes or on one: columns as Decision.

    Under rules that pool over codes one code takes as long as all.
    """
    return DataFrame(plan(connection, settings, as_of, code), columns=list(Decision._fields))


def plan(connection: Connection, settings: Settings, as_of: date, code: str | None = None) -> list[Decision]:
    days, rule = window(as_of), settings.weight_rule
    rows = connection.execute(figures(days, code if rule in BY_ITSELF else None)).all()
    found = weigh(
        rows, settings.ensemble_members, rule, lambda *two: connection.execute(pairs(days, *two)).all()
    )
    asked = [one for one in found if code in (None, one.group[0])]
    return decisions(asked, in_force(connection, code))


def in_force(connection: Connection, code: str | None = None) -> InForce:
    """The weights of each group by model."""
    w = EnsembleWeight
    rows = select(w.code, w.horizon, w.model, w.weight)
    found: InForce = defaultdict(dict)
    for row in connection.execute(rows if code is None else rows.where(w.code == code)):
        found[row.code, row.horizon][row.model] = row.weight
    return found


def weigh(rows: Iterable[Any], members: Members, rule: str, find_pairs: FindPairs) -> list[Weighed]:
    """Every group that a member has an outcome of, in order; each set of members by itself."""
    prefixes: dict[str, str] = {}
    sets: dict[str, dict[Group, dict[str, Any]]] = {prefix: defaultdict(dict) for prefix in members.sets}
    for row in rows:
        if row.code not in prefixes:
            prefixes[row.code] = members.prefix_of(row.code)
        prefix = prefixes[row.code]
        if row.model in members.sets[prefix]:
            sets[prefix][row.code, row.horizon][row.model] = row
    found: list[Weighed] = []
    for prefix, groups in sets.items():
        names = members.sets[prefix]
        together = find_pairs(*names) if rule == BATES_GRANGER and groups else ()
        found += _weigh_set(groups, names, rule, together)
    return sorted(found, key=lambda one: one.group)


def _weigh_set(
    groups: Mapping[Group, Mapping[str, Any]], names: tuple[str, ...], rule: str, together: Iterable[Any]
) -> Iterator[Weighed]:
    if not groups:
        return
    weighed = RULES[rule](_window(groups, names, together))
    rows = zip(groups.items(), weighed.weights.tolist(), weighed.action, weighed.reason, strict=True)
    for (group, found), weights, action, reason in rows:
        updated = action == UPDATED
        yield Weighed(group, names, found, weights if updated else None, str(action), str(reason))


def _window(
    groups: Mapping[Group, Mapping[str, Any]], names: Sequence[str], together: Iterable[Any]
) -> Window:
    """The figures as arrays of groups × members."""
    told = np.zeros((4, len(groups), len(names)))
    told[3] = np.nan
    for place, found in enumerate(groups.values()):
        for number, name in enumerate(names):
            if row := found.get(name):
                told[:, place, number] = row.hit_count, row.direction_count, row.sample_count, row.mse
    errors = np.full((4, len(groups)), np.nan)
    errors[0] = 0
    place_of = {group: place for place, group in enumerate(groups)}
    for code, horizon, *means in together:
        if (code, horizon) in place_of:
            errors[:, place_of[code, horizon]] = means
    horizons = np.array([horizon for _code, horizon in groups], dtype=np.int64)
    hits, trials, n, mse = told
    return Window(horizons, hits, trials, n, mse, Pairs(*errors))


def decisions(weighed: Iterable[Weighed], held: Mapping[Group, Mapping[str, float]]) -> list[Decision]:
    """What becomes of the weights in force."""
    return [decision for one in weighed for decision in _of_group(one, held.get(one.group, {}))]


def _of_group(one: Weighed, held: Mapping[str, float]) -> Iterator[Decision]:
    """One for each member, then one for each model that has a weight and is no member any more.

    Where such a model loses its weight and the group is skipped, the others lose theirs too: what is left would not
    sum to 1. Readers then have the weights of the start.
    """
    gone = [name for name in held if name not in one.members]
    reason = MEMBERS_CHANGED if one.weights is None and gone else one.reason
    for place, name in enumerate(one.members):
        before = held.get(name)
        after = one.weights[place] if one.weights is not None else None if gone else before
        after = before if same(before, after) else after  # sums differ in their last digits from day to day
        yield Decision(*one.group, name, before, after, *_measured(one, name), one.action, reason)
    for name in gone:
        yield Decision(*one.group, name, held[name], None, None, 0, REMOVED, NO_MEMBER)


def _measured(one: Weighed, name: str) -> tuple[float | None, int]:
    """Hit rate, and of how many outcomes."""
    row = one.figures.get(name)
    trials = row.direction_count if row else 0
    return (row.hit_count / trials if row and trials else None), trials
