"""Predictions of Tidemark's own in the database: what is there already, with which weights, and storing more."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Table, select

from db.tables.forecasts import KEY, EnsembleWeight, Prediction
from db.upsert import upsert_rows
from jobs.forecasting import ENSEMBLE, MEMBERS, Wanted
from jobs.formulas.weight_names import starting_weights

predictions: Table = Prediction.__table__  # type: ignore[assignment]
p, w = Prediction, EnsembleWeight


def already_predicted(connection: Connection, code: str, newest: date) -> set[int]:
    """The horizons of which there is an ensemble of this bar that nobody asked for."""
    rows = select(p.horizon, p.target_date).where(
        p.code == code, p.model == ENSEMBLE, p.user_triggered.is_(False), p.target_date > newest
    )
    return {
        horizon for horizon, target in connection.execute(rows) if target == newest + timedelta(days=horizon)
    }


def member_weights(connection: Connection, code: str, horizon: int) -> dict[str, float]:
    """The weights of Tidemark's own members; those to start with where none of theirs is in force."""
    rows = select(w.model, w.weight).where(w.code == code, w.horizon == horizon, w.model.in_(MEMBERS))
    found = {row.model: row.weight for row in connection.execute(rows)}
    return found or dict(zip(MEMBERS, starting_weights(MEMBERS), strict=True))


def store(
    connection: Connection,
    wanted: Wanted,
    values: Mapping[int, Mapping[str, float]],
    at: datetime,
    user_triggered: bool,
) -> dict[int, dict[str, int]]:
    """Writes the values of a code, by horizon and model; returns the ids of their rows in the same shape."""
    common = {"code": wanted.code, "predicted_at": at, "base_value": wanted.base, "updated_at": at}
    rows = [
        common
        | {"horizon": horizon, "target_date": wanted.newest + timedelta(days=horizon), "model": model}
        | {"predicted_value": value, "user_triggered": user_triggered}
        for horizon, members in values.items()
        for model, value in members.items()
    ]
    upsert_rows(connection, predictions, KEY, rows)
    mine = select(p.horizon, p.model, p.id).where(p.code == wanted.code, p.predicted_at == at)
    ids: dict[int, dict[str, int]] = {horizon: {} for horizon in values}
    for horizon, model, number in connection.execute(mine.where(p.horizon.in_(values))):
        ids[horizon][model] = number
    return ids
