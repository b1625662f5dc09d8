"""What pages ask of one code: how good its forecasters are, and what they said against what came."""

from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, func, select

from db.queries.frames import frame
from db.tables.forecasts import KEY, ModelPerformance, Prediction, PredictionOutcome, TrainingRun

o, p, t, f = PredictionOutcome, ModelPerformance, TrainingRun, Prediction


def codes(connection: Connection) -> list[str]:
    """Every code that has outcomes, those with most of them in the newest window first."""
    newest = select(func.max(p.as_of)).scalar_subquery()
    n = func.sum(p.sample_count)
    measured = select(p.code).where(p.as_of == newest).group_by(p.code).order_by(n.desc(), p.code)
    found = list(connection.scalars(measured))
    return found or list(connection.scalars(select(o.code).distinct().order_by(o.code)))


def horizons(connection: Connection, code: str) -> list[int]:
    """The horizons at which a code has outcomes, in days; those that it had, where its outcomes are gone."""
    for table in (o, p):
        own = select(table.horizon).where(table.code == code).distinct().order_by(table.horizon)
        if found := list(connection.scalars(own)):
            return found
    return []


def performance(connection: Connection, code: str) -> pd.DataFrame:
    """The newest window of a code: horizon, model, hit_rate (0–1), direction_count, mae, sample_count, as_of."""
    newest = select(func.max(p.as_of)).where(p.code == code).scalar_subquery()
    columns: list[Any] = [p.horizon, p.model, p.hit_rate, p.direction_count, p.mae, p.sample_count, p.as_of]
    rows = select(*columns).where(p.code == code, p.as_of == newest)
    return frame(connection, rows.order_by(p.horizon, p.hit_rate.desc(), p.model))


def coverage(connection: Connection, code: str, horizon: int, since: date, until: date) -> pd.DataFrame:
    """Of the predictions for target dates of a period, how many have an outcome: subject, part, whole, newest."""
    same = and_(*(getattr(o, name) == getattr(f, name) for name in KEY))
    rows = (
        select(
            f.model.label("subject"),
            func.count(o.id).label("part"),
            func.count().label("whole"),
            func.max(f.target_date).label("newest"),
        )
        .outerjoin(o, same)
        .where(f.code == code, f.horizon == horizon, f.target_date.between(since, until))
        .group_by(f.model)
    )
    return frame(connection, rows.order_by(f.model))


def moves(connection: Connection, code: str, horizon: int, since: date, until: date) -> pd.DataFrame:
    """Moves that were said and that came, from the base value, in the code's unit: subject, said, came."""
    rows = select(
        o.model.label("subject"),
        (o.predicted_value - o.base_value).label("said"),
        (o.actual_value - o.base_value).label("came"),
    ).where(o.code == code, o.horizon == horizon, o.day.between(since, until), o.base_value.is_not(None))
    return frame(connection, rows.order_by(o.model, o.id))


def too_old(connection: Connection, before: datetime) -> pd.DataFrame:
    """Models in use that were trained before a moment, the oldest first: model, code, horizon, trained_at.

    In use is the newest that was promoted for a code and horizon.
    """
    newest = func.max(t.trained_at, type_=t.trained_at.type)
    rows = select(t.model, t.code, t.horizon, newest.label("trained_at")).where(t.status == "promoted")
    rows = rows.group_by(t.model, t.code, t.horizon).having(newest < before)
    return frame(connection, rows.order_by(newest, t.code, t.horizon))


def trainings(connection: Connection, code: str, horizon: int, limit: int = 30) -> pd.DataFrame:
    """The newest trainings for a code and horizon, newest first: the columns of the table."""
    rows = select(t.__table__).where(t.code == code, t.horizon == horizon)
    return frame(connection, rows.order_by(t.trained_at.desc(), t.model).limit(limit))
