"""adjust_weights beside what the database alone needs, and beside a loop over codes; the backtest of the rules.

Five models, of which two are members, at three horizons; 133 outcomes each over 43 days, of which the window has 31.
"""

import threading
import time
from typing import Any

import numpy as np
from pandas import DataFrame
from sqlalchemy import Engine, delete, text

from bench.databases import NOW, databases
from bench.measure import Result, against, median_seconds, once_seconds, shown
from bench.outcome_rows import LAST, PER_CODE, fill_outcomes, settle
from bench.quiet import Counted
from db.engine import bookkeeping, reading
from db.facts import state_fact
from db.tables.forecasts import EnsembleWeight, EnsembleWeightHistory, ModelPerformance
from jobs.adjusting import adjust
from jobs.formulas.backtest import backtest
from jobs.formulas.outcomes import COLUMNS
from jobs.ledger_rows import write_decisions
from jobs.weighing import decisions, in_force, planned, weigh
from jobs.window_figures import figures, window
from settings import Settings, load

WRITTEN: tuple[Any, ...] = (ModelPerformance, EnsembleWeight, EnsembleWeightHistory)
DAYS_BACK, CODES_BACK = 728, 120  # of the backtest: 174,720 outcomes of two members


def bare(engine: Engine, rows: dict[Any, list[Any]]) -> None:
    """The GROUP BY of the window, then the driver's executemany of the rows that the job had written."""
    days = window(LAST)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # one thread, as an INSERT from it has
            connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
        connection.execute(figures(days)).all()
        driver: Any = connection.connection.driver_connection
        mark = "%s" if engine.dialect.name == "postgresql" else "?"
        for table, held in rows.items():
            names = [column.name for column in table.__table__.columns]
            marks = ", ".join([mark] * len(names))
            driver.cursor().executemany(
                f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({marks})", held
            )


def written(engine: Engine) -> dict[Any, list[Any]]:
    """The rows as the driver takes them."""
    with engine.connect() as connection:
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table.__tablename__}")]
            for table in WRITTEN
        }


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in WRITTEN:
            connection.execute(delete(table))
    settle(engine)


def code_by_code(engine: Engine, config: Settings, codes: list[str]) -> None:
    """What one would write first: each code read, weighed and upserted by itself."""
    for number, code in enumerate(codes):
        with engine.begin() as connection:
            rows = connection.execute(figures(window(LAST), code)).all()
            found = weigh(rows, config.ensemble_members, config.weight_rule, lambda *_two: ())
            decided = decisions(found, in_force(connection, code))
            write_decisions(connection, decided, number + 10, LAST, config.weight_rule, NOW)


def longest_wait(engine: Engine, over: threading.Event, found: list[float]) -> None:
    """How long another writer waits at most, until told to end."""
    while not over.wait(0.02):
        begun = time.perf_counter()
        with bookkeeping(engine) as connection:
            state_fact(connection, "bench", "here")
        found.append(time.perf_counter() - begun)


def measure(rows: int) -> list[Result]:
    """All figures for so many outcomes."""
    results = []
    codes = max(10, rows // PER_CODE)
    with databases() as engines:
        for name, engine in engines.items():
            made = fill_outcomes(engine, codes)
            results += _measure_one(f"{name}, {made / 1e6:.2g} M outcomes", engine, codes)
    return [*results, _backtest()]


def _measure_one(name: str, engine: Engine, codes: int) -> list[Result]:
    config, waits, over = load(), list[float](), threading.Event()
    other = threading.Thread(target=longest_wait, args=(engine, over, waits))
    other.start()
    ours = once_seconds(lambda: adjust(engine, config, LAST, False, Counted(1)))
    over.set()
    other.join()
    again = once_seconds(lambda: adjust(engine, config, LAST, False, Counted(2)))
    with engine.begin() as connection:  # what a run writes is the same either time
        connection.execute(delete(EnsembleWeightHistory).where(EnsembleWeightHistory.run_id == 2))
    rows = written(engine)
    empty(engine)
    alone = once_seconds(lambda: bare(engine, rows))
    empty(engine)
    some = [f"code-{k:05}" for k in range(0, codes, 10)]
    loop = once_seconds(lambda: code_by_code(engine, config, some)) * codes / len(some)
    with reading(engine) as connection:
        one = median_seconds(lambda: planned(connection, config, LAST, some[0]))
    wait = max(waits, default=0.0)
    return [
        against(f"{name}: adjust_weights / bare GROUP BY + executemany", ours, alone, "≤ 2"),
        against(f"{name}: the same again on that day / bare", again, alone, "≤ 2"),
        against(f"{name}: adjust_weights, code by code (a tenth, × 10)", ours, loop, "faster", faster=True),
        Result(f"{name}: longest wait of another writer", shown(wait), "", "", "≤ 5 s"),
        Result(f"{name}: planned for one code", shown(one), "", "", "≤ 50 ms"),
    ]


def _frame() -> DataFrame:
    """Outcomes of two members, a day after each was predicted."""
    chance = np.random.default_rng(1)
    day = np.tile(np.arange(DAYS_BACK), CODES_BACK) + LAST.toordinal() - DAYS_BACK
    code = np.repeat(np.array([f"code-{k:03}" for k in range(CODES_BACK)], dtype=object), DAYS_BACK)
    moves = chance.normal(0, 1, len(day))
    parts = [
        DataFrame(
            {
                "code": code,
                "model": model,
                "horizon": 1,
                "predicted_day": day,
                "target_day": day + 1,
                "resolved_day": day + 1,
                "predicted_value": 100 + moves * 0.1 + chance.normal(0, spread, len(day)),
                "actual_value": 100 + moves,
                "base_value": 100.0,
            }
        )
        for model, spread in (("chronos", 0.5), ("lgbm", 1.0))
    ]
    return DataFrame({name: np.concatenate([part[name] for part in parts]) for name in COLUMNS})


def one_pass(frame: DataFrame) -> Any:
    """The members side by side, blended with weights that stay, four pairs of them and each member alone; loss and
    hits of each day. As much as the rules' backtest says, without a walk through what was known when."""
    key = ["code", "horizon", "predicted_day", "target_day"]
    wide = frame.pivot(index=[*key, "actual_value", "base_value"], columns="model", values="predicted_value")
    actual, base = (wide.index.get_level_values(name).to_numpy() for name in ("actual_value", "base_value"))
    weights = np.array([[0.6, 0.4], [0.5, 0.5], [0.7, 0.3], [0.3, 0.7], [1, 0], [0, 1]])
    said = weights @ wide.to_numpy().T
    hit, loss = np.sign(said - base) == np.sign(actual - base), (said - actual) ** 2
    day = wide.index.get_level_values("predicted_day").to_numpy()
    return [np.bincount(day - day.min(), values) for values in (*loss, *hit)]


def _backtest() -> Result:
    """Four rules and three yardsticks over two years of weeks."""
    frame = _frame()
    ours = median_seconds(lambda: backtest(frame, ("chronos", "lgbm")), 3)
    other = median_seconds(lambda: one_pass(frame), 3)
    return against(f"backtest of 4 rules, {len(frame):,} outcomes / one numpy pass", ours, other, "≤ 3")
