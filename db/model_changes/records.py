"""What is written down of a change, and the models it is about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from db.engine import raise_data_version
from db.errors import Refused
from db.model_names import bearers, take_turn
from db.tables.models import Model
from db.tables.operations import ModelChange
from language import _


@dataclass(frozen=True)
class Change:
    """What is or would be done, in one line; `id` undoes it, `stale` says that days wait for aggregation."""

    told: str
    id: int | None = None
    stale: bool = False


@contextmanager
def turn(engine: Engine, dry_run: bool) -> Iterator[Connection]:
    """One transaction between those of imports and of other changes; a dry run leaves nothing."""
    with engine.connect() as connection, connection.begin() as transaction:
        take_turn(connection)
        yield connection
        if dry_run:
            transaction.rollback()
        else:
            raise_data_version(connection)


def model_named(connection: Connection, name: str) -> Any:
    """The model of that name; raises Refused where there is none, or where it is merged into another."""
    found = None
    if _can_be_asked_for(name):
        found = connection.execute(select(Model).where(Model.name == name)).one_or_none()
    if found is None:
        raise Refused(_no_model(connection, name), status=2)
    if found.merged_into is not None:
        told = _("“{name}” was merged into another model; undo that first").format(name=name)
        raise Refused(told, status=2)
    return found


def _can_be_asked_for(name: str) -> bool:
    """Whether it is text that a database takes: a command line may hold any bytes."""
    return "\0" not in name and not any("\ud800" <= letter <= "\udfff" for letter in name)


def _no_model(connection: Connection, name: str) -> str:
    model = bearers(connection).get(name)
    if model is not None:
        today = connection.scalar(select(Model.name).where(Model.id == model))
        return _("There is no model “{name}”; it is called {today} now").format(name=name, today=today)
    plain = name.encode(errors="backslashreplace").decode()
    return _("There is no model “{name}”").format(name=plain)


def record(connection: Connection, now: datetime, kind: str, model_id: int, **values: Any) -> int:
    row = {"at": now, "kind": kind, "model_id": model_id} | values
    found: int = connection.execute(insert(ModelChange).values(row).returning(ModelChange.id)).scalar_one()
    return found
