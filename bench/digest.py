"""Building the weekly digest of 50 models and a year of answers, with pictures and without, beside its budget."""

import os
import tempfile
from datetime import date

from sqlalchemy import Engine, insert

from bench import answers
from bench.databases import NOW, ZONE, fill
from bench.measure import Result, against, median_seconds, once_seconds
from bench.quiet import run_job, run_judge, run_quality
from bench.rows import DAYS, day_number
from db.engine import engine_for, reading
from db.schema import upgrade
from db.tables.models import Model
from reports.digest import build, last_finished_week
from reports.render_slack import render
from settings import current

MODELS, ROWS = 50, 100_000
BUDGET, WITH_PICTURES = 1.0, 5.0  # seconds


def measure() -> list[Result]:
    """With the week's last days as the newest data; the first picture of a process is dearer than the next."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/tidemark.db"
        os.environ |= {"DATABASE_URL": url, "TIMEZONE": ZONE.key}
        engine = engine_for(url)
        upgrade(engine, ZONE, None)
        with engine.begin() as connection:
            connection.execute(insert(Model), [{"name": f"model-{k:02}"} for k in range(1, MODELS + 1)])
        fill(engine, ROWS)
        answers.fill(engine, ROWS)
        for work in (run_job, run_quality, run_judge):
            work(engine)
        week = last_finished_week(day_number(DAYS - 1))
        first = once_seconds(lambda: told(engine, week, pictures=True))
        text = median_seconds(lambda: told(engine, week, pictures=False))
        drawn = median_seconds(lambda: told(engine, week, pictures=True))
        engine.dispose()
    name = f"digest, {MODELS} models, a year of answers"
    return [
        against(f"{name}: without pictures / budget", text, BUDGET, "≤ 1"),
        against(f"{name}: with pictures / budget", drawn, WITH_PICTURES, "≤ 1"),
        against(f"{name}: with the first pictures / budget", first, WITH_PICTURES, "≤ 1"),
    ]


def told(engine: Engine, week: date, pictures: bool) -> None:
    """From the tables to what Slack gets."""
    with reading(engine) as connection:
        message = build(connection, current(), week, now=NOW, pictures=pictures)
    render(message, f"weekly_digest:{week}")
