"""What the ledger of ensemble weights says of its runs: which changed weights, which were undone, which can be.

Ledger rows of an undo name the run that they took back; an undo itself stands for ever.
"""

from typing import Any

from sqlalchemy import Connection, Select, exists, or_, select
from sqlalchemy.orm import aliased

from db.errors import Refused
from db.tables.forecasts import EnsembleWeightHistory
from language import _

h = EnsembleWeightHistory


def changed(row: Any = h) -> Any:
    """The condition that a decision changed the weight in force."""
    return row.before.is_distinct_from(row.after)


def standing(row: Any = h) -> Any:
    """The condition that it was an adjustment that nobody took back."""
    other = aliased(h)
    return row.undoes.is_(None) & ~exists().where(other.undoes == row.run_id)


def newest_undoable(connection: Connection) -> int | None:
    """The newest adjustment that changed a weight and stands."""
    newest = select(h.run_id).where(changed(), standing())
    found: int | None = connection.scalar(newest.order_by(h.decided_at.desc(), h.run_id.desc()).limit(1))
    return found


def undone_by(connection: Connection, run_id: int) -> int | None:
    """The run that took it back."""
    return connection.scalar(select(h.run_id).where(h.undoes == run_id).limit(1))


def later_change(connection: Connection, run: Any) -> Any:
    """The newest adjustment after a run (its run_id, decided_at) that changed weights of one of its groups, if one
    stands: run_id, code, horizon."""
    later = or_(h.decided_at > run.decided_at, (h.decided_at == run.decided_at) & (h.run_id > run.run_id))
    runs = select(h.run_id, h.decided_at).where(later, standing()).distinct()
    for other in connection.execute(runs.order_by(h.decided_at.desc(), h.run_id.desc())).all():
        found = connection.execute(_in_both(run.run_id, other.run_id)).first()
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
    """The run that is to be taken back, as one of its changes in the ledger; raises Refused where it cannot be."""
    rows = select(h.run_id, h.decided_at, h.as_of, h.rule, h.undoes).where(h.run_id == run_id)
    any_row = connection.execute(rows.limit(1)).first()
    if any_row is None:
        told = _("Run {id} decided on no weights; python -m jobs history adjust_weights shows the runs")
        raise Refused(told.format(id=run_id))
    if any_row.undoes is not None:
        told = _("Run {id} took run {other} back, and cannot be undone itself; adjust the weights again")
        raise Refused(told.format(id=run_id, other=any_row.undoes))
    if (by := undone_by(connection, run_id)) is not None:
        raise Refused(_("Run {id} was undone already, by run {other}").format(id=run_id, other=by))
    run = connection.execute(rows.where(changed()).limit(1)).first()
    if run is None:
        raise Refused(_("Run {id} changed no weight: there is nothing to undo").format(id=run_id))
    if later := later_change(connection, run):
        told = _("Undo run {later} first: it changed weights of {code}, horizon {horizon}, after run {id}")
        raise Refused(told.format(later=later.run_id, code=later.code, horizon=later.horizon, id=run_id))
    return run
