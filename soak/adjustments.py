"""Outcomes whose weights are known in plain Python, and whether a database's weights and ledger are those."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, case, insert, select, update

from db.clock import starts_at, utc_now
from db.engine import reading
from db.tables.forecasts import EnsembleWeight, EnsembleWeightHistory, ModelPerformance, PredictionOutcome
from soak.source import ZONE, close

EACH = 10  # outcomes of a member of a code
MEMBERS = ("chronos", "lgbm")

o, w, h = PredictionOutcome, EnsembleWeight, EnsembleWeightHistory
Held = dict[tuple[str, int, str], float]


def store_outcomes(engine: Engine, rows: int) -> None:
    """As a user's own program would; all of yesterday."""
    known = starts_at(utc_now().astimezone(ZONE).date() - timedelta(days=1), ZONE)
    with engine.begin() as connection:
        connection.execute(insert(o), [_outcome(n, known) for n in range(rows)])


def _outcome(n: int, known: datetime) -> dict[str, Any]:
    return {
        "code": f"code-{n // (EACH * len(MEMBERS)):05}",
        "model": MEMBERS[n // EACH % len(MEMBERS)],
        "horizon": 5,
        "predicted_at": known - timedelta(days=7, minutes=n % EACH),
        "target_date": known.date(),
        "predicted_value": 101.0,
        "base_value": 100.0,
        "actual_value": 102.0,
        "resolved_at": known,
    }


def change_outcomes(engine: Engine, turn: int) -> None:
    """Other hits for every member, and so other weights for every code."""
    right = {model: 1 + (turn * (3 + 2 * k) + k) % 8 for k, model in enumerate(MEMBERS)}
    enough = case(right, value=o.model)
    with engine.begin() as connection:
        moved = case(((o.id - 1) % EACH < enough, 101.0), else_=99.0)
        connection.execute(update(o).values(predicted_value=moved))


def wanted(engine: Engine) -> Held:
    """The weights that the outcomes come to."""
    hits = defaultdict[tuple[str, int], dict[str, int]](lambda: dict.fromkeys(MEMBERS, 0))
    with reading(engine) as connection:
        for code, horizon, model, value in connection.execute(
            select(o.code, o.horizon, o.model, o.predicted_value)
        ):
            hits[code, horizon][model] += value > 100  # from there it moved to 102
    found: Held = {}
    for group, right in hits.items():
        first = min(0.9, max(0.1, right[MEMBERS[0]] / sum(right.values())))
        found |= {(*group, MEMBERS[0]): first, (*group, MEMBERS[1]): 1 - first}
    return found


def in_force(engine: Engine) -> Held:
    with reading(engine) as connection:
        rows = connection.execute(select(w.code, w.horizon, w.model, w.weight))
        return {(code, horizon, model): weight for code, horizon, model, weight in rows}


def same(one: Mapping[Any, float | None], other: Mapping[Any, float | None]) -> bool:
    return one.keys() == other.keys() and all(close((one[key],), (other[key],)) for key in one)


def of_performance(engine: Engine) -> Held:
    """The weights that the stored figures come to: they are of the same run as the weights."""
    p = ModelPerformance
    groups = defaultdict[tuple[str, int], dict[str, float]](dict)
    with reading(engine) as connection:
        for code, horizon, model, rate in connection.execute(select(p.code, p.horizon, p.model, p.hit_rate)):
            groups[code, horizon][model] = rate or 0.0
    found: Held = {}
    for group, rates in groups.items():
        first = min(0.9, max(0.1, rates[MEMBERS[0]] / sum(rates.values())))
        found |= {(*group, MEMBERS[0]): first, (*group, MEMBERS[1]): 1 - first}
    return found


def ledger_faults(engine: Engine) -> list[str]:
    """Whether each run decided on all weights, from those before it, and all of them make those in force."""
    with reading(engine) as connection:
        columns = (h.run_id, h.code, h.horizon, h.model, h.before, h.after, h.action)
        rows = connection.execute(select(*columns).order_by(h.decided_at, h.run_id)).all()
    state: dict[Any, float | None] = {}
    faults = []
    for run_id, decided in groupby(rows, key=lambda row: row.run_id):
        of_run = {(row.code, row.horizon, row.model): row for row in decided}
        if state and of_run.keys() != state.keys():
            faults.append(f"run {run_id} decided on {len(of_run)} of {len(state)} weights")
        wrong = [key for key, row in of_run.items() if row.before != state.get(key)]
        if wrong:
            faults.append(f"run {run_id}: {len(wrong)} × another weight before, first {wrong[0]}")
        state |= {key: row.after for key, row in of_run.items()}
    if not same(state, in_force(engine)):
        faults.append("the ledger does not end with the weights in force")
    return faults
