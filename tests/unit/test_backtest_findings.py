"""What the page says of a backtest: only where it was made against the rule in use."""

import pandas as pd
import pytest

from dashboard.backtests import _finding


@pytest.mark.parametrize(("present", "found"), [("hit_rate", "The tuning pays"), ("bates_granger", "Does")])
def test_a_finding_is_on_the_rule_in_use(present: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHT_RULE", "hit_rate")
    compared = pd.DataFrame({"rule": ["equal"], "p": [0.001], "relative": [1.2], "present": [present]})
    assert _finding(compared).startswith(found)
