"""Databases for tests of pages: filled and aggregated as a person would do it."""

import csv
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.clock import utc_now
from db.demo.simulation import fill_demo
from db.engine import engine_for
from db.importing import import_file
from db.schema import upgrade
from jobs import claims, queue
from jobs.runner import execute
from jobs.timetable import JOBS
from jobs.workers import this_worker

SEOUL = ZoneInfo("Asia/Seoul")


@cache
def _upgraded() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tidemark.db"
        engine = engine_for(f"sqlite:///{file}")
        upgrade(engine, SEOUL, None)
        engine.dispose()  # the last connection brings the write-ahead log into the file
        return file.read_bytes()


def upgraded(path: Path) -> Engine:
    path.write_bytes(_upgraded())
    return engine_for(f"sqlite:///{path}")


def aggregate(engine: Engine) -> str:
    """Runs the jobs as the worker would, and what follows from it; returns the first status that is no success."""
    for name in (
        "aggregate_models",
        "aggregate_quality",
        "match_outcomes",
        "aggregate_forecasts",
        "aggregate_agents",
        "backtest_rules",
    ):
        job = JOBS[name]
        queue.request(engine, job, job.read({}), trigger="manual", by="", now=utc_now())
    status = "succeeded"
    while claimed := claims.claim(engine, this_worker(), utc_now()):
        ended = execute(engine, claimed, SEOUL, utc_now)
        status = ended if status == "succeeded" else status
    return status


def demo(path: Path) -> Engine:
    """The simulated year, aggregated."""
    engine = upgraded(path)
    fill_demo(engine, SEOUL, utc_now())
    assert aggregate(engine) == "succeeded"
    return engine


def many_models(path: Path, models: int, weeks: int = 8) -> Engine:
    """So many models with three evaluations a week each, with names that are markup if taken as such."""
    engine, file = upgraded(path), path.with_suffix(".csv")
    newest = datetime.now(UTC) - timedelta(days=1)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["prediction_id", "model", "predicted_at", "evaluated_at", "final_score", "target_achieved"]
        )
        for model in range(models):
            for week in range(weeks):
                for number in range(3):
                    at = newest - timedelta(weeks=week, hours=number)
                    score = 50 + (model * 7 + week * 3 + number * 5) % 40
                    name = f"model *{model:03}* <b>_x_</b> https://evil.example www.evil.example"
                    writer.writerow([f"{model}-{week}-{number}", name, at, at, score, number % 2])
    report = import_file(engine, "model_evaluations", file, zone=SEOUL, now=utc_now())
    assert report.rejected == 0
    assert aggregate(engine) == "succeeded"
    return engine


def overall_ratings(path: Path, models: int = 5) -> Engine:
    """A source with nothing but overall ratings by people, as there are: no score, no targets, no stops."""
    engine, file = upgraded(path), path.with_suffix(".csv")
    newest = datetime.now(UTC) - timedelta(days=1)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            [
                "prediction_id",
                "model_name",
                "predicted_at",
                "evaluated_at",
                "human_evaluated_at",
                "human_rating_overall",
            ]
        )
        for model in range(models):
            for number in range(24):
                at = newest - timedelta(days=2 * number)
                writer.writerow(
                    [f"{model}-{number}", f"bot {model}", at, at, at, 1 + (model + number % 2) % 5]
                )
    assert import_file(engine, "model_evaluations", file, zone=SEOUL, now=utc_now()).rejected == 0
    assert aggregate(engine) == "succeeded"
    return engine
