"""Folds: nothing is learnt from that became known on a held-out day or later."""

import numpy as np
import pytest

from jobs.formulas.features import Ints, target
from jobs.formulas.walk_forward import FOLDS, Fold, folds
from tests.prices import bars, closes


def rows(n: int, horizon: int) -> tuple[Ints, Ints]:
    """Days and days of targets, of rows that have one."""
    of = bars(closes(n))
    found = target(of, horizon)
    known = ~np.isnan(found.move)
    return of.day[known], found.known_on[known]


def leaks(fold: Fold, day: Ints, known_on: Ints) -> int:
    """Rows that a fold learns from although their target became known too late."""
    late = known_on[fold.train] >= day[fold.held[0]]
    return int(late.sum() + (known_on[fold.fit] >= day[fold.stop[0]]).sum())


@pytest.mark.parametrize("horizon", [1, 3, 5, 30])
@pytest.mark.parametrize("n", [200, 301, 1_000])
def test_folds_have_a_gap_and_hold_out_the_newer_half(n: int, horizon: int) -> None:
    day, known_on = rows(n, horizon)
    found = folds(day, known_on)
    assert len(found) == FOLDS
    for fold in found:
        assert leaks(fold, day, known_on) == 0
        assert day[fold.held[0]] - day[fold.train[-1]] > horizon
        assert set(fold.fit) | set(fold.stop) <= set(fold.train)
    held = np.concatenate([fold.held for fold in found])
    assert held.tolist() == list(range(len(day) - len(held), len(day)))
    assert len(held) == pytest.approx(len(day) / 2, abs=FOLDS)


def test_a_fold_without_gap_is_seen() -> None:
    day, known_on = rows(300, 5)
    fold = folds(day, known_on)[-1]
    train = np.arange(fold.held[0])
    assert leaks(Fold(train[:-50], train[-50:], train, fold.held), day, known_on) > 0


def test_without_gap_a_random_walk_would_look_predictable() -> None:
    """The move over the 20 days before, as what is learnt: without gap it holds 19 of the 20 days to come."""
    day, known_on = rows(1_000, 28)
    of = bars(closes(1_000))
    move = target(of, 28).move[: len(day)]
    with_gap, without = [], []
    for first in range(100, len(day)):
        last_known = int(np.searchsorted(known_on, day[first])) - 1
        with_gap.append(move[last_known] * move[first])
        without.append(move[first - 1] * move[first])
    assert abs(np.mean(with_gap)) < 0.3 * np.var(move)
    assert np.mean(without) > 0.8 * np.var(move)


@pytest.mark.parametrize("n", [0, 1, 5, 9])
def test_too_few_rows_make_no_fold(n: int) -> None:
    day = np.arange(n) + 730_000
    assert all(len(fold.fit) and len(fold.held) for fold in folds(day, day + 1))
    assert len(folds(day, day + 1)) < FOLDS
