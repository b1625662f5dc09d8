"""AI quality: how answers were judged and liked, and what a day and a week of that came to."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, func, text
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


class _Figures:
    """What a day and a week have alike: counts, means and spreads of each mark, and the likes; after the key."""

    evaluation_count: Mapped[int] = mapped_column(sort_order=1)
    avg_score: Mapped[float | None] = mapped_column(Score, sort_order=1)
    std_score: Mapped[float | None] = mapped_column(Score, sort_order=1)
    quality_count: Mapped[int] = mapped_column(sort_order=1)
    avg_quality: Mapped[float | None] = mapped_column(Score, sort_order=1)
    std_quality: Mapped[float | None] = mapped_column(Score, sort_order=1)
    accuracy_count: Mapped[int] = mapped_column(sort_order=1)
    avg_accuracy: Mapped[float | None] = mapped_column(Score, sort_order=1)
    std_accuracy: Mapped[float | None] = mapped_column(Score, sort_order=1)
    consistency_count: Mapped[int] = mapped_column(sort_order=1)
    avg_consistency: Mapped[float | None] = mapped_column(Score, sort_order=1)
    std_consistency: Mapped[float | None] = mapped_column(Score, sort_order=1)
    sentiment_match_count: Mapped[int] = mapped_column(sort_order=1)
    avg_sentiment_match: Mapped[float | None] = mapped_column(Score, sort_order=1)
    std_sentiment_match: Mapped[float | None] = mapped_column(Score, sort_order=1)
    likes: Mapped[int] = mapped_column(sort_order=1)
    dislikes: Mapped[int] = mapped_column(sort_order=1)


class DailyAiQuality(_Figures, Base):
    """What a day's evaluations came to, by all their dimensions; likes stand in rows of the evaluator '*'."""

    __tablename__ = "daily_ai_quality"
    __table_args__ = (Index(None, "model", "date"),)

    date: Mapped[date] = mapped_column(Day, primary_key=True)
    evaluator: Mapped[str] = mapped_column(String(200), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    channel: Mapped[str] = mapped_column(String(200), primary_key=True)
    topic: Mapped[str] = mapped_column(String(200), primary_key=True)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, sort_order=3)


class WeeklyAiQuality(_Figures, Base):
    """The same by ISO week and evaluator; the row '*' holds all of them, and the likes."""

    __tablename__ = "weekly_ai_quality"

    week_start: Mapped[date] = mapped_column(Day, primary_key=True)
    evaluator: Mapped[str] = mapped_column(String(200), primary_key=True)
    feedback_score: Mapped[float | None] = mapped_column(Score, sort_order=2)
    ai_index: Mapped[float | None] = mapped_column(Score, sort_order=2)
    change_pct: Mapped[float | None] = mapped_column(Score, sort_order=2)
    # Only in the row '*': how many conversations were scored, how many of these are rated, liked and disliked, and how
    # often a liked one scores above a disliked one.
    conversation_count: Mapped[int] = mapped_column(sort_order=2, server_default=text("0"))
    rated_count: Mapped[int] = mapped_column(sort_order=2, server_default=text("0"))
    liked_count: Mapped[int] = mapped_column(sort_order=2, server_default=text("0"))
    disliked_count: Mapped[int] = mapped_column(sort_order=2, server_default=text("0"))
    agreement: Mapped[float | None] = mapped_column(Score, sort_order=2)
    agreement_low: Mapped[float | None] = mapped_column(Score, sort_order=2)
    agreement_high: Mapped[float | None] = mapped_column(Score, sort_order=2)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, sort_order=3)
