"""Which models can be changed, and which changes stand."""

from typing import Any

from sqlalchemy import Connection, select

from db.tables.models import Model
from db.tables.operations import ModelChange


def changeable(connection: Connection) -> list[str]:
    """The models that were not merged into another, by name."""
    return list(
        connection.scalars(select(Model.name).where(Model.merged_into.is_(None)).order_by(Model.name))
    )


def standing(connection: Connection) -> dict[int, dict[str, Any]]:
    """The changes that nobody took back, newest first: kind, old and new name, and whether it is unfinished."""
    c = ModelChange
    found = select(c.id, c.kind, c.old_name, c.new_name, c.under_way).where(c.undone_at.is_(None))
    rows = connection.execute(found.order_by(c.id.desc())).mappings()
    return {row["id"]: dict(row) for row in rows}
