"""Models renamed, merged and retired: a typo in a file makes a model. Each can be tried first, and undone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.orm import aliased

from db.errors import Refused
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import ModelChange, Verdict
from language import _, ngettext

BATCH = 500  # ids in a statement
NAMED = 3  # predictions that a refusal names


@dataclass(frozen=True)
class Change:
    """What is or would be done, in one line; `id` undoes it."""

    told: str
    id: int | None = None


def rename(connection: Connection, old: str, new: str, now: datetime) -> Change:
    """Gives a model another name; its figures and verdicts go with it. Raises Refused."""
    model, name = _model(connection, old), new.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise Refused(_("“{name}” cannot be the name of a model").format(name=name[:200]), status=2)
    if connection.scalar(select(Model.id).where(Model.name == name)) is not None:
        told = _(
            "There is a model “{new}” already; to make one of both: python -m db models merge {old} {new}"
        )
        raise Refused(told.format(old=old, new=name), status=2)
    _name(connection, model.id, old, name)
    told = _("{old} is now called {new}.").format(old=old, new=name)
    return Change(told, _record(connection, now, "rename", model.id, old_name=old, new_name=name))


def merge(connection: Connection, old: str, into: str, now: datetime) -> Change:
    """Moves all evaluations of a model to another one; later files under the old name go there, too.

    Raises Refused where both have evaluated the same prediction: then they are two models.
    """
    model, other = _model(connection, old), _model(connection, into)
    if model.id == other.id:
        raise Refused(_("“{name}” cannot be merged into itself").format(name=old), status=2)
    _refuse_common(connection, model, other)
    moved = list(connection.scalars(select(ModelEvaluation.id).where(ModelEvaluation.model_id == model.id)))
    mine = ModelEvaluation.model_id == model.id
    connection.execute(update(ModelEvaluation).where(mine).values(model_id=other.id))
    # Names that were merged into this one before go on to the other, too.
    both = (Model.id == model.id) | (Model.merged_into == model.id)
    connection.execute(update(Model).where(both).values(merged_into=other.id))
    evaluations = ngettext("{n} evaluation", "{n} evaluations", len(moved))
    told = _("{evaluations} of {old} now belong to {new}.").format(evaluations=evaluations, old=old, new=into)
    return Change(told, _record(connection, now, "merge", model.id, old_name=old, new_name=into, moved=moved))


def retire(connection: Connection, name: str, now: datetime) -> Change:
    """Says that no data are expected of a model any more: it is not missed. Raises Refused."""
    model = _model(connection, name)
    if model.retired_at is not None:
        raise Refused(_("“{name}” is retired already").format(name=name), status=2)
    connection.execute(update(Model).where(Model.id == model.id).values(retired_at=now))
    told = _("{name} is retired: its figures stay, and nobody waits for new ones.").format(name=name)
    return Change(told, _record(connection, now, "retire", model.id, old_name=name))


def undo(connection: Connection, change_id: int, now: datetime) -> Change:
    """Takes a change back; raises Refused where it cannot be any more."""
    change = connection.execute(select(ModelChange).where(ModelChange.id == change_id)).one_or_none()
    if change is None or change.undone_at is not None:
        raise Refused(_("There is no change {id} that could be undone").format(id=change_id), status=2)
    if change.kind == "rename":
        if connection.scalar(select(Model.id).where(Model.name == change.old_name)) is not None:
            told = _("There is a model “{name}” again; merge or rename that one first")
            raise Refused(told.format(name=change.old_name))
        current = connection.scalar(select(Model.name).where(Model.id == change.model_id))
        _name(connection, change.model_id, str(current), change.old_name)
    elif change.kind == "merge":
        _move_back(connection, change)
    else:
        connection.execute(update(Model).where(Model.id == change.model_id).values(retired_at=None))
    connection.execute(update(ModelChange).where(ModelChange.id == change_id).values(undone_at=now))
    return Change(_("Undone: {kind} of {name}.").format(kind=change.kind, name=change.old_name))


def _move_back(connection: Connection, change: Any) -> None:
    connection.execute(update(Model).where(Model.id == change.model_id).values(merged_into=None))
    moved = change.moved or []
    for start in range(0, len(moved), BATCH):
        mine = ModelEvaluation.id.in_(moved[start : start + BATCH])
        connection.execute(update(ModelEvaluation).where(mine).values(model_id=change.model_id))


def _model(connection: Connection, name: str) -> Any:
    found = connection.execute(select(Model).where(Model.name == name)).one_or_none()
    if found is None:
        raise Refused(_("There is no model “{name}”").format(name=name), status=2)
    if found.merged_into is not None:
        raise Refused(
            _("“{name}” was merged into another model; undo that first").format(name=name), status=2
        )
    return found


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


def _name(connection: Connection, model_id: int, old: str, new: str) -> None:
    connection.execute(update(Model).where(Model.id == model_id).values(name=new))
    mine = (Verdict.word == "models") & (Verdict.subject == old)
    connection.execute(update(Verdict).where(mine).values(subject=new))


def _record(connection: Connection, now: datetime, kind: str, model_id: int, **values: Any) -> int:
    row = {"at": now, "kind": kind, "model_id": model_id} | values
    found: int = connection.execute(insert(ModelChange).values(row).returning(ModelChange.id)).scalar_one()
    return found
