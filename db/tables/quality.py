"""AI quality: how answers were judged and liked, and what a day and a week of that came to."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Day, Id, Score, Timestamp, between, moment

CRITERIA = ("quality", "accuracy", "consistency", "sentiment_match")
MARKS = ("score", *CRITERIA)  # 0–10 each
EVERYBODY = "*"  # the evaluator of rows that hold all evaluators together, and the likes


def _text(length: int = 200) -> Mapped[str]:
    """A dimension; '' where it is not known."""
    return mapped_column(String(length), server_default="")


class ConversationEvaluation(Base):
    __tablename__ = "conversation_evaluation"
    __table_args__ = (
        UniqueConstraint("conversation_id", "model", "evaluator", "created_at"),
        CheckConstraint("conversation_id <> ''", name="conversation_id"),
        CheckConstraint(f"evaluator <> '{EVERYBODY}'", name="evaluator"),
        *(between(mark, 0, 10) for mark in MARKS),
        *(moment(at) for at in ("created_at", "updated_at")),
        # Covers the daily aggregation, in the order of its groups.
        Index("ix_conversation_evaluation_daily", "day", "evaluator", "model", "channel", "topic", *MARKS),
        Index(None, "conversation_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(500))
    model: Mapped[str] = _text()
    evaluator: Mapped[str] = _text()
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    score: Mapped[float] = mapped_column(Score)
    quality: Mapped[float | None] = mapped_column(Score)
    accuracy: Mapped[float | None] = mapped_column(Score)
    consistency: Mapped[float | None] = mapped_column(Score)
    sentiment_match: Mapped[float | None] = mapped_column(Score)
    channel: Mapped[str] = _text()
    topic: Mapped[str] = _text()
    prompt: Mapped[str | None]
    response: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    # The business day of created_at: null only inside the statement that inserts a row by plain SQL.
    day: Mapped[date | None] = mapped_column(Day)


class FeedbackLog(Base):
    __tablename__ = "feedback_log"
    __table_args__ = (
        UniqueConstraint("conversation_id", "message_id", "created_at"),
        CheckConstraint("conversation_id <> '' AND message_id <> ''", name="key"),
        CheckConstraint("feedback IN ('like', 'dislike')", name="feedback"),
        *(moment(at) for at in ("created_at", "updated_at")),
        Index("ix_feedback_log_daily", "day", "model", "feedback"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(500))
    message_id: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    feedback: Mapped[str] = mapped_column(String(10))
    model: Mapped[str] = _text()
    comment: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    day: Mapped[date | None] = mapped_column(Day)


class DailyAiQuality(Base):
    """What a day's evaluations came to, by all their dimensions; likes stand in rows of the evaluator '*'."""

    __tablename__ = "daily_ai_quality"
    __table_args__ = (Index(None, "model", "date"),)

    date: Mapped[date] = mapped_column(Day, primary_key=True)
    evaluator: Mapped[str] = mapped_column(String(200), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    channel: Mapped[str] = mapped_column(String(200), primary_key=True)
    topic: Mapped[str] = mapped_column(String(200), primary_key=True)
    evaluation_count: Mapped[int]
    avg_score: Mapped[float | None] = mapped_column(Score)
    std_score: Mapped[float | None] = mapped_column(Score)
    quality_count: Mapped[int]
    avg_quality: Mapped[float | None] = mapped_column(Score)
    std_quality: Mapped[float | None] = mapped_column(Score)
    accuracy_count: Mapped[int]
    avg_accuracy: Mapped[float | None] = mapped_column(Score)
    std_accuracy: Mapped[float | None] = mapped_column(Score)
    consistency_count: Mapped[int]
    avg_consistency: Mapped[float | None] = mapped_column(Score)
    std_consistency: Mapped[float | None] = mapped_column(Score)
    sentiment_match_count: Mapped[int]
    avg_sentiment_match: Mapped[float | None] = mapped_column(Score)
    std_sentiment_match: Mapped[float | None] = mapped_column(Score)
    likes: Mapped[int]
    dislikes: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


class WeeklyAiQuality(Base):
    """The same by ISO week and evaluator; the row '*' holds all of them, and the likes."""

    __tablename__ = "weekly_ai_quality"

    week_start: Mapped[date] = mapped_column(Day, primary_key=True)
    evaluator: Mapped[str] = mapped_column(String(200), primary_key=True)
    evaluation_count: Mapped[int]
    avg_score: Mapped[float | None] = mapped_column(Score)
    std_score: Mapped[float | None] = mapped_column(Score)
    quality_count: Mapped[int]
    avg_quality: Mapped[float | None] = mapped_column(Score)
    std_quality: Mapped[float | None] = mapped_column(Score)
    accuracy_count: Mapped[int]
    avg_accuracy: Mapped[float | None] = mapped_column(Score)
    std_accuracy: Mapped[float | None] = mapped_column(Score)
    consistency_count: Mapped[int]
    avg_consistency: Mapped[float | None] = mapped_column(Score)
    std_consistency: Mapped[float | None] = mapped_column(Score)
    sentiment_match_count: Mapped[int]
    avg_sentiment_match: Mapped[float | None] = mapped_column(Score)
    std_sentiment_match: Mapped[float | None] = mapped_column(Score)
    likes: Mapped[int]
    dislikes: Mapped[int]
    feedback_score: Mapped[float | None] = mapped_column(Score)
    ai_index: Mapped[float | None] = mapped_column(Score)
    change_pct: Mapped[float | None] = mapped_column(Score)
    updated_at: Mapped[datetime] = mapped_column(Timestamp)
