"""LLM usage: calls of models by agents, what a token costs since when, and what a day of that came to."""

from datetime import date, datetime

from sqlalchemy import Boolean, CheckConstraint, Index, String, UniqueConstraint, false, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Day, Id, Score, Timestamp, between, flag, moment

MOST_TOKENS = 1_000_000_000_000  # of a call: what is beyond is a slip
MOST_DOLLARS = 1e9  # of a call, and of a token
LONGEST_MS = 1e12  # of a call: thirty years
TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "tokens_used")


class LlmUsage(Base):
    """A call. `cached_tokens` are those of the prompt that came from a cache; `cost_computed`: the cost is not what was
    billed but what the price book says."""

    __tablename__ = "llm_usage_log"
    __table_args__ = (
        UniqueConstraint("request_id"),
        CheckConstraint("request_id <> ''", name="request_id"),
        *(between(column, 0, MOST_TOKENS) for column in TOKENS),
        between("cost_usd", 0, MOST_DOLLARS),
        between("response_time_ms", 0, LONGEST_MS),
        *(flag(column) for column in ("success", "cost_computed")),
        *(moment(at) for at in ("timestamp", "updated_at")),
        # Covers the daily aggregation, in the order of its groups and of its percentiles.
        Index(
            "ix_llm_usage_log_daily",
            *("day", "agent_name", "provider", "model", "response_time_ms", "success", "cost_usd"),
            *("cost_computed", *TOKENS),
        ),
        Index(None, "timestamp"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    request_id: Mapped[str] = mapped_column(String(500))
    timestamp: Mapped[datetime] = mapped_column(Timestamp)
    agent_name: Mapped[str] = mapped_column(String(200), server_default="")
    provider: Mapped[str] = mapped_column(String(200), server_default="")
    model: Mapped[str] = mapped_column(String(200), server_default="")
    prompt_tokens: Mapped[int | None] = mapped_column(Id)
    completion_tokens: Mapped[int | None] = mapped_column(Id)
    cached_tokens: Mapped[int | None] = mapped_column(Id)
    tokens_used: Mapped[int | None] = mapped_column(Id)
    cost_usd: Mapped[float | None] = mapped_column(Score)
    cost_computed: Mapped[bool] = mapped_column(Boolean, server_default=false())
    response_time_ms: Mapped[float | None] = mapped_column(Score)
    request_type: Mapped[str] = mapped_column(String(200), server_default="")
    success: Mapped[bool | None] = mapped_column(Boolean)
    error_message: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    # The business day of timestamp: null only inside the statement that inserts a row by plain SQL.
    day: Mapped[date | None] = mapped_column(Day)


class LlmPrice(Base):
    """US dollars a token from a day on; null: no price is known. `cached` is that of prompt tokens from a cache."""

    __tablename__ = "llm_prices"
    __table_args__ = (
        UniqueConstraint("provider", "model", "valid_from"),
        CheckConstraint("model <> ''", name="model"),
        *(between(column, 0, MOST_DOLLARS) for column in ("input", "output", "cached")),
        moment("updated_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    provider: Mapped[str] = mapped_column(String(200), server_default="")
    model: Mapped[str] = mapped_column(String(500))
    valid_from: Mapped[date] = mapped_column(Day)
    input: Mapped[float | None] = mapped_column(Score)
    output: Mapped[float | None] = mapped_column(Score)
    cached: Mapped[float | None] = mapped_column(Score)
    source: Mapped[str] = mapped_column(String(500), server_default="")
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())


class DailyLlmUsage(Base):
    """What an agent's calls of a model came to in a day.

    Sums are null where no call has a value; latencies (milliseconds, percentiles by linear interpolation) are of the
    calls that did not fail; `known_count` are the calls of which it is known whether they failed.
    """

    __tablename__ = "daily_llm_usage"

    date: Mapped[date] = mapped_column(Day, primary_key=True)
    agent_name: Mapped[str] = mapped_column(String(200), primary_key=True)
    provider: Mapped[str] = mapped_column(String(200), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    calls: Mapped[int]
    known_count: Mapped[int]
    failures: Mapped[int]
    prompt_tokens: Mapped[int | None] = mapped_column(Id)
    completion_tokens: Mapped[int | None] = mapped_column(Id)
    tokens: Mapped[int | None] = mapped_column(Id)
    cost_count: Mapped[int]
    computed_count: Mapped[int]  # costs that are the price book's
    cost_usd: Mapped[float | None] = mapped_column(Score)
    cost_mean: Mapped[float | None] = mapped_column(Score)
    cost_std: Mapped[float | None] = mapped_column(Score)
    cost_max: Mapped[float | None] = mapped_column(Score)
    latency_count: Mapped[int]
    latency_mean_ms: Mapped[float | None] = mapped_column(Score)
    latency_p50_ms: Mapped[float | None] = mapped_column(Score)
    latency_p95_ms: Mapped[float | None] = mapped_column(Score)
    updated_at: Mapped[datetime] = mapped_column(Timestamp)
