"""Forecasts: prices, what models predicted and what came true; how good they were, and how much weight each has."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Computed,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Day, Id, Score, Timestamp, between, flag, moment

LARGEST = 1e15  # of a price or a predicted value, either way: what is beyond is a slip
OLDEST_BAR = date(1800, 1, 1)
KEY = ("code", "model", "horizon", "predicted_at", "target_date")
# Computed by the database, so that a corrected price carries them along. A move of exactly 0 is a hit only if both
# are 0; without a base value there is no direction.
ABS_ERROR = "abs(predicted_value - actual_value)"
DIRECTION_HIT = (
    "((predicted_value > base_value) = (actual_value > base_value)) AND "
    "((predicted_value < base_value) = (actual_value < base_value))"
)


def _name(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} <> ''", name=column)


def _value(column: str) -> CheckConstraint:
    return between(column, -LARGEST, LARGEST)


class PriceBar(Base):
    __tablename__ = "price_bars"
    __table_args__ = (
        UniqueConstraint("code", "date"),
        _name("code"),
        *map(_value, ("open", "high", "low", "close")),
        between("volume", 0, LARGEST),
        CheckConstraint("low <= high", name="low_high"),
        CheckConstraint(f"date >= '{OLDEST_BAR}'", name="date"),
        *(moment(at) for at in ("imported_at", "updated_at")),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(200))
    date: Mapped[date] = mapped_column(Day)
    open: Mapped[float | None] = mapped_column(Score)
    high: Mapped[float | None] = mapped_column(Score)
    low: Mapped[float | None] = mapped_column(Score)
    close: Mapped[float] = mapped_column(Score)
    volume: Mapped[float | None] = mapped_column(Score)
    # When the bar became known; a correction leaves it.
    imported_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())


class Prediction(Base):
    __tablename__ = "predictions"
    __table_args__ = (
        UniqueConstraint(*KEY, name="uq_predictions_key"),
        _name("code"),
        _name("model"),
        CheckConstraint("horizon >= 0", name="horizon"),
        *map(_value, ("predicted_value", "base_value")),
        *(moment(at) for at in ("predicted_at", "updated_at")),
        flag("user_triggered"),
        Index(None, "code", "target_date"),
        Index(None, "day", "model"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(200))
    model: Mapped[str] = mapped_column(String(200))
    horizon: Mapped[int] = mapped_column(Integer)  # days
    predicted_at: Mapped[datetime] = mapped_column(Timestamp)
    target_date: Mapped[date] = mapped_column(Day)
    predicted_value: Mapped[float] = mapped_column(Score)
    base_value: Mapped[float | None] = mapped_column(Score)
    user_triggered: Mapped[bool] = mapped_column(Boolean, server_default=false())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    # The business day of predicted_at: null only inside the statement that inserts a row by plain SQL.
    day: Mapped[date | None] = mapped_column(Day)


class PredictionOutcome(Base):
    __tablename__ = "prediction_outcomes"
    __table_args__ = (
        UniqueConstraint(*KEY, name="uq_prediction_outcomes_key"),
        _name("code"),
        _name("model"),
        CheckConstraint("horizon >= 0", name="horizon"),
        *map(_value, ("predicted_value", "base_value", "actual_value")),
        *(moment(at) for at in ("predicted_at", "resolved_at", "updated_at")),
        # Covers the window of a weight adjustment and the figures of a day.
        Index(
            "ix_prediction_outcomes_window",
            *("day", "code", "horizon", "model", "direction_hit", "abs_error", "base_value", "actual_value"),
        ),
        Index(None, "code", "target_date"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(200))
    model: Mapped[str] = mapped_column(String(200))
    horizon: Mapped[int] = mapped_column(Integer)  # days
    predicted_at: Mapped[datetime] = mapped_column(Timestamp)
    target_date: Mapped[date] = mapped_column(Day)
    predicted_value: Mapped[float] = mapped_column(Score)
    base_value: Mapped[float | None] = mapped_column(Score)
    actual_value: Mapped[float] = mapped_column(Score)
    abs_error: Mapped[float] = mapped_column(Score, Computed(ABS_ERROR, persisted=True))
    direction_hit: Mapped[bool | None] = mapped_column(Boolean, Computed(DIRECTION_HIT, persisted=True))
    resolved_at: Mapped[datetime] = mapped_column(Timestamp)
    # The day of the price bar that it was matched with; null where the outcome itself was imported.
    bar_date: Mapped[date | None] = mapped_column(Day)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    # The business day of resolved_at: null only inside the statement that inserts a row by plain SQL.
    day: Mapped[date | None] = mapped_column(Day)


class DailyForecast(Base):
    """What the outcomes that became known on a day came to, over all codes.

    `closer_count` of the `based_count` with a base value erred less than "no change" would have. Errors are no mean
    here: those of codes with different prices do not add up.
    """

    __tablename__ = "daily_forecasts"

    date: Mapped[date] = mapped_column(Day, primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    horizon: Mapped[int] = mapped_column(Integer, primary_key=True)
    sample_count: Mapped[int]
    hit_count: Mapped[int]
    direction_count: Mapped[int]
    closer_count: Mapped[int]
    based_count: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


class ModelPerformance(Base):
    """How good a model was for a code and horizon in the days as_of − (window_days − 1) … as_of."""

    __tablename__ = "model_performance"
    __table_args__ = (Index(None, "as_of"),)

    code: Mapped[str] = mapped_column(String(200), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    horizon: Mapped[int] = mapped_column(Integer, primary_key=True)
    window_days: Mapped[int] = mapped_column(Integer, primary_key=True)
    as_of: Mapped[date] = mapped_column(Day, primary_key=True)
    hit_rate: Mapped[float | None] = mapped_column(Score)  # 0–1
    hit_count: Mapped[int]
    direction_count: Mapped[int]
    mae: Mapped[float] = mapped_column(Score)  # in the code's own unit
    sample_count: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


class EnsembleWeight(Base):
    """The weights in force; they sum to 1 over the members of a code and horizon."""

    __tablename__ = "ensemble_weights"
    __table_args__ = (between("weight", 0, 1),)

    code: Mapped[str] = mapped_column(String(200), primary_key=True)
    horizon: Mapped[int] = mapped_column(Integer, primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    weight: Mapped[float] = mapped_column(Score)
    hit_rate: Mapped[float | None] = mapped_column(Score)
    sample_count: Mapped[int]
    as_of: Mapped[date] = mapped_column(Day)
    rule: Mapped[str] = mapped_column(String(50))
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


class EnsembleWeightHistory(Base):
    """The ledger: every decision on a weight, also a skipped one; `undoes` is the run that an undo took back."""

    __tablename__ = "ensemble_weight_history"
    __table_args__ = (
        *(between(column, 0, 1) for column in ("before", "after")),
        Index(None, "decided_at"),
        Index(None, "run_id"),
        Index(
            "ix_ensemble_weight_history_undoes",
            *("undoes", "run_id"),
            sqlite_where=text("undoes IS NOT NULL"),
            postgresql_where=text("undoes IS NOT NULL"),
        ),
    )

    code: Mapped[str] = mapped_column(String(200), primary_key=True)
    horizon: Mapped[int] = mapped_column(Integer, primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    run_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    as_of: Mapped[date] = mapped_column(Day)
    decided_at: Mapped[datetime] = mapped_column(Timestamp)
    rule: Mapped[str] = mapped_column(String(50))
    before: Mapped[float | None] = mapped_column(Score)  # null: there was no row, readers got the default
    after: Mapped[float | None] = mapped_column(Score)
    hit_rate: Mapped[float | None] = mapped_column(Score)
    sample_count: Mapped[int]  # outcomes with a direction
    action: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(200))
    undoes: Mapped[int | None] = mapped_column(Id)


class TrainingRun(Base):
    """One try to train a model for a code and horizon: how it did on held-out days, and what became of it."""

    __tablename__ = "training_runs"

    code: Mapped[str] = mapped_column(String(200), primary_key=True)
    horizon: Mapped[int] = mapped_column(Integer, primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    trained_at: Mapped[datetime] = mapped_column(Timestamp, primary_key=True)
    rows: Mapped[int]
    folds: Mapped[int]
    mae: Mapped[float | None] = mapped_column(Score)
    mae_before: Mapped[float | None] = mapped_column(Score)  # of the model that was in use, on the same days
    mae_no_change: Mapped[float | None] = mapped_column(Score)
    hit_rate: Mapped[float | None] = mapped_column(Score)
    artifact: Mapped[str] = mapped_column(String(500), server_default="")
    status: Mapped[str] = mapped_column(String(20))  # promoted, kept, failed
    error: Mapped[str | None]


class WeightBacktest(Base):
    """What a rule would have come to in a week, with what was known then; over the codes of a set of members.

    `prefix` is that of the set in ENSEMBLE_MEMBERS, '' for the one of all other codes.
    """

    __tablename__ = "weight_backtests"

    run_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    prefix: Mapped[str] = mapped_column(String(200), primary_key=True)
    rule: Mapped[str] = mapped_column(String(220), primary_key=True)
    horizon: Mapped[int] = mapped_column(Integer, primary_key=True)
    week_start: Mapped[date] = mapped_column(Day, primary_key=True)
    loss: Mapped[float | None] = mapped_column(Score)
    hit_rate: Mapped[float | None] = mapped_column(Score)
    n: Mapped[int] = mapped_column(Integer, server_default=text("0"))


SOURCES: tuple[Any, ...] = (PriceBar, Prediction, PredictionOutcome)
