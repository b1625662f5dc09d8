"""What the program knows of itself: runs, reports, what is stale, what changed, which day is when."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Day, Id, Json, Score, Timestamp, between
from jobs.formulas.verdict_names import VERDICTS

RUN_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled", "lost", "covered")
TRIGGERS = ("manual", "schedule", "catch-up", "command line", "slack")
MODEL_CHANGES = ("rename", "merge", "retire")
WAYS = ("there", "back")
REPORT_STATUSES = ("sending", "sent", "failed", "unknown")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _unique_while(status: str, *columns: str) -> Index:
    only = text(f"status = '{status}'")
    return Index(f"uq_job_runs_{status}", *columns, unique=True, sqlite_where=only, postgresql_where=only)


class JobRun(Base):
    __tablename__ = "job_runs"
    __table_args__ = (
        UniqueConstraint("job", "scheduled_for"),
        _one_of("status", RUN_STATUSES),
        _one_of("trigger", TRIGGERS),
        between("progress", 0, 1),
        _unique_while("running", "job"),
        _unique_while("queued", "job", "params_hash"),
        Index(None, "job", "id"),
        Index(None, "status", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(String(100))
    params: Mapped[dict[str, Any]] = mapped_column(Json)
    params_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20))
    trigger: Mapped[str] = mapped_column(String(20))
    triggered_by: Mapped[str] = mapped_column(String(200), server_default="")
    scheduled_for: Mapped[datetime | None] = mapped_column(Timestamp)
    queued_at: Mapped[datetime] = mapped_column(Timestamp)
    # A retry after a passing fault waits until then.
    not_before: Mapped[datetime | None] = mapped_column(Timestamp)
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)
    heartbeat_at: Mapped[datetime | None] = mapped_column(Timestamp)
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)
    worker: Mapped[str | None] = mapped_column(String(200))
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    progress: Mapped[float] = mapped_column(Score, server_default=text("0"))
    message: Mapped[str] = mapped_column(Text, server_default="")
    rows_read: Mapped[int | None]
    rows_written: Mapped[int | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[str | None] = mapped_column(Text)
    log: Mapped[str] = mapped_column(Text, server_default="")
    attempt: Mapped[int] = mapped_column(server_default=text("1"))


class Report(Base):
    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("kind", "week_start", "channel"), _one_of("status", REPORT_STATUSES))

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(200))
    week_start: Mapped[date] = mapped_column(Day)
    language: Mapped[str] = mapped_column(String(10))
    channel: Mapped[str] = mapped_column(String(200))
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(20))
    message_ts: Mapped[str | None] = mapped_column(String(50))
    sent_at: Mapped[datetime | None] = mapped_column(Timestamp)
    error: Mapped[str | None] = mapped_column(Text)
    # Travels with the message, so that Slack's history can be asked for just this one.
    mark: Mapped[str | None] = mapped_column(String(50))
    # Who sends it now, and when that was last said.
    claimed_by: Mapped[str | None] = mapped_column(String(50))
    claimed_at: Mapped[datetime | None] = mapped_column(Timestamp)
    # The channel's ID in Slack, where `channel` is its name.
    channel_id: Mapped[str | None] = mapped_column(String(50))
    permalink: Mapped[str | None] = mapped_column(String(500))
    # What has arrived: messages, pictures, notes.
    parts: Mapped[dict[str, Any] | None] = mapped_column(Json)


class Verdict(Base):
    """What a week's value of a metric says against the week before; rates and their changes in % and points."""

    __tablename__ = "verdicts"
    __table_args__ = (_one_of("verdict", VERDICTS), Index(None, "week_start", "word"))

    word: Mapped[str] = mapped_column(String(50), primary_key=True)
    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    metric: Mapped[str] = mapped_column(String(100), primary_key=True)
    week_start: Mapped[date] = mapped_column(Day, primary_key=True)
    n: Mapped[int]
    n_previous: Mapped[int]
    value: Mapped[float | None] = mapped_column(Score)
    previous: Mapped[float | None] = mapped_column(Score)
    change: Mapped[float | None] = mapped_column(Score)
    low: Mapped[float | None] = mapped_column(Score)
    high: Mapped[float | None] = mapped_column(Score)
    p: Mapped[float | None] = mapped_column(Score)
    p_holm: Mapped[float | None] = mapped_column(Score)
    surprise: Mapped[float | None] = mapped_column(Score)
    # How many comparisons the correction was made for.
    comparisons: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(50), server_default="")
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


# After a table's name in a mark that a job took to itself: triggers leave a new one beside it.
IN_WORK = " in work"


class StaleMark(Base):
    """A (day, key) of a source table that changed since it was aggregated; written by triggers, append-only."""

    __tablename__ = "stale_marks"
    # An id is never used again: a job deletes the very marks that it read.
    __table_args__ = (Index(None, "table_name", "day", "key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    table_name: Mapped[str] = mapped_column(String(100))
    day: Mapped[date] = mapped_column(Day)
    key: Mapped[str] = mapped_column(String(500))


class Restatement(Base):
    __tablename__ = "restatements"
    __table_args__ = (Index(None, "table_name", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(500))
    column: Mapped[str] = mapped_column(String(100))
    old: Mapped[float | None] = mapped_column(Score)
    new: Mapped[float | None] = mapped_column(Score)
    run: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(Timestamp)


class ModelChange(Base):
    """What people did to a model; a rename that stands makes its old name an alias."""

    __tablename__ = "model_changes"
    __table_args__ = (_one_of("kind", MODEL_CHANGES), _one_of("under_way", WAYS))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Timestamp)
    kind: Mapped[str] = mapped_column(String(20))
    model_id: Mapped[int]
    old_name: Mapped[str] = mapped_column(String(200))
    new_name: Mapped[str] = mapped_column(String(200), server_default="")
    # How many evaluations a merge moved.
    moved_rows: Mapped[int | None]
    undone_at: Mapped[datetime | None] = mapped_column(Timestamp)
    # Where a merge moves its rows, or an undo moves them back, in many transactions: not finished yet.
    under_way: Mapped[str | None] = mapped_column(String(10))


class BusinessDay(Base):
    """The days of `TIMEZONE`, 1900–2100, so that SQL needs no time zone arithmetic."""

    __tablename__ = "business_days"
    __table_args__ = (Index(None, "starts_at"), Index(None, "week_start"))

    day: Mapped[date] = mapped_column(Day, primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(Timestamp)
    ends_at: Mapped[datetime] = mapped_column(Timestamp)
    week_start: Mapped[date] = mapped_column(Day)


class AppFact(Base):
    __tablename__ = "app_facts"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
