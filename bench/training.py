"""Training of ten and forty codes for three horizons: rows a second, and how much faster two workers are than none."""

import os
import tempfile
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Engine, insert

from bench.databases import NOW, ZONE
from bench.measure import Result, against, once_seconds
from bench.quiet import Quiet
from db.engine import engine_for
from db.schema import upgrade
from db.tables.forecasts import PriceBar
from jobs.codes import CodeParameters
from jobs.retrain import retrain

CODES, ROWS, HORIZONS = (10, 40), 1_000, (1, 3, 5)
BUDGET = 60.0  # seconds, once a week


def measure() -> list[Result]:
    """Alone as a process that has loaded LightGBM already; two workers with the time that they take to load it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DATABASE_URL": f"sqlite:///{folder}/tidemark.db", "TIMEZONE": ZONE.key}
        os.environ |= {"MODELS_DIR": f"{folder}/models", "HORIZONS": ",".join(map(str, HORIZONS))}
        engine = engine_for(os.environ["DATABASE_URL"])
        upgrade(engine, ZONE, None)
        fill(engine)
        seconds(engine, 1, 1)
        results = [result for codes in CODES for result in _results(engine, codes)]
        engine.dispose()
    return results


def _results(engine: Engine, codes: int) -> list[Result]:
    alone, two = (seconds(engine, codes, workers) for workers in (1, 2))
    rate = f"{codes * ROWS * len(HORIZONS) / alone:,.0f} rows/s"
    name = f"retrain, {codes} codes × {len(HORIZONS)} horizons × {ROWS:,} bars"
    return [
        against(f"{name}: {rate} alone / budget", alone, BUDGET, "≤ 1"),
        against(f"{name}: two workers", two, alone, "> 1 at 40", faster=True),
    ]


def seconds(engine: Engine, codes: int, workers: int) -> float:
    os.environ["RETRAIN_JOBS"] = str(workers)
    names = ",".join(f"C{k}" for k in range(codes))
    return once_seconds(lambda: retrain(engine, CodeParameters(code=names), Quiet()))


def fill(engine: Engine) -> None:
    """Random walks, half of which repeat a part of their step before."""
    rng = np.random.default_rng(20261121)
    days = [date(2023, 1, 2) + timedelta(days=k) for k in range(ROWS)]
    with engine.begin() as connection:
        for number in range(max(CODES)):
            step = rng.normal(0, 0.01, ROWS)
            for k in range(1, ROWS):
                step[k] += 0.5 * (number % 2) * step[k - 1]
            code, close = f"C{number}", 100 * np.exp(np.cumsum(step))
            bars = zip(days, close.tolist(), strict=True)
            rows = [{"code": code, "date": day, "close": price, "imported_at": NOW} for day, price in bars]
            connection.execute(insert(PriceBar), rows)
