"""The import against the barest loader that gives the same rows: no checks, no report."""

import csv
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bench.databases import NOW, ZONE, databases, sqlite_rows
from bench.measure import Result, against, once_seconds
from bench.rows import COLUMNS, blocks
from db.importing import import_file

ROWS = 200_000


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([name if name != "model_id" else "model_name" for name in COLUMNS])
        for block in blocks(rows):
            for row in sqlite_rows(block):
                values = list(row)
                values[1] = f"model-{values[1]:02}"
                writer.writerow(["" if value is None else value for value in values])


def bare(engine: Engine, path: Path) -> None:
    """csv reader and executemany, or COPY and INSERT … ON CONFLICT: same table, indexes and triggers."""
    names = ", ".join(COLUMNS)
    update = ", ".join(
        f"{name} = excluded.{name}" for name in COLUMNS if name not in ("model_id", "prediction_id")
    )
    upsert = f"ON CONFLICT (model_id, prediction_id) DO UPDATE SET {update}"
    with path.open(newline="") as stream, engine.begin() as connection:
        reader = csv.reader(stream)
        next(reader)
        rows = ([row[0], int(row[1][6:]), *(cell or None for cell in row[2:])] for row in reader)
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            marks = ", ".join("?" * len(COLUMNS))
            flags = ([*row[:12], *(cell and cell == "True" for cell in row[12:14]), row[14]] for row in rows)
            driver.executemany(f"INSERT INTO model_evaluations ({names}) VALUES ({marks}) {upsert}", flags)
            return
        with driver.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE bare ON COMMIT DROP AS SELECT {names} FROM model_evaluations LIMIT 0"
            )
            with cursor.copy(f"COPY bare ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO model_evaluations ({names}) SELECT {names} FROM bare {upsert}")


def ours(engine: Engine, path: Path) -> None:
    import_file(engine, "model_evaluations", path, zone=ZONE, now=NOW)


def measure(rows: int = ROWS) -> list[Result]:
    """Rows a second of our import over those of the bare loader, into empty tables."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evaluations.csv"
        write_csv(path, rows)
        spent: dict[str, list[float]] = {}
        for _round in range(3):
            for loader in ("ours", "bare"):
                with databases() as engines:
                    for name, engine in engines.items():
                        load = partial(ours if loader == "ours" else bare, engine, path)
                        seconds = once_seconds(load)
                        spent.setdefault(f"{name} {loader}", []).append(seconds)
        for name in ("SQLite", "PostgreSQL"):
            own, other = (sorted(spent[f"{name} {loader}"])[1] for loader in ("ours", "bare"))
            what = f"{name}: import of {rows:,} rows, rate / bare loader"
            results.append(against(what, own, other, "≥ 0.5", faster=True))
    return results
