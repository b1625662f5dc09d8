"""Evaluations moved to another model in short transactions: others write in between, and a kill loses none."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, exists, func, select, update
from sqlalchemy.orm import aliased

from db.engine import raise_data_version
from db.errors import Refused
from db.importing.turns import Turns
from db.model_names import merged_below, take_turn
from db.progress import Progress
from db.tables.models import ModelEvaluation
from db.tables.operations import ModelChange
from language import _

FIRST_ROWS, ONE_TRANSACTION = 10_000, 100_000

Step = Callable[[Connection, int], int]


def in_turns(
    engine: Engine,
    change: int,
    way: str,
    step: Step,
    finish: Callable[[Connection], None],
    progress: Progress,
) -> None:
    """Does a step of so many rows in each transaction; the last one, which finds fewer, finishes the change."""
    done = 0
    with engine.connect() as connection, Turns(connection, ONE_TRANSACTION).taken() as turns:
        turns.rows = min(turns.rows, FIRST_ROWS)
        more = True
        while more:
            with turns.turn():
                take_turn(connection)
                _refuse_taken_over(connection, change, way)
                moved = step(connection, turns.rows)
                more = moved >= turns.rows
                if not more:
                    finish(connection)
                raise_data_version(connection)
            done += moved
            progress(done)


def _refuse_taken_over(connection: Connection, change: int, way: str) -> None:
    now = connection.scalar(select(ModelChange.under_way).where(ModelChange.id == change))
    if now != way:
        told = _("Somebody else finished change {id} or took it back meanwhile: python -m db models")
        raise Refused(told.format(id=change))


def move(connection: Connection, rows: ColumnElement[bool], source: int, target: int, most: int) -> int:
    """Gives some of these rows of a model to another; returns how many.

    Those of a prediction that the other has, too, stay.
    """
    mine = ModelEvaluation
    some = select(mine.id).where(mine.model_id == source, rows, ~_also_of(target)).limit(most).correlate(None)
    # A row remembers the first model that it came as, and forgets it when it is back there.
    came_as = func.coalesce(mine.came_as, source)
    values = {"model_id": target, "came_as": case((came_as != target, came_as))}
    return connection.execute(update(mine).where(mine.id.in_(some)).values(values)).rowcount


def _also_of(target: int) -> ColumnElement[bool]:
    theirs = aliased(ModelEvaluation)
    same = theirs.prediction_id == ModelEvaluation.prediction_id
    return exists().where(theirs.model_id == target, same).correlate(ModelEvaluation)


def came_from(connection: Connection, model: int) -> ColumnElement[bool]:
    """The rows that came under a model's name, or under one that was merged into it."""
    return ModelEvaluation.came_as.in_(merged_below(connection, model))


def count(connection: Connection, *where: Any) -> int:
    return connection.scalar(select(func.count()).select_from(ModelEvaluation).where(*where)) or 0
