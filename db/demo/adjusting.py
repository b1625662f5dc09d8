"""The demo's weights: what the job would have decided each Sunday of the year, and what the ensemble said by it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from db.clock import business_day, to_utc
from db.demo.forecasts import (
    CODES,
    ENSEMBLE,
    HORIZONS,
    MEMBERS,
    Floats,
    Row,
    Simulated,
    bars,
    outcomes,
    predictions,
    rounded,
    simulated_forecasts,
)
from db.tables.forecasts import (
    EnsembleWeight,
    EnsembleWeightHistory,
    ModelPerformance,
    Prediction,
    PredictionOutcome,
    PriceBar,
    TrainingRun,
)
from db.tables.operations import JobRun
from jobs.formulas.weight_names import HIT_RATE, UPDATED, starting_weights

AT = time(2, 0)
WINDOW = timedelta(days=30)
TRAININGS = 8  # Sundays
VALIDATION = timedelta(days=100)
OLD = timedelta(days=28)  # a training every week keeps models younger than MODEL_MAX_AGE_DAYS


@dataclass
class Decision:
    """What was decided on a Sunday; arrays codes × horizons × members, but action and reason."""

    sunday: date
    before: Floats
    after: Floats
    hits: Floats
    trials: Floats
    action: NDArray[np.str_]
    reason: NDArray[np.str_]


def store_forecasts(connection: Connection, zone: ZoneInfo, now: datetime, days: int) -> int:
    """Stores a simulated year of prices, forecasts and weights; returns how many rows of sources it has."""
    made = simulated_forecasts(zone, now, days)
    decided = [found for found in _decisions(made, business_day(now, zone)) if _at(found.sunday, zone) <= now]
    _let_ensemble_speak(made, decided)
    said = predictions(made, zone, now)
    sources: dict[Any, list[Row]] = {
        PriceBar: bars(made, zone),
        Prediction: said,
        PredictionOutcome: outcomes(made, said, zone),
    }
    for table, rows in sources.items():
        connection.execute(insert(table), rows)
    _store_ledger(connection, decided, zone)
    connection.execute(insert(ModelPerformance), _performance(made, decided[-1].sunday, zone))
    connection.execute(insert(TrainingRun), _trainings(made, decided[-TRAININGS:], zone))
    return sum(map(len, sources.values()))


def _at(sunday: date, zone: ZoneInfo) -> datetime:
    return to_utc(datetime.combine(sunday, AT), zone)


def _decisions(made: Simulated, today: date) -> list[Decision]:
    """Sunday by Sunday, by the rule hit_rate."""
    from jobs.formulas.weights import RULES, Window  # numpy is here already, scipy is not wanted by others

    shape = (len(CODES), len(HORIZONS), len(MEMBERS))
    weights = np.broadcast_to(np.array(starting_weights(MEMBERS)), shape).copy()
    hit = np.stack([_hits(made, made.predicted[member]) for member in MEMBERS], axis=-1)
    ordinals = np.array([day.toordinal() for day in made.days] + [date.max.toordinal()])
    known = ordinals[np.minimum(made.target, len(made.days))]  # horizons × days
    first = made.days[0] + timedelta(days=6 - made.days[0].weekday())
    found = []
    for k in range((today - first).days // 7 + 1):
        sunday = first + timedelta(weeks=k)
        inside = (known >= (sunday - WINDOW).toordinal()) & (known <= sunday.toordinal())
        hits = (hit * inside[None, :, :, None]).sum(axis=2)
        trials = np.broadcast_to(inside.sum(axis=1)[None, :, None], shape).astype(float)
        if not trials.any():
            continue
        right, of = (array.reshape(-1, len(MEMBERS)) for array in (hits, trials))
        ruled = RULES[HIT_RATE](Window(np.tile(np.array(HORIZONS), len(CODES)), right, of, of, of))
        after = np.where(np.isnan(ruled.weights.reshape(shape)), weights, ruled.weights.reshape(shape))
        found.append(Decision(sunday, weights, after, hits, trials, ruled.action, ruled.reason))
        weights = after
    return found


def _hits(made: Simulated, predicted: Floats) -> Floats:
    """1 where the direction was right, codes × horizons × days."""
    base = made.closes[:, None, :]
    found: Floats = (np.sign(predicted - base) == np.sign(made.actual - base)).astype(float)
    return found


def _let_ensemble_speak(made: Simulated, decided: list[Decision]) -> None:
    """Each day's members by the weights that were in force."""
    weights = np.empty((len(CODES), len(HORIZONS), len(made.days), len(MEMBERS)))
    weights[:] = np.array(starting_weights(MEMBERS))
    for found in decided:
        later = np.array([day >= found.sunday for day in made.days])
        weights[:, :, later, :] = found.after[:, :, None, :]
    said = np.stack([made.predicted[member] for member in MEMBERS], axis=-1)
    made.predicted[ENSEMBLE] = rounded((weights * said).sum(axis=-1))


