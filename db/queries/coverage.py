"""Which days of which models are there: missing, partial, complete, restated."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Integer, Select, cast, func, select

from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import Restatement, StaleMark
from jobs.formulas.coverage import LEAD, STATES, day_states

d = DailyModelPerformance
COLUMNS = ["subject", "day", "state", "part", "whole", "waits", "restated"]
Table = np.ndarray[Any, np.dtype[np.int64]]


def coverage_calendar(
    connection: Connection,
    since: date,
    until: date,
    today: date,
    models: tuple[str, ...] | None = None,
    newest_mark: int = 0,
) -> pd.DataFrame:
    """A row for each model and day that there is something to say of, up to today, by model (oldest first) and day.

    subject, day, state, part (evaluated), whole (predictions), waits (to be aggregated), restated (figures).
    `newest_mark` is there for the cache: plain SQL marks days as stale without raising the data version.
    """
    names = _names(connection, models)
    until = min(until, today)
    if not names or since > until:
        return pd.DataFrame(columns=COLUMNS)
    start, few = since - timedelta(days=LEAD), list(names) if models else None
    grid = _Grid(list(names), start, (until - start).days + 1)
    counts: dict[str, Any] = {
        "whole": grid.filled(connection, _daily(d.total_predictions, start, until, few)),
        "part": grid.filled(connection, _daily(d.evaluated_count, since, until, few)),
        "waits": grid.filled(connection, _waiting(since, until)) > 0,
        "restated": grid.filled_by_key(connection, _restated(since, until)),
    }
    is_today = np.array([since + timedelta(days=k) == today for k in range((until - since).days + 1)])
    changed = counts["restated"] > 0
    found = day_states(counts["whole"], counts["part"], counts["waits"], changed, is_today)
    return _listed(found, counts, list(names.values()), since)


def _listed(found: Table, counts: dict[str, Any], subjects: list[str], since: date) -> pd.DataFrame:
    """The cells that have a state, one by one."""
    model, day = np.nonzero(found)
    told = {name: table[model, day + LEAD] for name, table in counts.items()}
    keys = {
        "subject": [subjects[k] for k in model],
        "day": [since + timedelta(days=int(k)) for k in day],
        "state": [STATES[k] for k in found[model, day]],
    }
    return pd.DataFrame(keys | told)[COLUMNS]


class _Grid:
    """Tables of models × days, from a first day on."""

    def __init__(self, models: list[int], start: date, days: int) -> None:
        self._place = {model_id: k for k, model_id in enumerate(models)}
        self._start, self._shape = start, (len(models), days)

    def filled(self, connection: Connection, rows: Select[*tuple[Any, ...]]) -> Table:
        """The values of rows (model, day, value), 0 elsewhere."""
        found = [tuple(row) for row in connection.execute(rows) if row[0] in self._place]
        return self._table(found)

    def filled_by_key(self, connection: Connection, rows: Select[*tuple[Any, ...]]) -> Table:
        """The same of rows (“model/day”, value), as restatements have them."""
        split = [(*key.split("/"), value) for key, value in connection.execute(rows)]
        typed = [(int(model), date.fromisoformat(day), value) for model, day, value in split]
        return self._table([row for row in typed if row[0] in self._place])

    def _table(self, rows: list[tuple[Any, ...]]) -> Table:
        table = np.zeros(self._shape, dtype=np.int64)
        if rows:
            models, days, values = zip(*rows, strict=True)
            first = self._start.toordinal()
            at = [self._place[model] for model in models], [day.toordinal() - first for day in days]
            table[at] = values
        return table


def _names(connection: Connection, models: tuple[str, ...] | None) -> dict[int, str]:
    wanted = select(Model.id, Model.name).order_by(Model.id)
    wanted = wanted.where(Model.retired_at.is_(None), Model.merged_into.is_(None))
    if models is not None:
        wanted = wanted.where(Model.name.in_(models))
    return {row.id: row.name for row in connection.execute(wanted)}


def _daily(value: Any, first: date, last: date, models: list[int] | None) -> Select[*tuple[Any, ...]]:
    """A count of each model and day; of these models only, by id."""
    rows = select(d.model_id, d.date, value).where(d.date.between(first, last))
    return rows.where(d.model_id.in_(models)) if models else rows


def _waiting(first: date, last: date) -> Select[*tuple[Any, ...]]:
    mine = StaleMark.table_name == ModelEvaluation.__tablename__
    key = cast(StaleMark.key, Integer)
    rows = select(key, StaleMark.day, func.count()).where(mine, StaleMark.day.between(first, last))
    return rows.group_by(key, StaleMark.day)


def _restated(first: date, last: date) -> Select[*tuple[Any, ...]]:
    return (
        select(Restatement.key, func.count(Restatement.column.distinct()))
        .where(Restatement.table_name == d.__tablename__, restated_day().between(str(first), str(last)))
        .group_by(Restatement.key)
    )


def restated_day() -> Any:
    """The day of a restatement, as the text that ends its key: <model_id>/2026-11-15."""
    return func.substr(Restatement.key, func.length(Restatement.key) - 9)
