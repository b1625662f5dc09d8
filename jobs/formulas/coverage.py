"""Whether a day of a model is there: missing, partial, complete or restated (docs/metrics.md), on arrays."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEEKS, AT_LEAST = 8, 6  # a weekday is expected that had rows in at least so many of the last so many weeks
RELATIVE = 1e-9
LEAD = 7 * WEEKS  # days that are needed before the first one that is asked for
NOTHING, MISSING, PARTIAL, COMPLETE, RESTATED = STATES = ("", "missing", "partial", "complete", "restated")

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


def expected(rows: Flags) -> Flags:
    """Whether rows are expected; (models, LEAD + days) whether there were any → (models, days)."""
    days = rows.shape[1] - LEAD
    earlier = [rows[:, LEAD - 7 * k : LEAD - 7 * k + days] for k in range(1, WEEKS + 1)]
    seen: Flags = np.sum(earlier, axis=0) >= AT_LEAST
    return seen


def moved(old: ArrayLike, new: ArrayLike) -> Flags:
    """Whether values differ by more than 1e-9 relative, or came or went (NaN)."""
    a, b = np.asarray(old, dtype=float), np.asarray(new, dtype=float)
    with np.errstate(invalid="ignore"):
        found: Flags = (np.isnan(a) != np.isnan(b)) | (np.abs(a - b) > RELATIVE * np.abs(a))
    return found


def day_states(total: Counts, evaluated: Counts, waits: Flags, restated: Flags, is_today: Flags) -> Counts:
    """The state of each model and day, as its place in STATES.

    All (models, LEAD + days) but `is_today` (days,); the result (models, days). What waits to be aggregated, or is
    not over yet, is partial rather than missing: nobody knows yet that nothing will come. Of two states that hold,
    the one that wants something done counts: missing, partial, restated, complete.
    """
    usual = expected(total > 0)
    total, evaluated, waits, restated = (
        total[:, LEAD:],
        evaluated[:, LEAD:],
        waits[:, LEAD:],
        restated[:, LEAD:],
    )
    there = total > 0
    open_still = waits | (is_today & (there | usual))
    found: Counts = np.select(
        [
            usual & ~there & ~open_still,
            open_still | (there & (evaluated < total)),
            restated,
            there,
        ],
        [STATES.index(name) for name in (MISSING, PARTIAL, RESTATED, COMPLETE)],
        STATES.index(NOTHING),
    )
    return found
