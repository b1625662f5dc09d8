"""All evaluations of a model go to another one, and so do later files under its name."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, literal, select, update
from sqlalchemy.orm import aliased

from db.engine import reading
from db.errors import Refused
from db.model_changes.moving import count, in_turns, move
from db.model_changes.records import Change, model_named, record, turn
from db.progress import QUIET, Progress
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import ModelChange
from db.unfinished import refuse_under_way, under_way
from language import _, ngettext

NAMED = 3  # predictions that a refusal names


def merge(
    engine: Engine, old: str, into: str, now: datetime, dry_run: bool = False, progress: Progress = QUIET
) -> Change:
    """Moves all evaluations of a model to another one; later files under the old name go there, too.

    A merge that was stopped half-way goes on. Raises Refused where both have evaluated the same prediction:
    then they are two models.
    """
    with turn(engine, dry_run) as connection:
        change = _begun(connection, old, into) or _begin(connection, old, into, now)
        model, other = change.model_id, _target(connection, change)
        moved = count(connection, ModelEvaluation.model_id == model) + change.moved_rows
    if not dry_run:
        _move(engine, change, other, progress)
        with reading(engine) as connection:
            moved = _one(connection, change.id).moved_rows
    return Change(told_moved(moved, old, into), change.id, stale=moved > 0)


def told_moved(moved: int, old: str, into: str) -> str:
    """What a merge did, in a sentence."""
    told = ngettext(
        "{n} evaluation of {{old}} now belongs to {{new}}.",
        "{n} evaluations of {{old}} now belong to {{new}}.",
        moved,
    )
    return told.format(old=old, new=into)


def _begun(connection: Connection, old: str, into: str) -> Any:
    """The same merge, where it was begun and not finished."""
    change = under_way(connection)
    same = change is not None and (change.old_name, change.new_name) == (old, into)
    return change if same and change.under_way == "there" else None


def _begin(connection: Connection, old: str, into: str, now: datetime) -> Any:
    refuse_under_way(connection)
    model, other = model_named(connection, old), model_named(connection, into)
    if model.id == other.id:
        raise Refused(_("“{name}” cannot be merged into itself").format(name=old), status=2)
    _refuse_common(connection, model, other)
    connection.execute(update(Model).where(Model.id == model.id).values(merged_into=other.id))
    noted = {"old_name": old, "new_name": into, "moved_rows": 0, "under_way": "there"}
    return _one(connection, record(connection, now, "merge", model.id, **noted))


def _one(connection: Connection, change: int) -> Any:
    return connection.execute(select(ModelChange).where(ModelChange.id == change)).one()


def _target(connection: Connection, change: Any) -> int:
    return int(connection.scalar(select(Model.merged_into).where(Model.id == change.model_id)) or 0)


def _move(engine: Engine, change: Any, target: int, progress: Progress) -> None:
    mine = ModelChange.id == change.id

    def step(connection: Connection, most: int) -> int:
        moved = move(connection, literal(True), change.model_id, target, most)
        counted = ModelChange.moved_rows + moved
        connection.execute(update(ModelChange).where(mine).values(moved_rows=counted))
        return moved

    def finish(connection: Connection) -> None:
        _refuse_common(connection, *(_model(connection, one) for one in (change.model_id, target)))
        connection.execute(update(ModelChange).where(mine).values(under_way=None))

    in_turns(engine, change.id, "there", step, finish, progress)


def _model(connection: Connection, model: int) -> Any:
    return connection.execute(select(Model).where(Model.id == model)).one()


def _refuse_common(connection: Connection, model: Any, other: Any) -> None:
    mine, theirs = aliased(ModelEvaluation), aliased(ModelEvaluation)
    common = (
        select(mine.prediction_id)
        .join(theirs, (theirs.model_id == other.id) & (theirs.prediction_id == mine.prediction_id))
        .where(mine.model_id == model.id)
    )
    n = connection.scalar(select(func.count()).select_from(common.subquery())) or 0
    if n:
        some = ", ".join(connection.scalars(common.order_by(mine.prediction_id).limit(NAMED)))
        both = ngettext("{n} prediction", "{n} predictions", n)
        told = _(
            "{old} and {new} have {both} in common ({some} …), so they are two models; remove these from one"
        )
        raise Refused(told.format(old=model.name, new=other.name, both=both, some=some))
