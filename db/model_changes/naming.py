"""A model that gets another name, and one that nobody waits for any more: a transaction each."""

from datetime import datetime
from unicodedata import normalize

from sqlalchemy import Connection, Engine, delete, select, update

from db.errors import Refused
from db.model_changes.records import Change, model_named, record, turn
from db.model_names import former_names
from db.tables.models import Model
from db.tables.operations import Verdict
from db.unfinished import refuse_under_way
from language import _


def rename(engine: Engine, old: str, new: str, now: datetime, dry_run: bool = False) -> Change:
    """Gives a model another name; its figures and verdicts go with it, and files under the old one still reach it.

    Raises Refused.
    """
    name = normalize("NFC", new.strip())  # as imports store it
    if not name or len(name) > 200 or not name.isprintable():
        plain = name[:200].encode(errors="backslashreplace").decode()
        raise Refused(_("“{name}” cannot be the name of a model").format(name=plain), status=2)
    with turn(engine, dry_run) as connection:
        refuse_under_way(connection)
        model = model_named(connection, old)
        _refuse_taken(connection, old, name)
        told = [_("{old} is now called {new}.").format(old=old, new=name)]
        other = former_names(connection).get(name, model.id)
        if other != model.id:
            called = connection.scalar(select(Model.name).where(Model.id == other))
            told.append(_("Files under {name} went to {other} until now.").format(name=name, other=called))
        give_name(connection, model.id, name)
        change = record(connection, now, "rename", model.id, old_name=old, new_name=name)
    return Change(" ".join(told), change)


def _refuse_taken(connection: Connection, old: str, new: str) -> None:
    taken = connection.execute(select(Model).where(Model.name == new)).one_or_none()
    if taken is None:
        return
    if taken.merged_into is not None:
        told = _("“{name}” was merged into another model; undo that first").format(name=new)
        raise Refused(told, status=2)
    told = _("There is a model “{new}” already; to make one of both: python -m db models merge {old} {new}")
    raise Refused(told.format(old=old, new=new), status=2)


def give_name(connection: Connection, model_id: int, new: str) -> None:
    """Names a model and the verdicts on it."""
    old = connection.scalar(select(Model.name).where(Model.id == model_id))
    connection.execute(update(Model).where(Model.id == model_id).values(name=new))
    models = Verdict.word == "models"
    # What is left of a model that is gone would stand in the way.
    connection.execute(delete(Verdict).where(models, Verdict.subject == new))
    connection.execute(update(Verdict).where(models, Verdict.subject == old).values(subject=new))


def retire(engine: Engine, name: str, now: datetime, dry_run: bool = False) -> Change:
    """Says that no data are expected of a model any more: it is not missed. Raises Refused."""
    with turn(engine, dry_run) as connection:
        refuse_under_way(connection)
        model = model_named(connection, name)
        if model.retired_at is not None:
            raise Refused(_("“{name}” is retired already").format(name=name), status=2)
        connection.execute(update(Model).where(Model.id == model.id).values(retired_at=now))
        change = record(connection, now, "retire", model.id, old_name=name)
    told = _("{name} is retired: its figures stay, and nobody waits for new ones.").format(name=name)
    return Change(told, change)
