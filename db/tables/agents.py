"""Agents: the trades that they took part in, which model each runs on since when, and what that came to."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, UniqueConstraint, false, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Day, Id, Json, Score, Timestamp, between, flag, moment

LARGEST = 1e15  # of a price, a quantity or a profit, either way: what is beyond is a slip
SIDES = ("buy", "sell")
TRIGGERS = ("automatic", "manual", "scheduled")
SWAP_STATUSES = ("validating", "kept", "rolled_back", "inconclusive")
PERIODS = ("day", "week", "month")
UNATTRIBUTED = "(unattributed)"  # the agent of trades in which no contribution is above 0
NO_MARKET = "(unknown)"  # the market of trades without one, in the figures: '' holds there what has no market
TEAM = "*"  # the agent of rows that hold all agents' trades together


def _is_object(column: str) -> list[CheckConstraint]:
    """The rule that JSON is an object, which a job can take apart."""
    sqlite = f"json_valid({column}) AND json_type({column}) = 'object'"
    return [
        CheckConstraint(sqlite, name=column).ddl_if(dialect="sqlite"),
        CheckConstraint(f"jsonb_typeof({column}) = 'object'", name=column).ddl_if(dialect="postgresql"),
    ]


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(map(repr, words))})", name=column)


class TradeRecord(Base):
    """`agent_contributions` is an object agent → 0–1; `pnl`, in the market's currency, is null until the position is
    closed."""

    __tablename__ = "trade_records"
    __table_args__ = (
        UniqueConstraint("trade_id"),
        CheckConstraint("trade_id <> ''", name="trade_id"),
        _one_of("side", SIDES),
        *_is_object("agent_contributions"),
        *(between(column, -LARGEST, LARGEST) for column in ("quantity", "price", "pnl")),
        between("decision_confidence", 0, 1),
        between("decision_time_seconds", 0, LARGEST),
        flag("human_intervened"),
        *(moment(at) for at in ("timestamp", "updated_at")),
        Index(None, "day", "market"),
        Index(None, "timestamp"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    trade_id: Mapped[str] = mapped_column(String(500))
    timestamp: Mapped[datetime] = mapped_column(Timestamp)
    market: Mapped[str] = mapped_column(String(200), server_default="")
    ticker: Mapped[str] = mapped_column(String(200), server_default="")
    side: Mapped[str] = mapped_column(String(10))
    quantity: Mapped[float | None] = mapped_column(Score)
    price: Mapped[float | None] = mapped_column(Score)
    pnl: Mapped[float | None] = mapped_column(Score)
    agent_contributions: Mapped[Any] = mapped_column(Json, server_default="{}")
    decision_confidence: Mapped[float | None] = mapped_column(Score)
    decision_time_seconds: Mapped[float | None] = mapped_column(Score)
    analysis_metadata: Mapped[Any | None] = mapped_column(Json)
    human_intervened: Mapped[bool] = mapped_column(Boolean, server_default=false())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    # The business day of timestamp: null only inside the statement that inserts a row by plain SQL.
    day: Mapped[date | None] = mapped_column(Day)


class ModelEvolution(Base):
    """A swap of an agent's model, and what became of it; `rolls_back` is when the swap was that this row takes back."""

    __tablename__ = "model_evolution_history"
    __table_args__ = (
        UniqueConstraint("agent_name", "timestamp"),
        CheckConstraint("agent_name <> ''", name="agent_name"),
        _one_of("triggered_by", TRIGGERS),
        _one_of("status", SWAP_STATUSES),
        between("validation_period_days", 1, 366),
        between("rollback_threshold", -1, 0),
        *(between(column, -LARGEST, LARGEST) for column in ("performance_improvement", "observed_change")),
        *(moment(at) for at in ("timestamp", "validated_at", "rolls_back", "updated_at")),
        Index(None, "day"),
        Index(None, "status"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    timestamp: Mapped[datetime] = mapped_column(Timestamp)
    agent_name: Mapped[str] = mapped_column(String(200))
    old_provider: Mapped[str] = mapped_column(String(200), server_default="")
    old_model: Mapped[str] = mapped_column(String(200), server_default="")
    new_provider: Mapped[str] = mapped_column(String(200), server_default="")
    new_model: Mapped[str] = mapped_column(String(200), server_default="")
    reason: Mapped[str] = mapped_column(String(2000), server_default="")
    performance_improvement: Mapped[float | None] = mapped_column(Score)
    triggered_by: Mapped[str] = mapped_column(String(20))
    validation_period_days: Mapped[int] = mapped_column(Integer, server_default=text("7"))
    rollback_threshold: Mapped[float] = mapped_column(Score, server_default=text("-0.1"))
    status: Mapped[str] = mapped_column(String(20), server_default="validating")
    validated_at: Mapped[datetime | None] = mapped_column(Timestamp)
    observed_change: Mapped[float | None] = mapped_column(Score)  # of the rating, as a share of that before
    verdict: Mapped[str] = mapped_column(
        String(40), server_default=""
    )  # why it got its status: a word of jobs' own
    decisions_before: Mapped[int | None]
    decisions_after: Mapped[int | None]
    rating_before: Mapped[float | None] = mapped_column(Score)
    rating_after: Mapped[float | None] = mapped_column(Score)
    difference_low: Mapped[float | None] = mapped_column(Score)  # 95 % interval of after − before
    difference_high: Mapped[float | None] = mapped_column(Score)
    rolls_back: Mapped[datetime | None] = mapped_column(Timestamp)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())
    day: Mapped[date | None] = mapped_column(Day)


class AgentAssignment(Base):
    """Which model an agent runs on."""

    __tablename__ = "agent_assignments"
    __table_args__ = (
        CheckConstraint("agent_name <> ''", name="agent_name"),
        *(moment(at) for at in ("since", "updated_at")),
    )

    agent_name: Mapped[str] = mapped_column(String(200), primary_key=True)
    provider: Mapped[str] = mapped_column(String(200), server_default="")
    model: Mapped[str] = mapped_column(String(200), server_default="")
    role: Mapped[str | None] = mapped_column(String(500))
    since: Mapped[datetime] = mapped_column(Timestamp)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.current_timestamp())


