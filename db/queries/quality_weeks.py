"""What the weeks of AI quality are judged by: the conversation is the unit, since its rows resemble each other."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, case, func, literal, select

from db.metrics import METRICS
from db.queries.combining import as_date
from db.queries.frames import frame
from db.tables.operations import BusinessDay
from db.tables.quality import EVERYBODY, ConversationEvaluation, FeedbackLog

e, f = ConversationEvaluation.__table__.c, FeedbackLog.__table__.c
WANTED = ["subject", "week", "value", "std", "n", "part", "effective"]


def weekly(connection: Connection, metric: str, first: date, last: date) -> pd.DataFrame:
    """A metric per ISO week between two Mondays, of all answers ('*') and per model.

    Columns: subject, week, value (the mean over the rows; a rate in %), std, n (conversations), part, effective.
    The variance of the mean is that of whole conversations (the ratio estimator for clusters, W. G. Cochran, Sampling
    Techniques, 3rd ed., 1977, sec. 9A.1), so std²/n is it; with a row a conversation it is the usual s²/n. Of a rate,
    part of effective has the same share and, as a binomial, the same variance; it is never of more than n.
    """
    rate = METRICS[metric].is_rate
    found = [_weeks(connection, rate, first, last, per_model) for per_model in (False, True)]
    models = found[1]["subject"].nunique()
    found[1] = found[1][found[1]["subject"] != EVERYBODY]  # a model of that name would pass for all of them
    rows = pd.concat(found if models > 1 else found[:1], ignore_index=True)
    return estimated(rows, rate).sort_values(["subject", "week"], ignore_index=True)


def _weeks(connection: Connection, rate: bool, first: date, last: date, per_model: bool) -> pd.DataFrame:
    """Sums over the conversations of a week: of their rows m, of their values y, and of the products."""
    c: Any = f if rate else e
    value = case((c.feedback == "like", 1.0), else_=0.0) if rate else c.score
    subject = c.model if per_model else literal(EVERYBODY)
    keys = [BusinessDay.week_start.label("week"), c.conversation_id, *([c.model] if per_model else [])]
    source = c.id.table.join(BusinessDay, BusinessDay.day == c.day)
    conversations = (
        select(*keys, subject.label("subject"), func.count().label("m"), func.sum(value).label("y"))
        .select_from(source)
        .where(c.day.between(first, last + timedelta(days=6)))
        .group_by(*keys)
        .subquery()
    )
    m, y = conversations.c.m, conversations.c.y
    sums = {"n": func.count(), "m": func.sum(m), "y": func.sum(y)}
    sums |= {"mm": func.sum(m * m), "my": func.sum(m * y), "yy": func.sum(y * y)}
    by = (conversations.c.subject, conversations.c.week)
    columns = [column.label(name) for name, column in sums.items()]
    rows = frame(connection, select(*by, *columns).group_by(*by))
    return rows.assign(week=rows["week"].map(as_date))


def estimated(rows: pd.DataFrame, rate: bool) -> pd.DataFrame:
    """Mean or rate and what its variance comes to, from the sums n, m, y, mm, my, yy over conversations."""
    n, m, y, mm, my, yy = (rows[name].to_numpy(dtype=float) for name in ("n", "m", "y", "mm", "my", "yy"))
    mean = y / m
    distances = np.maximum(0.0, yy - 2 * mean * my + mean**2 * mm)
    distances[distances < 1e-9 * np.maximum(yy, 1)] = 0.0  # what is left of a difference of equal numbers
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = n / (n - 1) * distances / m**2
        if rate:
            effective = np.where(variance > 0, np.minimum(n, mean * (1 - mean) / variance), n)
            more = {"value": 100 * mean, "std": np.nan, "part": mean * effective, "effective": effective}
        else:
            more = {"value": mean, "std": np.sqrt(variance * n), "part": np.nan, "effective": n}
    return rows.assign(**more)[WANTED]
