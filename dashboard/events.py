"""What happened to the data themselves: restated points of a trend, and days that are missing in it."""

from typing import Any

import pandas as pd

from dashboard import actions
from dashboard.data import ask, ask_now, coverage, derive, operations, restatements
from dashboard.period import Period
from db.clock import week_start
from db.metrics import Metric
from language import _, ngettext
from reports.wording import day_in_words, figure, isolated

MOST = 12  # stretches of missing days that are marked: the longest


def with_restated(frame: pd.DataFrame, metric: Metric, period: Period) -> pd.DataFrame:
    """The rows of a trend, those that were restated with what they were before."""
    days = {"since": period.first, "until": period.last}
    old = ask(restatements.restated, metric=metric.name, grain=period.grain, **days)
    if old.empty:
        return frame
    told = [_before(row, metric, period) for row in old.to_dict("records")]
    rows = old[["subject", "period"]].assign(restated=told)
    return frame.merge(rows, how="left", on=["subject", "period"])


def _before(row: dict[Any, Any], metric: Metric, period: Period) -> str:
    """71.2 before; of a week how many days, and the one that moved most."""
    old, new = figure(row["old"], metric), figure(row["new"], metric)
    if period.grain == "day":
        return _("{old} before").format(old=old)
    days = ngettext("{n} day", "{n} days", row["days"])
    moved = _("{day}: {old} → {new}").format(day=day_in_words(row["day"]), old=old, new=new)
    return _("{days}, {moved}").format(days=days, moved=moved)


def missing(period: Period, models: tuple[str, ...]) -> pd.DataFrame:
    """A mark for each stretch of missing days of these models: period, kind, label; at the stretch's first day."""
    return derive(
        _missing,
        grain=period.grain,
        since=period.first,
        until=period.last,
        today=actions.today(),
        models=models,
        newest_mark=ask_now(operations.newest_mark),
    )


def _missing(grain: str, **asked: Any) -> pd.DataFrame:
    table = ask(coverage.coverage_calendar, **asked)
    is_missing = table["state"].eq("missing")
    stretch = (is_missing.ne(is_missing.shift()) | table["subject"].ne(table["subject"].shift())).cumsum()
    stretches = (
        table[is_missing]
        .groupby(stretch)
        .agg(subject=("subject", "first"), period=("day", "first"), days=("day", "size"))
    )
    if grain == "week":
        stretches["period"] = stretches["period"].map(week_start)
        stretches = stretches.groupby(["subject", "period"]).sum().reset_index()
    longest = stretches.nlargest(MOST, "days").sort_values(["period", "subject"])
    return longest.assign(kind="missing", label=_labels(longest))[["period", "kind", "label"]]


def _labels(stretches: pd.DataFrame) -> list[str]:
    return [
        _("{model}: {missing}").format(
            model=isolated(row["subject"]),
            missing=ngettext("{n} day missing", "{n} days missing", row["days"]),
        )
        for row in stretches.to_dict("records")
    ]
