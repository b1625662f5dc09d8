"""What each weight rule would have done, week by week, with what was known then.

On each Monday every rule weighs the members by the outcomes that became known in the 31 days up to the Sunday before;
where it skips, its weights stay. The weights are applied to what all members predicted in that week. Beside the rules
stand each member alone, and the member that was best over the whole span, which nobody knew then.

The loss of a prediction is its squared error divided by the mean squared move (actual − base)² of its code and
horizon over all occasions known on that Sunday, which is what it has cost so far to say that nothing moves; where no
base value of a code is known, by the mean squared error of its members so far. So codes of any price can be averaged,
and nothing that came later is in a scale. Until ten occasions of a code are known its predictions are not scored.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas import DataFrame

from jobs.formulas.intervals import Floats
from jobs.formulas.outcomes import Occasions, Panel, monday, panel
from jobs.formulas.shares import Ints
from jobs.formulas.weight_names import rules_for, starting_weights
from jobs.formulas.weights import ENOUGH, RULES, WINDOW_DAYS

ALONE = "only:"  # before a member's name
BEST_MEMBER = "best_member"
MEASURES = ["loss", "n", "hits", "directions"]


@dataclass(frozen=True)
class Backtest:
    """What rules (also `only:MEMBER` and `best_member`) would have lost, by day and by week.

    days: rule, horizon, day (predicted, date ordinal), loss (mean over the occasions), n (occasions), hits and
    directions (occasions whose direction was right, is known). weeks: rule, horizon, week_start (the Monday's
    ordinal), loss, hit_rate (0–1, NaN without a base value), n.
    """

    days: DataFrame
    weeks: DataFrame


def backtest(
    outcomes: DataFrame,
    members: Sequence[str],
    rules: Sequence[str] | None = None,
    window_days: int = WINDOW_DAYS,
) -> Backtest:
    """Walks through a frame of outcomes.COLUMNS; all rules that can weigh so many members where none are named."""
    known = panel(outcomes, members)
    names = tuple(rules_for(len(members)) if rules is None else rules)
    alone = [ALONE + member for member in members]
    scores = list(_weeks(known, names, starting_weights(tuple(members)), window_days))
    days = _with_best(_days([*names, *alone], scores), alone)
    return Backtest(days, _by_week(days))


def together(parts: Sequence[DataFrame]) -> Backtest:
    """One backtest of several, each of other codes or horizons, from their days; at least one of them."""
    days = pd.concat(parts, ignore_index=True)
    days = days[days["rule"] != BEST_MEMBER].assign(loss=days["loss"] * days["n"])
    sums = days.groupby(["rule", "horizon", "day"], sort=False)[MEASURES].sum().reset_index()
    sums["loss"] = sums["loss"] / sums["n"]
    alone = [rule for rule in sums["rule"].unique() if rule.startswith(ALONE)]
    found = _with_best(sums, alone)
    return Backtest(found, _by_week(found))


@dataclass(frozen=True)
class _Scores:
    """Sums over the occasions of each (horizon, day) of a week; loss and hits are rules × those."""

    horizon: Ints
    day: Ints
    n: Ints
    directions: Ints
    loss: Floats
    hits: Floats


def _weeks(known: Panel, rules: Sequence[str], start: Sequence[float], window_days: int) -> Iterator[_Scores]:
    """The scores of each week that has any."""
    every = known.occasions
    in_force = np.tile(np.array(start), (len(rules), len(known.horizon), 1))
    totals, counted = np.zeros((4, len(known.horizon))), 0
    for week, low, high in _mondays(every):
        window = known.window(week - window_days, week - 1)
        for place, rule in enumerate(rules):
            found = RULES[rule](window).weights
            in_force[place] = np.where(np.isnan(found), in_force[place], found)
        totals += known.moves.between(counted + 1, week - 1)
        counted = week - 1
        scale = _scale(totals)
        scored = low + np.flatnonzero(scale[every.group[low:high]] > 0)
        if len(scored):
            yield _score(every, scored, known.horizon, in_force, scale)


def _mondays(every: Occasions) -> Iterator[tuple[int, int, int]]:
    """Each week from the first to the last that has occasions: its Monday, and the places of its occasions."""
    if len(every.day):
        first, last = int(monday(every.day[:1])[0]), int(every.day[-1])
        mondays = np.arange(first, last + 1, 7)
        places = np.searchsorted(monday(every.day), np.append(mondays, mondays[-1] + 7))
        yield from zip(mondays.tolist(), places[:-1].tolist(), places[1:].tolist(), strict=True)


def _scale(totals: Floats) -> Floats:
    """By what the squared errors of each group are divided; NaN where too little is known, 0 where nothing moved."""
    based, moved, n, error = totals
    by_moves = moved / np.where(based >= ENOUGH, based, np.nan)
    scale: Floats = np.where(based > 0, by_moves, error / np.where(n >= ENOUGH, n, np.nan))
    return scale


def _score(every: Occasions, scored: Ints, horizon: Ints, in_force: Floats, scale: Floats) -> _Scores:
    """What the rules, then each member alone, made of these occasions of one week."""
    group, actual, base = every.group[scored], every.actual[scored], every.base[scored]
    weights = in_force[:, group]
    error = _blended(weights, every.predicted[scored] - actual[:, None])
    # Of the moves rather than of the values: no rounding makes a move of a forecast that says that nothing moves.
    move = _blended(weights, every.predicted[scored] - base[:, None])
    hit = np.sign(move) == np.sign(actual - base)  # never where the base is NaN
    key = np.column_stack([horizon[group], every.day[scored]])
    starts = np.flatnonzero(np.append(True, (key[1:] != key[:-1]).any(axis=1)))
    return _Scores(
        horizon=key[starts, 0],
        day=key[starts, 1],
        n=np.diff(np.append(starts, len(key))),
        directions=np.add.reduceat((~np.isnan(base)).astype(np.int64), starts),
        loss=np.add.reduceat(error**2 / scale[group], starts, axis=1),
        hits=np.add.reduceat(hit.astype(float), starts, axis=1),
    )


def _blended(weights: Floats, values: Floats) -> Floats:
    """rules × occasions × members and occasions × members → (rules, then members) × occasions."""
    return np.concatenate([np.einsum("rom,om->ro", weights, values), values.T])


def _days(names: Sequence[str], scores: Sequence[_Scores]) -> DataFrame:
    """One row a rule, horizon and day."""
    empty, none = np.empty(0, dtype=np.int64), np.empty((len(names), 0))
    every = [_Scores(empty, empty, empty, empty, none, none), *scores]
    horizon, day, n, directions = (
        np.concatenate([getattr(one, name) for one in every])
        for name in ("horizon", "day", "n", "directions")
    )
    loss, hits = (np.concatenate([getattr(one, name) for one in every], axis=1) for name in ("loss", "hits"))
    return DataFrame(
        {
            "rule": np.repeat(np.array(names, dtype=object), len(day)),
            "horizon": np.tile(horizon, len(names)),
            "day": np.tile(day, len(names)),
            "loss": (loss / n).ravel(),
            "n": np.tile(n, len(names)),
            "hits": hits.ravel().astype(np.int64),
            "directions": np.tile(directions, len(names)),
        }
    )


def _with_best(days: DataFrame, alone: Sequence[str]) -> DataFrame:
    """Also the member that lost least over all days of each horizon, which is known only afterwards."""
    single = days[days["rule"].isin(alone)]
    total = (single["loss"] * single["n"]).groupby([single["horizon"], single["rule"]]).sum()
    best = total.unstack().idxmin(axis=1) if len(total) else total
    of_best = single[single["rule"] == single["horizon"].map(best)]
    return pd.concat([days, of_best.assign(rule=BEST_MEMBER)], ignore_index=True)


def _by_week(days: DataFrame) -> DataFrame:
    """One row a rule, horizon and week, over its occasions."""
    sums = days.assign(week_start=monday(days["day"].to_numpy()), loss=days["loss"] * days["n"])
    weeks = sums.groupby(["rule", "horizon", "week_start"], sort=False)[MEASURES].sum().reset_index()
    weeks["hit_rate"] = weeks["hits"] / weeks["directions"].where(weeks["directions"] > 0)
    weeks["loss"] = weeks["loss"] / weeks["n"]
    return weeks[["rule", "horizon", "week_start", "loss", "hit_rate", "n"]]
