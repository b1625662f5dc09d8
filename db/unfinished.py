"""A merge, or the undo of one, that is not finished: it moves its rows in many transactions."""

from collections.abc import Set
from typing import Any

from sqlalchemy import Connection, select

from db.errors import Refused
from db.tables.models import Model
from db.tables.operations import ModelChange
from language import _


def under_way(connection: Connection) -> Any:
    """The change that was begun and is not finished; there is one at most."""
    return connection.execute(select(ModelChange).where(ModelChange.under_way.is_not(None))).first()


def refuse_under_way(connection: Connection) -> None:
    """Raises Refused while another change moves rows, or was stopped in the middle of it."""
    change = under_way(connection)
    if change is not None:
        raise Refused(_not_finished(change))


def refuse_moving(connection: Connection, models: Set[int]) -> None:
    """Raises Refused for rows of models whose rows are being moved: they would come twice."""
    change = under_way(connection)
    if change is None:
        return
    into = connection.scalar(select(Model.merged_into).where(Model.id == change.model_id))
    if models & {change.model_id, into}:
        raise Refused(_not_finished(change))


def _not_finished(change: Any) -> str:
    if change.under_way == "there":
        told = _(
            "Evaluations of {old} are being moved to {new}: wait until that is done. If it was stopped, finish it: "
            "python -m db models merge {old} {new}, or take it back: python -m db models undo {id}"
        )
    else:
        told = _(
            "Evaluations of {old} are being moved back from {new}: wait until that is done. If it was stopped, "
            "finish it: python -m db models undo {id}"
        )
    return told.format(old=change.old_name, new=change.new_name, id=change.id)
