"""Gradient boosted trees of a code's moves, scored walk-forward: what is scored is what may be put to use.

Daily moves are nearly noise, so the trees are small and few, and the newest part of what a fold learns from says when
to stop. Errors and moves are differences of logarithms. The same rows give the same model, on any number of workers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pandas import DataFrame

from jobs.formulas.diebold_mariano import diebold_mariano, lag_for
from jobs.formulas.features import Bars, Floats, Ints, Target, features, target
from jobs.formulas.openmp import lightgbm
from jobs.formulas.walk_forward import Fold, folds

ENOUGH_BARS = 300  # from which on a code is trained, a good year
ENOUGH_ROWS = 200  # of them with features and a target; the others' prices are missing or not above zero
WARM_UP = 20  # bars at the start whose features look back on too few others
MOST_ROUNDS, PATIENT_ROUNDS = 300, 30
PARAMETERS: dict[str, Any] = {
    "objective": "huber",  # a crash weighs no more than it must
    "alpha": 1.0,  # standard deviations, as moves are scaled by theirs
    "metric": "huber",
    "num_leaves": 7,
    "max_depth": 3,
    "min_data_in_leaf": 30,
    "lambda_l2": 10.0,
    "learning_rate": 0.03,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbose": -1,
}


@dataclass(frozen=True)
class Trees:
    """Trees as LightGBM writes them, which forecast moves in units of `scale`; the last day that they know."""

    booster: str
    scale: float
    trained_until: int


@dataclass(frozen=True)
class FoldScore:
    """Mean errors on a fold's held-out days, from first to last, by trees of so many rounds."""

    first: int
    last: int
    rows: int
    rounds: int
    mae: float
    mae_no_change: float


@dataclass(frozen=True)
class Scored:
    """What a training came to: the trees of the newest fold, their scores on it, and those of every fold.

    `mae_before` is that of the model in use on the same days, None without one that can be compared. `p` is the
    one-sided probability of a gain on "no change" like that of all folds together where there is none; NaN where the
    folds have too few rows.
    """

    rows: int
    folds: tuple[FoldScore, ...]
    trees: Trees
    mae: float
    mae_before: float | None
    mae_no_change: float
    hit_rate: float
    p: float


@dataclass(frozen=True)
class _Rows:
    """What may be learnt from: rows whose target is known."""

    x: Floats
    move: Floats
    day: Ints
    known_on: Ints


def usable_rows(bars: Bars, horizon: int) -> int:
    """How many bars have features and a target."""
    return int(_is_usable(target(bars, horizon)).sum())


def train(bars: Bars, horizon: int, in_use: Trees | None = None) -> Scored:
    """Trains for one horizon; ValueError where the rows are too few for a fold."""
    rows = _rows(bars, horizon)
    found = folds(rows.day, rows.known_on)
    if not found:
        raise ValueError(f"{len(rows.day)} rows are too few")
    errors, scores = [], []
    for fold in found:
        trees, rounds = _fit(rows, fold)
        said, move = moves(trees, rows.x[fold.held]), rows.move[fold.held]
        errors.append(np.abs(said - move))
        scores.append(_score(rows, fold, rounds, errors[-1]))
    held = np.concatenate([fold.held for fold in found])
    gained = np.concatenate(errors) - np.abs(rows.move[held])
    return Scored(
        len(rows.day),
        tuple(scores),
        trees,
        scores[-1].mae,
        _mae_of(in_use, rows, found[-1]),
        scores[-1].mae_no_change,
        float((np.sign(said) == np.sign(move)).mean()),
        _p(gained, rows.day[held], horizon),
    )


def moves(trees: Trees, x: DataFrame | Floats) -> Floats:
    """What trees say of rows of FEATURES."""
    booster = lightgbm().Booster(model_str=trees.booster)
    found: Floats = booster.predict(np.asarray(x, dtype=float), num_threads=1) * trees.scale
    return found


def _is_usable(found: Target) -> Any:
    return ~np.isnan(found.move) & (np.arange(len(found.move)) >= WARM_UP)


def _rows(bars: Bars, horizon: int) -> _Rows:
    found = target(bars, horizon)
    usable = _is_usable(found)
    x = features(bars).to_numpy(float)
    return _Rows(x[usable], found.move[usable], bars.day[usable], found.known_on[usable])


def _fit(rows: _Rows, fold: Fold) -> tuple[Trees, int]:
    """Trees of all that the fold may learn from, of as many rounds as its newest part finds best."""
    lgb = lightgbm()
    scale = float(rows.move[fold.train].std()) or 1.0

    def data(places: Ints) -> Any:
        return lgb.Dataset(rows.x[places], rows.move[places] / scale, params=PARAMETERS)

    stopping = lgb.early_stopping(PATIENT_ROUNDS, verbose=False)
    tried = lgb.train(
        PARAMETERS, data(fold.fit), MOST_ROUNDS, valid_sets=[data(fold.stop)], callbacks=[stopping]
    )
    rounds = int(tried.best_iteration)
    made = lgb.train(PARAMETERS, data(fold.train), rounds)
    return Trees(made.model_to_string(), scale, int(rows.known_on[fold.train].max())), rounds


def _score(rows: _Rows, fold: Fold, rounds: int, error: Floats) -> FoldScore:
    day, no_change = rows.day[fold.held], np.abs(rows.move[fold.held])
    return FoldScore(
        int(day[0]), int(day[-1]), len(day), rounds, float(error.mean()), float(no_change.mean())
    )


def _mae_of(in_use: Trees | None, rows: _Rows, fold: Fold) -> float | None:
    """The error of the model in use; None where it knew some of these days already, and would win by that."""
    if in_use is None or in_use.trained_until >= rows.day[fold.held[0]]:
        return None
    return float(np.abs(moves(in_use, rows.x[fold.held]) - rows.move[fold.held]).mean())


def _p(gained: Floats, day: Ints, horizon: int) -> float:
    test = diebold_mariano(gained, lag_for(day, horizon))
    return test.p / 2 if test.statistic < 0 else 1 - test.p / 2
