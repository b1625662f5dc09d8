"""Models, the evaluations of their predictions, and what a day of them came to."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from db.base import Base, Day, Id, Score, Timestamp, between, flag, moment

SCORES = ("final_score", "target_accuracy_score", "timing_score", "risk_management_score")
RATINGS = ("human_rating_quality", "human_rating_usefulness", "human_rating_overall")
# Computed by the database when a row is written, so that the aggregation need not: it halves its time.
COMPOSITES = {
    "counted_score": "CASE WHEN evaluated_at IS NOT NULL THEN final_score END",
    "auto_score": "0.4 * target_accuracy_score + 0.3 * timing_score + 0.3 * risk_management_score",
    "human_score": (
        "CASE WHEN human_evaluated_at IS NOT NULL THEN "
        "(human_rating_quality + human_rating_usefulness + human_rating_overall) / 3 * 20 END"
    ),
    "overall_score": "human_rating_overall * 20",
}


def _composite(name: str) -> MappedColumn[Any]:
    return mapped_column(Score, Computed(COMPOSITES[name], persisted=True))


class Model(Base):
    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("name"), CheckConstraint("name <> ''", name="name"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(100), server_default="")
    provider: Mapped[str | None] = mapped_column(String(200))
    version: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    # No data are expected any more; its figures stay.
    retired_at: Mapped[datetime | None] = mapped_column(Timestamp)
    # Whatever comes under this name belongs to that model, or to the one that that was merged into.
    merged_into: Mapped[int | None]


class ModelEvaluation(Base):
    __tablename__ = "model_evaluations"
    __table_args__ = (
        UniqueConstraint("model_id", "prediction_id"),
        CheckConstraint("prediction_id <> ''", name="prediction_id"),
        *(between(score, 0, 100) for score in SCORES),
        *(between(rating, 1, 5) for rating in RATINGS),
        *(moment(at) for at in ("predicted_at", "evaluated_at", "human_evaluated_at", "updated_at")),
        *(flag(column) for column in ("target_achieved", "support_breached")),
        # Covers the daily aggregation, in the order of its groups: no look-up of the row, no sort.
        Index(
            "ix_model_evaluations_daily",
            "day",
            "model_id",
            "evaluated_at",
            "human_evaluated_at",
            *COMPOSITES,
            *SCORES[1:],
            "target_achieved",
            "support_breached",
        ),
        Index(
            None,
            "came_as",
            sqlite_where=text("came_as IS NOT NULL"),
            postgresql_where=text("came_as IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prediction_id: Mapped[str] = mapped_column(String(500))
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"))
    predicted_at: Mapped[datetime] = mapped_column(Timestamp)
    evaluated_at: Mapped[datetime | None] = mapped_column(Timestamp)
    human_evaluated_at: Mapped[datetime | None] = mapped_column(Timestamp)
    final_score: Mapped[float | None] = mapped_column(Score)
    target_accuracy_score: Mapped[float | None] = mapped_column(Score)
    timing_score: Mapped[float | None] = mapped_column(Score)
    risk_management_score: Mapped[float | None] = mapped_column(Score)
    human_rating_quality: Mapped[float | None] = mapped_column(Score)
    human_rating_usefulness: Mapped[float | None] = mapped_column(Score)
    human_rating_overall: Mapped[float | None] = mapped_column(Score)
    target_achieved: Mapped[bool | None] = mapped_column(Boolean)
    support_breached: Mapped[bool | None] = mapped_column(Boolean)
    counted_score: Mapped[float | None] = _composite("counted_score")
    auto_score: Mapped[float | None] = _composite("auto_score")
    human_score: Mapped[float | None] = _composite("human_score")
    overall_score: Mapped[float | None] = _composite("overall_score")
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    # The business day of predicted_at: null only inside the statement that inserts a row by plain SQL.
    day: Mapped[date | None] = mapped_column(Day)
    # The model under whose name the row came, where that was merged into this one: what an undo gives back.
    came_as: Mapped[int | None]


class DailyModelPerformance(Base):
    __tablename__ = "daily_model_performance"
    __table_args__ = (Index(None, "date", "model_id"),)

    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"), primary_key=True)
    date: Mapped[date] = mapped_column(Day, primary_key=True)
    total_predictions: Mapped[int]
    evaluated_count: Mapped[int]
    scored_count: Mapped[int]
    human_evaluated_count: Mapped[int]
    avg_final_score: Mapped[float | None] = mapped_column(Score)
    std_final_score: Mapped[float | None] = mapped_column(Score)
    avg_auto_score: Mapped[float | None] = mapped_column(Score)
    std_auto_score: Mapped[float | None] = mapped_column(Score)
    auto_count: Mapped[int]
    avg_human_score: Mapped[float | None] = mapped_column(Score)
    std_human_score: Mapped[float | None] = mapped_column(Score)
    human_score_count: Mapped[int]
    avg_rating_overall: Mapped[float | None] = mapped_column(Score)
    std_rating_overall: Mapped[float | None] = mapped_column(Score)
    rating_overall_count: Mapped[int]
    avg_target_accuracy: Mapped[float | None] = mapped_column(Score)
    target_accuracy_count: Mapped[int]
    avg_timing_score: Mapped[float | None] = mapped_column(Score)
    timing_count: Mapped[int]
    avg_risk_management: Mapped[float | None] = mapped_column(Score)
    risk_management_count: Mapped[int]
    target_achieved_rate: Mapped[float | None] = mapped_column(Score)
    target_achieved_count: Mapped[int]
    target_flag_count: Mapped[int]
    support_breach_rate: Mapped[float | None] = mapped_column(Score)
    support_breached_count: Mapped[int]
    breach_flag_count: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(Timestamp)
