"""llm_usage_log → daily_llm_usage: sums, spread of the cost, and exact percentiles of the latency."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
)

from db.base import Timestamp
from db.statistics import sample_mean, sample_std, true_count
from db.tables.usage import DailyLlmUsage, LlmUsage

KEY = ("date", "agent_name", "provider", "model")
TOKENS = ("prompt_tokens", "completion_tokens", "tokens")
PERCENTILES = {"latency_p50_ms": 0.5, "latency_p95_ms": 0.95}

usage: Table = DailyLlmUsage.__table__  # type: ignore[assignment]
u = LlmUsage
_days: BindParameter[Any] = bindparam("days", expanding=True)
DIMENSIONS = ("day", "agent_name", "provider", "model")

calls: Table = LlmUsage.__table__  # type: ignore[assignment]


def _same_group(rows: Any) -> ColumnElement[bool]:
    return and_(*(getattr(rows, name) == calls.c[name] for name in DIMENSIONS))


def _answered(rows: Any) -> ColumnElement[bool]:
    """Calls that did not fail and whose time is known."""
    return and_(rows.response_time_ms.is_not(None), or_(rows.success.is_(None), rows.success))


def _figures() -> Select[Any]:
    latency = case((_answered(u), u.response_time_ms))
    dimensions = [calls.c[name] for name in DIMENSIONS]
    columns: dict[str, Any] = {
        **dict(zip(KEY, dimensions, strict=True)),
        "calls": func.count(),
        "known_count": func.count(u.success),
        "failures": true_count(~u.success),
        "prompt_tokens": func.sum(u.prompt_tokens),
        "completion_tokens": func.sum(u.completion_tokens),
        "tokens": func.sum(func.coalesce(u.tokens_used, u.prompt_tokens + u.completion_tokens)),
        "cost_count": func.count(u.cost_usd),
        "computed_count": true_count(u.cost_computed & u.cost_usd.is_not(None)),
        "cost_usd": func.sum(u.cost_usd),
        "cost_mean": sample_mean(u.cost_usd),
        "cost_std": sample_std(u.cost_usd, calls, _same_group),
        "cost_max": func.max(u.cost_usd),
        "latency_count": func.count(latency),
        "latency_mean_ms": sample_mean(latency),
        "updated_at": bindparam("now", type_=Timestamp),
    }
    found = select(*(column.label(name) for name, column in columns.items()))
    return found.where(u.day.in_(_days)).group_by(*dimensions)


def _on_sqlite() -> Select[Any]:
    """Percentiles by rank: SQLite has no function for them, but an index in the order of the latencies."""
    dimensions = [getattr(u, name).label(name) for name in DIMENSIONS]
    x, n = u.response_time_ms, func.count().over(partition_by=dimensions)
    rank = func.row_number().over(partition_by=dimensions, order_by=x) - 1
    ranked: Any = select(*dimensions, x.label("x"), rank.label("rank"), n.label("n"))
    ranked = ranked.where(u.day.in_(_days), _answered(u)).subquery("ranked")
    found, needed = [], []
    for name, p in PERCENTILES.items():
        place = (ranked.c.n - 1) * p
        below = cast(place, Integer)
        beyond = place - below
        needed.append(ranked.c.rank.between(below, below + 1))
        weight = case((ranked.c.rank == below, 1 - beyond), (ranked.c.rank == below + 1, beyond), else_=0.0)
        found.append(func.sum(ranked.c.x * weight).label(name))
    by = [ranked.c[name] for name in DIMENSIONS]
    return select(*by, *found).where(or_(*needed)).group_by(*by)  # the others need no place in memory


def _on_postgresql() -> Select[Any]:
    dimensions = [getattr(u, name) for name in DIMENSIONS]
    found = [
        func.percentile_cont(p).within_group(u.response_time_ms).label(name)
        for name, p in PERCENTILES.items()
    ]
    return select(*dimensions, *found).where(u.day.in_(_days), _answered(u)).group_by(*dimensions)


FIGURES = _figures()
RANKED = {"sqlite": _on_sqlite(), "postgresql": _on_postgresql()}


def of_days(connection: Connection, days: list[date], now: datetime) -> list[dict[str, Any]]:
    """The rows of daily_llm_usage of these days."""
    given = {"days": days, "now": now}
    found = [dict(row) for row in connection.execute(FIGURES, given).mappings()]
    ranked = connection.execute(RANKED[connection.dialect.name], {"days": days})
    percentiles = {row[:4]: row[4:] for row in ranked}
    for row in found:
        known = percentiles.get(tuple(row[name] for name in KEY), (None, None))
        row |= dict(zip(PERCENTILES, known, strict=True))
        row |= {name: None if row[name] is None else int(row[name]) for name in TOKENS}
    return found


def calls_by_day(connection: Connection, first: date, last: date) -> dict[date, int]:
    """How many calls each day has."""
    n = select(u.day, func.count().label("n")).where(u.day.between(first, last)).group_by(u.day)
    return {row.day: row.n for row in connection.execute(n)}
