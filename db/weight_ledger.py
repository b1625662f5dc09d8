"""What the ledger of ensemble weights says of its runs: which changed weights, which were undone, which can be.

Ledger rows of an undo name the run that they took back; an undo itself stands for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select
from sqlalchemy.orm import aliased

from db.errors import Refused
from db.tables.forecasts import EnsembleWeightHistory
from language import _

h = EnsembleWeightHistory


@dataclass(frozen=True)
class Run:
    """A run with decisions in the ledger; `undoes` is the one that it took back."""

    run_id: int
    decided_at: datetime
    undoes: int | None

    @property
    def order(self) -> tuple[datetime, int]:
        return self.decided_at, self.run_id


def changed(row: Any = h) -> ColumnElement[bool]:
    """The condition that a decision changed the weight in force."""
    condition: ColumnElement[bool] = row.before.is_distinct_from(row.after)
    return condition


def standing(row: Any = h) -> ColumnElement[bool]:
    """The condition that it was an adjustment that nobody took back."""
    other = aliased(h)
    condition: ColumnElement[bool] = row.undoes.is_(None) & ~exists().where(other.undoes == row.run_id)
    return condition


def runs(connection: Connection) -> list[Run]:
    """Every run, the newest first; from one row of each, however many it has."""
    found = select(func.max(h.run_id).label("id")).cte("found", recursive=True)
    before = select(func.max(h.run_id)).where(h.run_id < found.c.id).scalar_subquery()
    found = found.union_all(select(before).where(found.c.id.is_not(None)))
    row = aliased(h)

    def of_any_row(column: Any) -> Any:
        one = select(column).where(row.run_id == found.c.id).limit(1)
        return one.correlate(found).scalar_subquery()

    rows = select(found.c.id, of_any_row(row.decided_at), of_any_row(row.undoes))
    every = [Run(*one) for one in connection.execute(rows.where(found.c.id.is_not(None)))]
    return sorted(every, key=lambda run: run.order, reverse=True)


def undone(every: Iterable[Run]) -> dict[int, int]:
    """The runs that were taken back, and by which."""
    return {run.undoes: run.run_id for run in every if run.undoes is not None}


def newest_undoable(connection: Connection) -> int | None:
    """The newest adjustment that changed a weight and stands."""
    every = runs(connection)
    back = undone(every)
    for run in every:
        if run.undoes is None and run.run_id not in back and changes(connection, run.run_id):
            return run.run_id
    return None


def changes(connection: Connection, run_id: int) -> bool:
    """Whether a run changed any weight."""
    return connection.scalar(select(h.run_id).where(h.run_id == run_id, changed()).limit(1)) is not None


def later_change(connection: Connection, run_id: int, every: Sequence[Run]) -> Any:
    """The newest adjustment after a run that changed weights of one of its groups, if one stands: run_id, code,
    horizon."""
    back = undone(every)
    mine = next(run for run in every if run.run_id == run_id)
    for other in every:
        if other.order > mine.order and other.undoes is None and other.run_id not in back:
            found = connection.execute(_in_both(run_id, other.run_id)).first()
            if found:
                return found
    return None


def _in_both(run_id: int, other: int) -> Select[*tuple[Any, ...]]:
    """A group of which both runs changed weights."""
    mine = aliased(h)
    same = exists().where(
        mine.code == h.code, mine.horizon == h.horizon, mine.run_id == run_id, changed(mine)
    )
    return select(h.run_id, h.code, h.horizon).where(h.run_id == other, changed(), same).limit(1)


def undoable(connection: Connection, run_id: int) -> Any:
    """The run that is to be taken back (run_id, decided_at, as_of, rule); raises Refused where it cannot be."""
    rows = select(h.run_id, h.decided_at, h.as_of, h.rule, h.undoes).where(h.run_id == run_id)
    any_row = connection.execute(rows.limit(1)).first()
    if any_row is None:
        told = _("Run {id} decided on no weights; python -m jobs history adjust_weights shows the runs")
        raise Refused(told.format(id=run_id))
    if any_row.undoes is not None:
        told = _("Run {id} took run {other} back, and cannot be undone itself; adjust the weights again")
        raise Refused(told.format(id=run_id, other=any_row.undoes))
    every = runs(connection)
    if (by := undone(every).get(run_id)) is not None:
        raise Refused(_("Run {id} was undone already, by run {other}").format(id=run_id, other=by))
    if not changes(connection, run_id):
        raise Refused(_("Run {id} changed no weight: there is nothing to undo").format(id=run_id))
    if later := later_change(connection, run_id, every):
        told = _("Undo run {later} first: it changed weights of {code}, horizon {horizon}, after run {id}")
        raise Refused(told.format(later=later.run_id, code=later.code, horizon=later.horizon, id=run_id))
    return any_row
