"""kill -9 at random moments of a retraining: every model that is in use is whole."""

import random
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, delete, insert

from db.engine import reading
from db.tables.forecasts import PriceBar, TrainingRun
from jobs import artifacts
from jobs.models_in_use import promoted
from soak import sound
from soak.killing import Command
from soak.processes import takes

BARS, CODES = 320, tuple(f"C{k}" for k in range(6))
LAST = date(2026, 11, 20)


class Retrainings:
    name = "retrain"

    def __init__(self, engine: Engine, folder: Path, rows: int = 0) -> None:
        self.engine, self._models = engine, folder / "models"
        self._also = {"MODELS_DIR": str(self._models), "RETRAIN_BACKEND": "sequential", "HORIZONS": "1"}
        with engine.begin() as connection:
            for number, code in enumerate(CODES):
                connection.execute(insert(PriceBar), _bars(code, number))
        self._command = Command(engine, "-m", "jobs", "run", "retrain", also=self._also)
        self._command.measure()

    def prepare(self, turn: int) -> None:
        """As if no model had been trained, but for the files of those that were."""
        with self.engine.begin() as connection:
            connection.execute(delete(TrainingRun))

    def kill(self, turn: int, chance: random.Random) -> bool:
        return self._command.kill(chance)

    def left(self) -> list[str]:
        return sound.running_after_a_tick(self.engine) + self._faults()

    def mend(self) -> None:
        takes(self.engine, "-m", "jobs", "run", "retrain", also=self._also)

    def mended(self) -> list[str]:
        """Each code has its model, and nothing else lies around."""
        used = self._in_use()
        files = {path.name for path in self._models.iterdir()}
        lost = [f"no model of {code}" for code in CODES if code not in used]
        return lost + self._faults() + [f"file left: {name}" for name in sorted(files - set(used.values()))]

    def _in_use(self) -> dict[str, str]:
        with reading(self.engine) as connection:
            found = {code: promoted(connection, code) for code in CODES}
        return {code: models[1][0].artifact for code, models in found.items() if models}

    def _faults(self) -> list[str]:
        faults = []
        for code, name in self._in_use().items():
            try:
                artifacts.read(self._models, name)
            except artifacts.Unusable as why:
                faults.append(f"{code}: {why}")
        return faults


def _bars(code: str, seed: int) -> list[dict[str, object]]:
    """Prices whose steps repeat much of the step before, so that each code's model is put to use."""
    rng = np.random.default_rng(seed)
    step = rng.normal(0, 0.01, BARS)
    for k in range(1, BARS):
        step[k] += 0.95 * step[k - 1]
    closes = 100 * np.exp(np.cumsum(step))
    days = [LAST - timedelta(days=BARS - k) for k in range(BARS)]
    return [
        {"code": code, "date": day, "close": close} for day, close in zip(days, closes.tolist(), strict=True)
    ]
