"""Folds in the order of time: a model is always scored on days after all that it was made of was known."""

from dataclasses import dataclass

import numpy as np

from jobs.formulas.features import Ints

FOLDS = 5
STOP_SHARE = 0.2  # of what a fold may learn from: its newest part says when to stop


@dataclass(frozen=True)
class Fold:
    """Places of rows. `train` is all that may be learnt from; `fit` and `stop` are its older and its newest part.

    No target of `train` is known as late as the first day of `held`, and none of `fit` as late as that of `stop`: the
    gap is at least the horizon.
    """

    fit: Ints
    stop: Ints
    train: Ints
    held: Ints


def folds(day: Ints, known_on: Ints) -> list[Fold]:
    """FOLDS folds, the oldest first, whose held-out days are the newer half of the rows.

    Of rows in the order of their days, and the days on which their targets were known. Fewer than FOLDS, or none,
    where rows are too few.
    """
    n = len(day)
    size = n // (2 * FOLDS)
    found = []
    for start in range(n - FOLDS * size, n, max(size, 1)):
        held = np.arange(start, start + size)
        train = _known_before(day[start], known_on[:start])
        stop = train[len(train) - int(STOP_SHARE * len(train)) :]
        fit = _known_before(day[stop[0]], known_on[: stop[0]]) if len(stop) else stop
        if len(fit):
            found.append(Fold(fit, stop, train, held))
    return found


def _known_before(first: np.int64, known_on: Ints) -> Ints:
    return np.flatnonzero(known_on < first)
