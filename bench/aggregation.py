"""The daily aggregation against DuckDB, pandas and an ORM loop; late updates; memory."""

from datetime import date

import pandas as pd
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from bench import job_memory
from bench.databases import DUCK_DAILY, databases, duck, fill
from bench.measure import Result, against, median_seconds, once_seconds
from bench.quiet import run_job
from bench.rows import DAYS, day_number
from db.tables.models import ModelEvaluation

ONE_DAY = day_number(200)
LATE = 1_000


def pandas_day(engine: Engine, day: date) -> pd.DataFrame:
    """read_sql + groupby, the figures of the job."""
    with engine.connect() as connection:
        query = select(ModelEvaluation).where(ModelEvaluation.day == day)
        rows = pd.read_sql(query, connection)
    rows["scored"] = rows["final_score"].where(rows["evaluated_at"].notna())
    rows["auto"] = (
        0.4 * rows["target_accuracy_score"] + 0.3 * rows["timing_score"] + 0.3 * rows["risk_management_score"]
    )
    ratings = rows[["human_rating_quality", "human_rating_usefulness", "human_rating_overall"]]
    rows["human"] = ratings.sum(axis=1, skipna=False) / 3 * 20
    rows["overall"] = rows["human_rating_overall"] * 20
    groups = rows.groupby("model_id")
    parts = [groups[name].agg(["mean", "std", "count"]) for name in ("scored", "auto", "human", "overall")]
    plain = (
        "target_accuracy_score",
        "timing_score",
        "risk_management_score",
        "target_achieved",
        "support_breached",
    )
    parts += [groups[name].agg(["mean", "count"]) for name in plain]
    return pd.concat([*parts, groups.size()], axis=1)


def orm_day(engine: Engine, day: date) -> dict[int, list[float]]:
    """Objects in a loop, with the index on the day: scores only, which flatters it."""
    found: dict[int, list[float]] = {}
    with Session(engine) as session:
        for row in session.scalars(select(ModelEvaluation).where(ModelEvaluation.day == day)):
            if row.evaluated_at is not None and row.final_score is not None:
                found.setdefault(row.model_id, []).append(row.final_score)
    return {model: [sum(scores) / len(scores), len(scores)] for model, scores in found.items()}


def update_late(engine: Engine, rows: int) -> None:
    """Corrects a thousand rows spread over the whole table."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE model_evaluations SET final_score = 50 WHERE id % :step = 7 AND id <= :last"),
            {"step": rows // LATE, "last": rows},
        )


def measure(rows: int) -> list[Result]:
    """All figures for so many evaluations."""
    duckdb = duck(rows)
    duck_day = median_seconds(
        lambda: duckdb.execute(DUCK_DAILY.format(where=f"WHERE day = DATE '{ONE_DAY}'")).fetchall(), 20
    )
    duck_all = median_seconds(lambda: duckdb.execute(DUCK_DAILY.format(where="")).fetchall())
    duckdb.close()
    smaller = _memory(rows // 10)
    results = []
    with databases() as engines:
        for name, engine in engines.items():
            fill(engine, rows)
            memory = job_memory.of(engine)  # everything is stale
            results += _measure_one(f"{name}, {rows / 1e6:g} M", engine, rows, duck_day, duck_all)
            what = f"{name}: peak memory above idle, {rows / 1e6:g} M / {rows / 1e7:g} M rows"
            ratio = f"{memory / smaller[name]:.2f} ×"
            results.append(
                Result(what, f"{memory:.0f} MB", f"{smaller[name]:.0f} MB", ratio, "≤ 200 MB, ≤ 1.2 ×")
            )
    return results


def _memory(rows: int) -> dict[str, float]:
    """The job's memory for so many rows, on each engine."""
    with databases() as engines:
        for engine in engines.values():
            fill(engine, rows)
        return {name: job_memory.of(engine) for name, engine in engines.items()}


def _measure_one(name: str, engine: Engine, rows: int, duck_day: float, duck_all: float) -> list[Result]:
    if engine.dialect.name == "postgresql":  # what autovacuum does within a minute
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    everything = {"since": day_number(0), "until": day_number(DAYS - 1)}
    day = median_seconds(lambda: run_job(engine, day=ONE_DAY), 11)
    whole = median_seconds(lambda: run_job(engine, **everything), 3, 0)
    by_pandas = median_seconds(lambda: pandas_day(engine, ONE_DAY), 3)
    by_orm = median_seconds(lambda: orm_day(engine, ONE_DAY), 3)
    update_late(engine, rows)
    late = once_seconds(lambda: run_job(engine))
    return [
        against(f"{name}: one day / DuckDB, one thread", day, duck_day, "≤ 3 at 10 M"),
        against(f"{name}: 365 days / DuckDB, one thread", whole, duck_all, "≤ 20 at 10 M"),
        against(f"{name}: one day, pandas read_sql + groupby", day, by_pandas, "≥ 6 × faster", faster=True),
        against(f"{name}: one day, ORM loop with the index", day, by_orm, "≥ 15 × faster", faster=True),
        against(f"{name}: 1,000 late updates / all days", late, whole, "≤ 0.04 at 10 M"),
    ]
