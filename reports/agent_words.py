"""What of agents waits for somebody, in words: the same on page and in the digest."""

from typing import Any

from db.metrics import METRICS
from db.queries.budget import Budget
from language import _
from reports.charts.money import amount, dollars
from reports.wording import figure

WINS = METRICS["win_rate"]


def why_underperforming(row: dict[Any, Any]) -> str:
    """What an agent lost in a market, and how often it won there beside the others."""
    return _("{market}: P&L {pnl}; wins {rate} of {n} (at most {high}), the others {others}").format(
        market=row["market"],
        pnl=amount(row["total_pnl_attributed"]),
        rate=figure(row["win_rate"], WINS),
        n=f"{int(row['decided']):,}",
        high=figure(row["high"], WINS),
        others=figure(row["others_rate"], WINS),
    )


def told_budget(found: Budget) -> str:
    """What was spent, what it will be, and what it may be."""
    return _("{spent} $ of {budget} $ spent this month, {end} $ at its end as things go").format(
        spent=dollars(found.spent), budget=dollars(found.budget), end=dollars(found.end)
    )
