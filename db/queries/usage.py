"""What pages ask of daily_llm_usage."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, func, select

from db.metrics import METRICS
from db.queries.combining import as_date, figures, unfinished, with_interval
from db.queries.frames import frame
from db.tables.operations import BusinessDay
from db.tables.usage import DailyLlmUsage

daily = DailyLlmUsage.__table__
d = daily.c
DIMENSIONS = ("agent_name", "provider", "model")
COUNTS = ("calls", "known_count", "failures", "cost_count", "computed_count", "latency_count")
SUMS = ("prompt_tokens", "completion_tokens", "tokens", "cost_usd")


def newest_day(connection: Connection) -> date | None:
    """The newest day with calls."""
    newest: date | None = connection.scalar(select(func.max(d.date)))
    return newest


def oldest_day(connection: Connection) -> date | None:
    """The oldest day with calls."""
    oldest: date | None = connection.scalar(select(func.min(d.date)))
    return oldest


def totals(
    connection: Connection, since: date, until: date, dimensions: tuple[str, ...] = DIMENSIONS
) -> pd.DataFrame:
    """What calls came to over a period, by these of agent_name, provider and model, the dearest first.

    Columns: calls, known_count, failures, cost_count, computed_count, latency_count, prompt_tokens,
    completion_tokens, tokens, cost_usd, cost_max, cost_per_call, failure_rate (in %), latency_mean_ms.
    """
    keys = [d[name] for name in dimensions]
    return _finished(frame(connection, _sums(since, until, *keys))).sort_values(
        ["cost_usd", "calls", *dimensions], ascending=[False, False, *(True for _ in keys)], ignore_index=True
    )


def trend(
    connection: Connection, since: date, until: date, grain: str, today: date, dimension: str
) -> pd.DataFrame:
    """The same by day or ISO week: with columns subject (of the dimension), period, and unfinished."""
    period = BusinessDay.week_start if grain == "week" else d.date
    rows = frame(connection, _sums(since, until, d[dimension].label("subject"), period.label("period")))
    rows["period"] = rows["period"].map(as_date)
    rows["unfinished"] = [unfinished(start, grain, today) for start in rows["period"]]
    return _finished(rows).sort_values(["subject", "period"], ignore_index=True)


def latencies(connection: Connection, since: date, until: date) -> pd.DataFrame:
    """The daily percentiles as they are: date, agent_name, provider, model, latency_count, p50 and p95 in ms."""
    columns = (d.date, *(d[name] for name in DIMENSIONS), d.latency_count, d.latency_p50_ms, d.latency_p95_ms)
    found = select(*columns).where(d.date.between(since, until), d.latency_count > 0)
    return frame(connection, found.order_by(d.date, *(d[name] for name in DIMENSIONS)))


def cost_by_day(connection: Connection, first: date, last: date) -> pd.DataFrame:
    """The cost of each day that has one: date, cost_usd."""
    found = select(d.date, func.sum(d.cost_usd).label("cost_usd")).where(d.date.between(first, last))
    rows = frame(connection, found.group_by(d.date).order_by(d.date))
    return rows.astype({"cost_usd": float}).dropna(ignore_index=True)


def dearest(connection: Connection, since: date, until: date, limit: int) -> pd.DataFrame:
    """The dearest call of a day, agent and model where it cost more than ten times the usual one of that model.

    Columns: date, agent_name, provider, model, cost_max, calls, times; the dearest first. Usual is the mean of the
    model's other calls in the period.
    """
    inside = d.date.between(since, until) & (d.cost_count > 0)
    sums = (func.sum(d.cost_usd).label("whole"), func.sum(d.cost_count).label("n"))
    usual: Any = select(d.provider, d.model, *sums).where(inside).group_by(d.provider, d.model).subquery()
    others = (usual.c.whole - d.cost_max) / (usual.c.n - 1)
    same = and_(usual.c.provider == d.provider, usual.c.model == d.model)
    columns = (
        d.date,
        d.agent_name,
        d.provider,
        d.model,
        d.cost_max,
        (d.cost_max / others).label("times"),
        d.calls,
    )
    # Both sides by the number of other calls, which may be none, and none may have cost anything.
    far = and_(usual.c.whole > d.cost_max, d.cost_max * (usual.c.n - 1) > 10 * (usual.c.whole - d.cost_max))
    found = select(*columns).join_from(daily, usual, same).where(inside, usual.c.n > 1, far)
    return frame(connection, found.order_by(d.cost_max.desc(), d.date, d.agent_name).limit(limit))


def weekly(connection: Connection, metric: str, first: date, last: date) -> pd.DataFrame:
    """A mean per agent and ISO week between two Mondays: subject, week, value, std, n, part."""
    rows = metric_trend(connection, metric, first, last + timedelta(days=6), "week", last)
    return rows.rename(columns={"period": "week"})[["subject", "week", "value", "std", "n", "part"]]


def metric_trend(
    connection: Connection, metric: str, since: date, until: date, grain: str, today: date
) -> pd.DataFrame:
    """A mean per agent and day or ISO week: subject, period, value, low, high, n, std, part, unfinished."""
    one = METRICS[metric]
    period = BusinessDay.week_start if grain == "week" else d.date
    inside = d.date.between(since, until) & (d[one.count] > 0)
    source = daily.join(BusinessDay, BusinessDay.day == d.date)
    found = select(d.agent_name.label("subject"), period.label("period"), *figures(d, one))
    rows = frame(connection, found.select_from(source).where(inside).group_by(d.agent_name, period))
    rows = with_interval(rows.astype({"n": float, "value": float, "squares": float}), one)
    rows["period"] = rows["period"].map(as_date)
    rows["unfinished"] = [unfinished(start, grain, today) for start in rows["period"]]
    return rows.sort_values(["subject", "period"], ignore_index=True)


def _sums(since: date, until: date, *keys: Any) -> Any:
    source = daily.join(BusinessDay, BusinessDay.day == d.date)
    sums: dict[str, Any] = {name: func.sum(d[name]) for name in (*COUNTS, *SUMS)}
    sums |= {"cost_max": func.max(d.cost_max), "latency": func.sum(d.latency_mean_ms * d.latency_count)}
    by = [getattr(key, "element", key) for key in keys]
    found = select(*keys, *(column.label(name) for name, column in sums.items()))
    return found.select_from(source).where(d.date.between(since, until)).group_by(*by)


def _finished(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.astype(dict.fromkeys((*COUNTS, *SUMS, "cost_max", "latency"), float))
    known, costs, answered = rows["known_count"], rows["cost_count"], rows["latency_count"]
    return rows.assign(
        cost_per_call=rows["cost_usd"] / costs.where(costs > 0),
        failure_rate=100 * rows["failures"] / known.where(known > 0),
        latency_mean_ms=rows["latency"] / answered.where(answered > 0),
    ).drop(columns="latency")
