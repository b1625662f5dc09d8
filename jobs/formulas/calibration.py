"""Whether more is said where more comes: forecasts in tenths by the size of what they say."""

import numpy as np
import pandas as pd
from scipy import stats

PARTS = 10
ENOUGH = 3  # in a part, for an interval


def calibrated(moves: pd.DataFrame) -> pd.DataFrame:
    """Per subject and tenth: subject, said, came (means), low, high (95 % t interval of came), n.

    Moves: subject, said, came, in one unit. Told in mean moves of the actual value, so that any code reads alike; a
    tenth has as many forecasts as the next, and one of nothing at all has no interval. Empty where nothing moved.
    """
    scale = moves["came"].abs().mean()
    if not scale > 0:
        return pd.DataFrame(columns=["subject", "said", "came", "low", "high", "n"])
    told = moves.assign(said=moves["said"] / scale, came=moves["came"] / scale)
    rank = told.groupby("subject")["said"].rank(method="first") - 1
    size = told.groupby("subject")["said"].transform("size")
    parts = np.minimum(PARTS, np.maximum(1, size // ENOUGH))
    told["part"] = np.floor(rank * parts / size).astype(int)
    groups = told.groupby(["subject", "part"])
    found = groups.agg(said=("said", "mean"), came=("came", "mean"), std=("came", "std"), n=("came", "size"))
    half = stats.t.ppf(0.975, np.maximum(found["n"] - 1, 1)) * found["std"] / np.sqrt(found["n"])
    half = half.where(found["n"] >= ENOUGH)
    found = found.assign(low=found["came"] - half, high=found["came"] + half).reset_index()
    return found[["subject", "said", "came", "low", "high", "n"]]
