"""The conversations behind the figures of AI quality, with their text; asked for one by one, never for a chart."""

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from db.queries.frames import frame
from db.tables.quality import ConversationEvaluation, FeedbackLog

e, f = ConversationEvaluation.__table__.c, FeedbackLog.__table__.c
BEGINNING = 300  # letters of a text in a list


def worst(
    connection: Connection, since: date, until: date, by: str = "", value: str = "", limit: int = 100
) -> pd.DataFrame:
    """The evaluations of a period with the lowest scores, or those of one value of a dimension.

    Columns: id, conversation_id, score, likes, dislikes, model, evaluator, channel, topic, created_at, and the
    beginnings of prompt and response.
    """
    shown = [e[name] for name in ("conversation_id", "score", "model", "evaluator", "channel", "topic")]
    lowest = select(e.id, *shown, e.created_at, *_texts()).where(e.day.between(since, until))
    lowest = lowest.where(e[by] == value) if by else lowest
    rows = frame(connection, lowest.order_by(e.score, e.created_at, e.id).limit(limit))
    talks = list(rows["conversation_id"].unique())
    counts = {name: func.count().filter(f.feedback == name) for name in ("like", "dislike")}
    columns = [column.label(f"{name}s") for name, column in counts.items()]
    rated = (
        select(f.conversation_id, *columns).where(f.conversation_id.in_(talks)).group_by(f.conversation_id)
    )
    return rows.merge(frame(connection, rated), how="left", on="conversation_id")


def _texts() -> list[Any]:
    return [func.substr(e[name], 1, BEGINNING).label(name) for name in ("prompt", "response")]


def conversation(connection: Connection, evaluation: int) -> dict[str, Any] | None:
    """One evaluation in full, with the likes, dislikes and comments of its conversation."""
    row = connection.execute(select(ConversationEvaluation.__table__).where(e.id == evaluation)).mappings()
    found = row.one_or_none()
    if found is None:
        return None
    said = select(f.feedback, f.comment).where(f.conversation_id == found["conversation_id"])
    feedbacks = connection.execute(said.order_by(f.created_at, f.id)).all()
    return dict(found) | {"feedbacks": [(row.feedback, row.comment) for row in feedbacks]}