class AgentPerformance(Base):
    """What an agent's part in the closed trades of a market came to in a day, ISO week or month.

    `agent_name` '*' holds the trades themselves, each once: what the agents' P&L must sum to. `attributed_gains` and
    `attributed_losses` (≥ 0) sum to `total_pnl_attributed`; money is in the market's currency.
    """

    __tablename__ = "agent_performance"
    __table_args__ = (Index(None, "period", "period_start"),)

    agent_name: Mapped[str] = mapped_column(String(200), primary_key=True)
    market: Mapped[str] = mapped_column(String(200), primary_key=True)
    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    period_start: Mapped[date] = mapped_column(Day, primary_key=True)
    period_end: Mapped[date] = mapped_column(Day)  # included
    total_decisions: Mapped[int]
    successful_decisions: Mapped[int]
    wins: Mapped[int]
    losses: Mapped[int]
    avg_contribution_score: Mapped[float | None] = mapped_column(Score)
    total_pnl_attributed: Mapped[float] = mapped_column(Score)
    attributed_gains: Mapped[float] = mapped_column(Score)
    attributed_losses: Mapped[float] = mapped_column(Score)
    confidence_count: Mapped[int]
    confidence_accuracy: Mapped[float | None] = mapped_column(Score)  # 1 − Brier score
    performance_rating: Mapped[float | None] = mapped_column(Score)  # 0–100
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


class DailyConfidence(Base):
    """How confident a day's closed trades were, in ten bins (0: below 0.1 … 9: from 0.9), and how many of them won."""

    __tablename__ = "daily_confidence"

    date: Mapped[date] = mapped_column(Day, primary_key=True)
    agent_name: Mapped[str] = mapped_column(String(200), primary_key=True)
    market: Mapped[str] = mapped_column(String(200), primary_key=True)
    bin: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    trade_count: Mapped[int]
    win_count: Mapped[int]
    confidence_sum: Mapped[float] = mapped_column(Score)
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


class SystemMetric(Base):
    """A day of a market; the row of the market '' holds what has none: cost, diversity, swaps."""

    __tablename__ = "system_metrics"

    date: Mapped[date] = mapped_column(Day, primary_key=True)
    market: Mapped[str] = mapped_column(String(200), primary_key=True)
    total_trades: Mapped[int]
    wins: Mapped[int]
    losses: Mapped[int]
    win_rate: Mapped[float | None] = mapped_column(Score)  # wins / (wins + losses)
    total_pnl: Mapped[float | None] = mapped_column(Score)
    total_cost_usd: Mapped[float | None] = mapped_column(Score)
    decision_time_count: Mapped[int]
    avg_decision_time_seconds: Mapped[float | None] = mapped_column(Score)
    agent_efficiency_score: Mapped[float | None] = mapped_column(Score)  # 0–1
    model_diversity_index: Mapped[float | None] = mapped_column(Score)  # 0–1
    auto_improvements: Mapped[int]
    human_interventions: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(Timestamp)
