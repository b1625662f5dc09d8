"""Whether the answers that users like are those that score high: the last columns of weekly_ai_quality."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, bindparam, case, func, select, update

from db.tables.quality import EVERYBODY, ConversationEvaluation, FeedbackLog, WeeklyAiQuality
from jobs.changes import same

WEEK = timedelta(weeks=1)
REACH = 2 * WEEK  # feedback on a week's conversations counts that is given in the week or in the one after it

weekly: Table = WeeklyAiQuality.__table__  # type: ignore[assignment]
e, f = ConversationEvaluation, FeedbackLog
_first: BindParameter[Any] = bindparam("first")
_end: BindParameter[Any] = bindparam("end")
_feedback_end: BindParameter[Any] = bindparam("feedback_end")


def _statement() -> Any:
    """How many conversations of a week have each score, and how many of them are rated, liked and disliked."""
    scored = (
        select(e.conversation_id, func.avg(e.score).label("score"))
        .where(e.day >= _first, e.day < _end)
        .group_by(e.conversation_id)
        .subquery()
    )
    balance = func.sum(case((f.feedback == "like", 1), else_=-1))
    rated = (
        select(f.conversation_id, balance.label("balance"))
        .where(f.day >= _first, f.day < _feedback_end)
        .group_by(f.conversation_id)
        .subquery()
    )
    score, liking = scored.c.score, rated.c.balance
    return (
        select(
            score,
            func.count(),
            func.count(liking),
            func.count().filter(liking > 0),
            func.count().filter(liking < 0),
        )
        .select_from(scored.outerjoin(rated, rated.c.conversation_id == scored.c.conversation_id))
        .group_by(score)
    )


_COUNTS = _statement()
_HELD = select(weekly).where(
    weekly.c.evaluator == EVERYBODY, weekly.c.week_start.in_(bindparam("weeks", expanding=True))
)
_STORE = update(weekly).where(weekly.c.evaluator == EVERYBODY, weekly.c.week_start == bindparam("week"))


def refresh_agreement(connection: Connection, weeks: list[date], now: datetime) -> int:
    """Brings the figures of these weeks, and of those before them, up to date; returns how many rows changed."""
    reached = sorted({*weeks, *(week - WEEK for week in weeks)})
    held = connection.execute(_HELD, {"weeks": reached}).mappings().all()
    changed = 0
    for row in held:
        fresh = _figures(connection, row["week_start"])
        if any(not same(row[name], value) for name, value in fresh.items()):
            connection.execute(_STORE.values(fresh | {"updated_at": now}), {"week": row["week_start"]})
            changed += 1
    return changed


def _figures(connection: Connection, week: date) -> dict[str, Any]:
    from jobs.formulas.quality import (
        agreement,
    )  # scipy takes a third of a second that no other command should wait

    span = {"first": week, "end": week + WEEK, "feedback_end": week + REACH}
    rows = connection.execute(_COUNTS, span).all()
    scores, *counts = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    n, rated, liked, disliked = (sum(count) for count in counts)
    found = agreement(scores, counts[2], counts[3])
    return {
        "conversation_count": n,
        "rated_count": rated,
        "liked_count": liked,
        "disliked_count": disliked,
        "agreement": found and found.auc,
        "agreement_low": found and found.low,
        "agreement_high": found and found.high,
    }
