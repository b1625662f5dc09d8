"""A change taken back, the newest of a model first."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from db.errors import Refused
from db.model_changes.moving import came_from, count, in_turns, move
from db.model_changes.naming import give_name
from db.model_changes.records import Change, turn
from db.progress import QUIET, Progress
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import ModelChange
from db.unfinished import refuse_under_way, under_way
from language import _, ngettext

LARGEST_ID = 2**31 - 1


def undo(
    engine: Engine, change_id: int, now: datetime, dry_run: bool = False, progress: Progress = QUIET
) -> Change:
    """Takes a change back; an undo that was stopped half-way goes on. Raises Refused where it cannot be any more."""
    with turn(engine, dry_run) as connection:
        change = _standing(connection, change_id)
        told = _("Undone: {kind} of {name}.").format(kind=change.kind, name=change.old_name)
        if change.kind != "merge":
            _undo_at_once(connection, change)
            connection.execute(_update(change).values(undone_at=now))
            return Change(told)
        into = connection.scalar(select(Model.merged_into).where(Model.id == change.model_id)) or 0
        mine = came_from(connection, change.model_id)
        expected = count(connection, mine, ModelEvaluation.model_id == into)
        connection.execute(_update(change).values(under_way="back"))
    if dry_run:
        return Change(f"{told} {_told_rows(change, expected, 0)}", stale=expected > 0)
    back, left = _move_back(engine, change, into, now, progress)
    return Change(f"{told} {_told_rows(change, back, left)}", stale=back > 0)


def _standing(connection: Connection, change_id: int) -> Any:
    """The change, if it can be undone now."""
    change = None
    if 0 < change_id <= LARGEST_ID:
        change = connection.execute(select(ModelChange).where(ModelChange.id == change_id)).one_or_none()
    if change is None or change.undone_at is not None:
        raise Refused(_("There is no change {id} that could be undone").format(id=change_id), status=2)
    begun = under_way(connection)
    if begun is None or begun.id != change.id:
        refuse_under_way(connection)
    _refuse_older(connection, change)
    return change


def _refuse_older(connection: Connection, change: Any) -> None:
    """Raises Refused where a later change built on this one; nothing builds on whether a model is retired."""
    if change.kind == "retire":
        return
    standing = ModelChange.undone_at.is_(None) & (ModelChange.kind != "retire")
    later = select(ModelChange).where(standing, ModelChange.id > change.id).order_by(ModelChange.id.desc())
    mine = _touched(connection, change)
    for other in connection.execute(later):
        if mine & _touched(connection, other):
            told = _("Undo change {other} first ({kind} {old} → {new}): it came after change {id}")
            names = {"kind": other.kind, "old": other.old_name, "new": other.new_name}
            raise Refused(told.format(other=other.id, id=change.id, **names))


def _touched(connection: Connection, change: Any) -> set[int]:
    into = None
    if change.kind == "merge":
        into = connection.scalar(select(Model.merged_into).where(Model.id == change.model_id))
    return {change.model_id} if into is None else {change.model_id, into}


def _undo_at_once(connection: Connection, change: Any) -> None:
    if change.kind == "retire":
        connection.execute(update(Model).where(Model.id == change.model_id).values(retired_at=None))
        return
    if connection.scalar(select(Model.id).where(Model.name == change.old_name)) is not None:
        told = _("There is a model “{name}” again; merge or rename that one first")
        raise Refused(told.format(name=change.old_name))
    give_name(connection, change.model_id, change.old_name)


def _move_back(engine: Engine, change: Any, into: int, now: datetime, progress: Progress) -> tuple[int, int]:
    """Returns how many rows the model has again, and how many stay because it has their prediction already."""
    found = {}

    def step(connection: Connection, most: int) -> int:
        return move(connection, came_from(connection, change.model_id), into, change.model_id, most)

    def finish(connection: Connection) -> None:
        mine = came_from(connection, change.model_id)
        found["left"] = count(connection, mine, ModelEvaluation.model_id == into)
        found["back"] = count(connection, ModelEvaluation.model_id == change.model_id)
        connection.execute(update(Model).where(Model.id == change.model_id).values(merged_into=None))
        connection.execute(_update(change).values(under_way=None, undone_at=now))

    in_turns(engine, change.id, "back", step, finish, progress)
    return found["back"], found["left"]


def _update(change: Any) -> Any:
    return update(ModelChange).where(ModelChange.id == change.id)


def _told_rows(change: Any, back: int, left: int) -> str:
    """How many came back, and why these are others than were moved."""
    evaluations = ngettext("{n} evaluation", "{n} evaluations", back)
    told = [_("{name} has {evaluations} again.").format(evaluations=evaluations, name=change.old_name)]
    if left:
        stay = ngettext("{n} evaluation", "{n} evaluations", left)
        told.append(
            _("{stay} stay with {new}, because {old} has the same predictions.").format(
                stay=stay, new=change.new_name, old=change.old_name
            )
        )
    if change.moved_rows is not None and change.moved_rows != back + left:
        told.append(
            _(
                "The merge had moved {n}: what came under the name since went along, what was deleted is gone."
            ).format(n=f"{change.moved_rows:,}")
        )
    return " ".join(told)
