"""Outcomes for tests of ensemble weights, and what a run of the job makes of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from db.tables.forecasts import EnsembleWeight, EnsembleWeightHistory
from db.writers import store_outcomes
from jobs import claims, queue
from jobs.adjust_weights import JOB
from jobs.runner import execute
from jobs.workers import this_worker
from settings import current

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # 11:30 in Seoul
TODAY = date(2026, 11, 20)
MADE = datetime(2026, 11, 9, 1, tzinfo=UTC)

Groups = dict[tuple[str, int], dict[str, float]]


def give(
    engine: Engine,
    model: str,
    hits: int,
    of: int,
    code: str = "A",
    horizon: int = 5,
    known: datetime = NOW,
    **more: Any,
) -> None:
    """So many outcomes, of which so many have the right direction."""
    rows = [
        {
            "code": code,
            "model": model,
            "horizon": horizon,
            "predicted_at": known - timedelta(days=9, minutes=k),
            "target_date": known.date(),
            "predicted_value": 101 if k < hits else 99,
            "base_value": 100,
            "actual_value": 102,
            "resolved_at": known,
        }
        | more
        for k in range(of)
    ]
    store_outcomes(rows, engine=engine, now=NOW)


def adjust(engine: Engine, now: datetime = NOW, **params: Any) -> Any:
    """Asks for a run and runs it; its row."""
    asked = queue.request(engine, JOB, JOB.read(params), trigger="manual", by="kim", now=now)
    claimed = claims.claim(engine, this_worker(), now, asked.id)
    assert claimed
    execute(engine, claimed, current().zone, lambda: now)
    return queue.run_row(engine, asked.id)


def in_force(engine: Engine) -> Groups:
    found: Groups = {}
    w = EnsembleWeight
    with engine.connect() as connection:
        for code, horizon, model, weight in connection.execute(select(w.code, w.horizon, w.model, w.weight)):
            found.setdefault((code, horizon), {})[model] = round(weight, 9)
    return found


def ledger(engine: Engine, run: Any = None, *names: str) -> list[Any]:
    """Rows of the ledger, those of a run, in order of run, code, horizon and model."""
    h = EnsembleWeightHistory
    columns = names or ("code", "horizon", "model", "before", "after", "action", "reason")
    rows = select(*(getattr(h, name) for name in columns)).order_by(h.run_id, h.code, h.horizon, h.model)
    with engine.connect() as connection:
        found = connection.execute(rows if run is None else rows.where(h.run_id == run.id))
        return [tuple(round(x, 9) if isinstance(x, float) else x for x in row) for row in found]