def _store_ledger(connection: Connection, decided: list[Decision], zone: ZoneInfo) -> None:
    """A run a Sunday, what it decided, and the weights in force now."""
    for number, found in enumerate(decided):
        at = _at(found.sunday, zone)
        updated = int((found.action == UPDATED).sum())
        run: Row = {"job": "adjust_weights", "params": {}, "params_hash": "", "status": "succeeded"}
        run |= {"trigger": "schedule", "triggered_by": "demo", "scheduled_for": at, "progress": 1.0}
        run |= dict.fromkeys(("queued_at", "started_at", "finished_at"), at)
        run |= {"rows_written": updated * len(MEMBERS), "message": ""}
        run_id = connection.scalar(insert(JobRun).values(run).returning(JobRun.id))
        rows = list(_ledger(found, at))
        more = {"run_id": run_id, "decided_at": at}
        if number == 0:
            more["before"] = None
        connection.execute(insert(EnsembleWeightHistory), [row | more for row in rows])
        if number == len(decided) - 1:
            connection.execute(insert(EnsembleWeight), [_in_force(row, at) for row in rows])


def _ledger(found: Decision, at: datetime) -> list[Row]:
    rows = []
    for k, code in enumerate(CODES):
        for h, horizon in enumerate(HORIZONS):
            group = k * len(HORIZONS) + h
            for m, member in enumerate(MEMBERS):
                trials = int(found.trials[k, h, m])
                rows.append(
                    {
                        "code": code.name,
                        "horizon": horizon,
                        "model": member,
                        "as_of": found.sunday,
                        "rule": HIT_RATE,
                        "before": float(found.before[k, h, m]),
                        "after": float(found.after[k, h, m]),
                        "hit_rate": float(found.hits[k, h, m]) / trials if trials else None,
                        "sample_count": trials,
                        "action": str(found.action[group]),
                        "reason": str(found.reason[group]),
                    }
                )
    return rows


def _performance(made: Simulated, sunday: date, zone: ZoneInfo) -> list[Row]:
    """How good each model was in the window of the newest decision."""
    known = [made.days[n] if n < len(made.days) else date.max for n in made.target.ravel()]
    inside = np.array([sunday - WINDOW <= day <= sunday for day in known]).reshape(made.target.shape)
    rows = []
    for model, predicted in made.predicted.items():
        hits, errors = _hits(made, predicted), np.abs(predicted - made.actual)
        for k, code in enumerate(CODES):
            for h, horizon in enumerate(HORIZONS):
                n, right = int(inside[h].sum()), int(hits[k, h, inside[h]].sum())
                row: Row = {"code": code.name, "model": model, "horizon": horizon, "as_of": sunday}
                row |= {"window_days": WINDOW.days + 1, "hit_rate": right / n if n else None}
                row |= {"hit_count": right, "direction_count": n, "sample_count": n}
                row |= {"mae": float(errors[k, h, inside[h]].mean()), "updated_at": _at(sunday, zone)}
                rows.append(row)
    return rows


def _in_force(row: Row, at: datetime) -> Row:
    kept = ("code", "horizon", "model", "as_of", "rule", "hit_rate", "sample_count")
    return {name: row[name] for name in kept} | {"weight": row["after"], "updated_at": at}


def _trainings(made: Simulated, decided: list[Decision], zone: ZoneInfo) -> list[Row]:
    """The weekly trainings of lgbm, as good as its forecasts of the days before were."""
    rows = []
    error = np.abs(made.predicted["lgbm"] - made.actual)
    still = np.abs(made.closes[:, None, :] - made.actual)
    hit = _hits(made, made.predicted["lgbm"])
    held: dict[tuple[int, int], tuple[float, date]] = {}
    for found in decided:
        days = [found.sunday - VALIDATION <= day < found.sunday for day in made.days]
        inside = np.array(days) & ~np.isnan(made.actual).any(axis=(0, 1))
        for k, code in enumerate(CODES):
            for h, horizon in enumerate(HORIZONS):
                mae, naive = (float(values[k, h, inside].mean()) for values in (error, still))
                before, since = held.get((k, h), (None, found.sunday))
                if found.sunday - since > OLD:
                    before = None  # it is not used any more, and holds nobody up
                better = mae < naive and (before is None or mae < before)
                rows.append(
                    {
                        "code": code.name,
                        "horizon": horizon,
                        "model": "lgbm",
                        "trained_at": _at(found.sunday, zone),
                        "rows": sum(day < found.sunday for day in made.days),
                        "folds": 5,
                        "mae": mae,
                        "mae_before": before,
                        "mae_no_change": naive,
                        "hit_rate": float(hit[k, h, inside].mean()),
                        "artifact": "",
                        "status": "promoted" if better else "kept",
                    }
                )
                if better:
                    held[k, h] = mae, found.sunday
    return rows
