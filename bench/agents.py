"""daily_llm_usage with its percentiles: beside one bare GROUP BY on PostgreSQL, beside pandas on SQLite.

Calls of 16 agents on two models each over a year.
"""

import threading
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Engine, text

from bench import job_memory
from bench.databases import databases
from bench.measure import Result, against, median_seconds, once_seconds, shown
from bench.quiet import run_agents
from bench.rows import DAYS, FIRST, day_number
from bench.weights import longest_wait

AGENTS = 16
TENTH = DAYS // 10  # of the days, which pandas reads: all of ten million calls would not fit
LATE = 1_000

_NUMBERS = "WITH RECURSIVE numbers(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM numbers WHERE k < :last)"
_AT = {
    "sqlite": ("datetime('{first}', '+' || {k} || ' seconds')", "date('{first}', '+' || {k} || ' seconds')"),
    "postgresql": (
        "timestamptz '{first} 00:00+00' + {k} * interval '1 second'",
        "date '{first}' + CAST({k} / 86400 AS integer)",
    ),
}
_KEYS = "day, agent_name, provider, model"
_ANSWERED = "FILTER (WHERE success IS NOT FALSE AND response_time_ms IS NOT NULL)"
_SUMS = f"""count(*), count(success), count(*) FILTER (WHERE NOT success), sum(prompt_tokens),
  sum(completion_tokens), sum(coalesce(tokens_used, prompt_tokens + completion_tokens)), count(cost_usd),
  count(*) FILTER (WHERE cost_computed), sum(cost_usd), avg(cost_usd), max(cost_usd),
  count(*) {_ANSWERED}, avg(response_time_ms) {_ANSWERED}"""
_RANKED = ", ".join(
    f"percentile_cont({p}) WITHIN GROUP (ORDER BY response_time_ms) {_ANSWERED}" for p in (0.5, 0.95)
)


def fill(engine: Engine, rows: int) -> None:
    """So many calls in time order over a year; the triggers leave their marks."""
    second = f"(CAST(k AS bigint) * {DAYS * 86_400 - 1} / {rows})"
    at, day = (told.format(first=FIRST, k=second) for told in _AT[engine.dialect.name])
    statement = (
        "INSERT INTO llm_usage_log (request_id, timestamp, day, agent_name, provider, model, prompt_tokens,"
        f" completion_tokens, cost_usd, response_time_ms, request_type, success) {_NUMBERS}"
        f" SELECT 'r' || k, {at}, {day}, 'agent-' || (k % {AGENTS}), 'provider-' || (k % 3),"
        f" 'model-' || (k / {AGENTS} % 2), 500 + k * 7 % 3001, 50 + k * 11 % 701, (1 + k * 31 % 1009) / 1e4,"
        f" 200 + CAST(k AS bigint) * 7919 % 100003 / 10.0, 'analysis', k % 53 > 0 FROM numbers"
    )
    with engine.begin() as connection:
        connection.execute(text(statement), {"last": rows - 1})
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def bare(engine: Engine) -> None:
    """What PostgreSQL alone needs for all days, in one statement."""
    figures = f"{_SUMS}, stddev_samp(cost_usd), {_RANKED}"
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))  # one thread, as a job has
        connection.execute(text(f"SELECT {_KEYS}, {figures} FROM llm_usage_log GROUP BY {_KEYS}")).all()


def by_pandas(engine: Engine, first: date, last: date) -> Any:
    """read_sql + groupby, the figures of the job."""
    wanted = "prompt_tokens, completion_tokens, cost_usd, cost_computed, response_time_ms, success"
    asked = text(f"SELECT {_KEYS}, {wanted} FROM llm_usage_log WHERE day BETWEEN :first AND :last")
    with engine.connect() as connection:
        rows = pd.read_sql(asked, connection, params={"first": str(first), "last": str(last)})
    keys = _KEYS.split(", ")
    rows["tokens"] = rows["prompt_tokens"] + rows["completion_tokens"]
    groups = rows.groupby(keys)
    answered = rows[rows["success"].ne(0) & rows["response_time_ms"].notna()].groupby(keys)
    parts: list[pd.DataFrame] = [
        groups[["prompt_tokens", "completion_tokens", "tokens", "cost_computed"]].sum()
    ]
    parts += [groups["cost_usd"].agg(["count", "sum", "mean", "std", "max"])]
    parts += [groups["success"].agg(["count", "sum"]), answered["response_time_ms"].agg(["count", "mean"])]
    parts += [answered["response_time_ms"].quantile(p).to_frame() for p in (0.5, 0.95)]
    return pd.concat(parts, axis=1)


def update_late(engine: Engine, rows: int) -> None:
    """Corrects the cost of a thousand calls of one month."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE llm_usage_log SET cost_usd = 0.05 WHERE id % :step = 7 AND day < :last"),
            {"step": max(1, rows // 12 // LATE), "last": str(day_number(30))}
            if engine.dialect.name == "sqlite"
            else {"step": max(1, rows // 12 // LATE), "last": day_number(30)},
        )


def measure(rows: int) -> list[Result]:
    """All figures for so many calls."""
    smaller = _memory(rows // 10)
    results = []
    with databases() as engines:
        for name, engine in engines.items():
            fill(engine, rows)
            memory = job_memory.of(engine, "aggregate_agents")  # everything is stale
            results += _measure_one(f"{name}, {rows / 1e6:g} M calls", engine, rows)
            what = f"{name}: peak memory above idle, {rows / 1e6:g} M / {rows / 1e7:g} M calls"
            ratio = f"{memory / smaller[name]:.2f} ×"
            results.append(
                Result(
                    what,
                    f"{memory:.0f} MB",
                    f"{smaller[name]:.0f} MB",
                    ratio,
                    "≤ 200 MB; SQLite has a cache of 64",
                )
            )
    return results


def _memory(rows: int) -> dict[str, float]:
    """The job's memory for so many calls, on each engine."""
    with databases() as engines:
        for engine in engines.values():
            fill(engine, rows)
        return {name: job_memory.of(engine, "aggregate_agents") for name, engine in engines.items()}


def _measure_one(name: str, engine: Engine, rows: int) -> list[Result]:
    everything = {"since": day_number(0), "until": day_number(DAYS - 1)}
    waits, over = list[float](), threading.Event()
    other = threading.Thread(target=longest_wait, args=(engine, over, waits))
    other.start()
    ours = once_seconds(lambda: run_agents(engine, **everything))
    over.set()
    other.join()
    if engine.dialect.name == "postgresql":
        beside = against(
            f"{name}: all days / one bare GROUP BY",
            ours,
            median_seconds(lambda: bare(engine), 3),
            "≤ 3 at 10 M",
        )
    else:
        part = once_seconds(lambda: by_pandas(engine, day_number(0), day_number(TENTH - 1))) * DAYS / TENTH
        beside = against(f"{name}: all days, pandas (a tenth, × 10)", ours, part, "faster", faster=True)
    one = median_seconds(lambda: run_agents(engine, day=day_number(200)))
    update_late(engine, rows)
    late = once_seconds(lambda: run_agents(engine))
    return [
        beside,
        Result(f"{name}: one day", shown(one), "", "", ""),
        against(f"{name}: late costs in one month / all days", late, ours, "≤ 0.15"),
        Result(f"{name}: longest wait of another writer", shown(max(waits, default=0.0)), "", "", "≤ 5 s"),
    ]
