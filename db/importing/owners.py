"""Which model each name of a file belongs to, looked up again at each step: people rename and merge meanwhile."""

from collections.abc import Set
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from db.errors import Refused
from db.model_names import bearers, belongs_to
from language import _

Groups = dict[int, list[str]]


class Owners:
    """A temporary table from names to models; a model that is new has an id below zero until it is added."""

    def __init__(self, connection: Connection, staged: Table, reference: str) -> None:
        self._connection, self._staged, self.reference = connection, staged, reference
        self._names: list[str] = []
        self._rows: list[dict[str, Any]] = []
        self._together: Groups = {}
        self.table = Table(
            "staged_models",
            MetaData(),
            Column("name", String, primary_key=True),
            Column("model_id", Integer),
            Column("came_as", Integer),
            prefixes=["TEMPORARY"],
        )

    def settle(self, staying: Set[int] | None) -> None:
        """Finds the models of all staged rows; names of one model become one, so that their keys meet.

        `staying` are the models that are left when the demo goes; None: it does not.
        """
        name = self._staged.c[self.reference]
        self._names = list(self._connection.scalars(select(name).distinct().order_by(name)))
        self._look_up(staying)
        self._together = _together(self._rows)
        bearer = {row["name"]: row["came_as"] or row["model_id"] for row in self._rows}
        for first, *others in self._together.values():
            for other in (first, *others):
                said = {"came_as": bearer[other], self.reference: first}
                self._connection.execute(update(self._staged).where(name == other).values(said))

    def follow(self) -> None:
        """Looks the names up again; raises Refused where some that were two models are one now, or the other way."""
        self._look_up(None)
        if sorted(_together(self._rows).values()) != sorted(self._together.values()):
            told = _("Models of this file were merged or parted while it was read; import it again")
            raise Refused(told)

    def unknown(self) -> list[str]:
        """The names that no model has."""
        return [row["name"] for row in self._rows if row["model_id"] < 0]

    def models(self) -> set[int]:
        """The models that the rows belong to."""
        return {row["model_id"] for row in self._rows}

    def _look_up(self, staying: Set[int] | None) -> None:
        model_of, last = bearers(self._connection), belongs_to(self._connection)
        rows = []
        for number, name in enumerate(self._names, start=1):
            model = model_of.get(name)
            if model is None or (staying is not None and model not in staying):
                rows.append({"name": name, "model_id": -number, "came_as": None})
            else:
                came_as = model if last[model] != model else None
                rows.append({"name": name, "model_id": last[model], "came_as": came_as})
        if rows != self._rows:
            self._connection.execute(delete(self.table))
            self._connection.execute(insert(self.table), rows)
            self._rows = rows


def _together(rows: list[dict[str, Any]]) -> Groups:
    """The models that several names of the file belong to."""
    groups: Groups = {}
    for row in rows:
        groups.setdefault(row["model_id"], []).append(row["name"])
    return {model: names for model, names in groups.items() if len(names) > 1}
