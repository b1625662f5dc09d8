"""Answers with their text, how they were scored and whether they were liked: what a tuning data set is made of."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, case, func, select

from db.tables.quality import ConversationEvaluation, FeedbackLog

e, f = ConversationEvaluation.__table__.c, FeedbackLog.__table__.c
KEY = (e.conversation_id, e.model, e.prompt, e.response)


class Answer(NamedTuple):
    """An answer in a conversation, the mean of its scores, and the likes of the conversation less its dislikes."""

    conversation_id: str
    model: str
    prompt: str
    response: str
    score: float
    balance: int


def answers(
    connection: Connection, since: date | None, until: date | None, model: str | None, evaluator: str | None
) -> Iterator[Answer]:
    """Every answer that has text on both sides and was scored within these days, in no particular order."""
    liking = func.sum(case((f.feedback == "like", 1), else_=-1))
    rated = select(f.conversation_id, liking.label("balance")).group_by(f.conversation_id).subquery()
    scored = (
        select(*KEY, func.avg(e.score).label("score"))
        .where(func.trim(e.prompt) != "", func.trim(e.response) != "")
        .group_by(*KEY)
    )
    if since is not None:
        scored = scored.where(e.day >= since)
    if until is not None:
        scored = scored.where(e.day <= until)
    if model is not None:
        scored = scored.where(e.model == model)
    if evaluator is not None:
        scored = scored.where(e.evaluator == evaluator)
    found = scored.subquery()
    rows = select(found, func.coalesce(rated.c.balance, 0)).select_from(
        found.outerjoin(rated, rated.c.conversation_id == found.c.conversation_id)
    )
    for row in connection.execute(rows.execution_options(yield_per=5_000)):
        yield Answer(*row)
