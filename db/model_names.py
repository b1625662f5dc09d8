"""Which model a name stands for: its own, one it had before a rename, or one that was merged into it."""

from sqlalchemy import Connection, func, select

from db.tables.models import Model
from db.tables.operations import ModelChange

# Imports of evaluations and changes of models: one transaction after the other.
TURN = "tidemark import model_evaluations"


def take_turn(connection: Connection) -> None:
    """Waits until no other transaction writes evaluations or changes a model; on SQLite the write lock does it."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(TURN))))


def bearers(connection: Connection) -> dict[str, int]:
    """The model that each name means: a former name too, unless another model is called so today."""
    standing = (
        select(ModelChange.old_name, Model.id)
        .join(Model, Model.id == ModelChange.model_id)
        .where(ModelChange.kind == "rename", ModelChange.undone_at.is_(None))
        .order_by(ModelChange.id)
    )
    found = {row.old_name: row.id for row in connection.execute(standing)}
    return found | {row.name: row.id for row in connection.execute(select(Model.name, Model.id))}


def former_names(connection: Connection) -> dict[str, int]:
    """The names that models had before a rename and that still lead to them."""
    today = set(connection.scalars(select(Model.name)))
    return {name: model for name, model in bearers(connection).items() if name not in today}


def belongs_to(connection: Connection) -> dict[int, int]:
    """Each model → the one that its evaluations belong to: itself, or the last one that it was merged into."""
    into = {row.id: row.merged_into for row in connection.execute(select(Model.id, Model.merged_into))}

    def last(model: int) -> int:
        for _step in into:
            following = into.get(model)
            if following is None or following not in into:
                return model
            model = following
        return model

    return {model: last(model) for model in into}


def merged_below(connection: Connection, model: int) -> set[int]:
    """A model and all that were merged into it, or into those."""
    merged = connection.execute(select(Model.id, Model.merged_into).where(Model.merged_into.is_not(None)))
    below, into = {model}, {row.id: row.merged_into for row in merged}
    while more := {one for one, other in into.items() if other in below} - below:
        below |= more
    return below
