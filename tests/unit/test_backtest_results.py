"""The results of a backtest are stored as JSON, which knows neither NaN nor infinity."""

import json

import numpy as np
from pandas import DataFrame

from jobs.backtesting import _plain


def test_what_is_no_number_is_null() -> None:
    """A difference that is the same every day has an infinite statistic."""
    found = _plain(DataFrame({"statistic": [np.inf, -np.inf, np.nan, 1.5]}))
    assert json.dumps(found, allow_nan=False)
    assert [row["statistic"] for row in found] == [None, None, None, 1.5]
