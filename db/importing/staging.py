"""The temporary store of an import, and the step from there into the table.

SQLite: a temporary table outside any write transaction, so that no other writer waits while a file is read.
PostgreSQL: a temporary table filled by binary COPY. From there one upsert a step, on both.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from db.base import Day, Id, Timestamp
from db.engine import DATABASE_FAULTS
from db.errors import Refused
from db.importing.columns import Spec
from db.importing.copying import copy_type
from db.importing.owners import Owners
from db.importing.pricing import PRICED, fill_costs
from db.importing.report import Report
from db.model_names import take_turn
from db.tables import metadata
from db.tables.models import Model
from db.upsert import UpsertFrom
from language import _, ngettext

_TOLD = 20  # how many new models a report names


class Staging:
    """The clean rows of one import, on one connection, until they are written or dropped."""

    def __init__(self, connection: Connection, spec: Spec) -> None:
        self.connection, self.spec = connection, spec
        self.target: Table = metadata.tables[spec.table]
        self._shapes: list[tuple[str, ...]] = []
        columns = [
            Column(column.name, String if column.name == spec.reference else self.target.c[column.name].type)
            for column in spec.columns
        ]
        self.table = Table(
            "staged_rows",
            MetaData(),
            # On SQLite it is the row's place then: a step finds its rows without a look at all others.
            Column("line", Id, primary_key=connection.dialect.name == "sqlite"),
            *columns,
            Column("day", Day),
            Column("content", String),
            # Where names of one model became one: the model whose name the row came under.
            Column("came_as", Integer),
            Column("shape", Integer),
            prefixes=["TEMPORARY"],
        )
        self.owners = Owners(connection, self.table, spec.reference) if spec.reference else None
        with connection.begin():
            for table in self._tables():
                table.drop(connection, checkfirst=True)
                table.create(connection)

    @contextmanager
    def dropped_afterwards(self) -> Iterator[None]:
        """Drops the store at the end; where that fails too, after a fault, the fault is the one to tell."""
        try:
            yield
        except BaseException:
            with suppress(*DATABASE_FAULTS):
                self._drop()
            raise
        self._drop()

    def _drop(self) -> None:
        self.connection.rollback()
        with self.connection.begin():
            for table in self._tables():
                table.drop(self.connection, checkfirst=True)

    def _tables(self) -> list[Table]:
        return [self.table, self.owners.table] if self.owners else [self.table]

    def add(self, present: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Stores clean rows that have values, or nulls, for the columns present."""
        if not rows:
            return
        if present not in self._shapes:
            self._shapes.append(present)
        shape = self._shapes.index(present)
        driver: Any = self.connection.connection.driver_connection
        names = ", ".join(column.name for column in self.table.columns)
        if self.connection.dialect.name == "postgresql":
            types = [copy_type(column) for column in self.table.columns]
            with driver.cursor().copy(f"COPY staged_rows ({names}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(types)
                for row in rows:
                    copy.write_row((*row, None, shape))
            return
        marks = ", ".join("?" * (len(self.table.columns) - 2))
        driver.executemany(f"INSERT INTO staged_rows VALUES ({marks}, NULL, {shape})", rows)  # noqa: S608 - names are ours

    def last_line(self) -> int:
        return self.connection.scalar(select(func.max(self.table.c.line))) or 0

    def end_of_step(self, low: int, size: int) -> int:
        """The line up to which, after low, there are `size` rows, or all that are left."""
        lines = self.table.c.line
        block = select(lines).where(lines > low).order_by(lines).limit(size).subquery()
        high: int = self.connection.scalar(select(func.max(block.c.line)))
        return high

    def add_models(self, report: Report, now: datetime) -> None:
        """Adds the models that the table does not know yet, and names them in the report."""
        if self.owners is None:
            return
        if not report.dry_run:
            self.owners.follow()
        fresh = self.owners.unknown()
        if fresh and not report.dry_run:
            rows = [{"name": name, "created_at": now} for name in fresh]
            dialect = postgresql if self.connection.dialect.name == "postgresql" else sqlite
            # Another writer may add the same model at this moment.
            self.connection.execute(dialect.insert(Model).on_conflict_do_nothing(), rows)
            self.owners.follow()
        if fresh:
            named = ", ".join(fresh[:_TOLD])
            if more := len(fresh[_TOLD:]):
                named += " " + ngettext("… and {n} more", "… and {n} more", more)
            report.note(_("new models: {names}").format(names=named))

    def compare(self) -> tuple[int, int]:
        """How many rows are in the table already, and how many of those would change."""
        matched = changed = 0
        for shape in range(len(self._shapes)):
            mine = [name for name in self._columns(shape) if name not in self.spec.key]
            differs = or_(*(self.target.c[name].is_distinct_from(self.table.c[name]) for name in mine))
            found = (
                select(func.count(), func.count().filter(differs))
                .select_from(self._owned().join(self.target, self._same_row()))
                .where(self.table.c.shape == shape)
            )
            here, different = self.connection.execute(found).one()
            matched, changed = matched + here, changed + different
        return matched, changed

    def _owned(self, outer: bool = False) -> Any:
        """The staged rows, beside them their models where the table has models."""
        if self.owners is None:
            return self.table
        owner = self.owners.table.c.name == self.table.c[self.owners.reference]
        return self.table.join(self.owners.table, owner, isouter=outer)

    def _model(self) -> list[ColumnElement[Any]]:
        """The row's model, and the one that bears the row's name where it is another one."""
        if self.owners is None:
            return []
        own = self.owners.table.c
        came_as = func.nullif(func.coalesce(self.table.c.came_as, own.came_as), own.model_id)
        return [own.model_id, came_as.label("came_as")]

    def _same_row(self) -> Any:
        rest = [name for name in self.spec.key if name != self.spec.reference]
        same = [self.target.c[name] == self.table.c[name] for name in rest]
        return (
            and_(self.target.c.model_id == self.owners.table.c.model_id, *same)
            if self.owners
            else and_(*same)
        )

    def fill_costs(self, low: int, high: int) -> None:
        """Gives calls of models a cost; before rows are compared or written."""
        if self.spec.priced:
            fill_costs(self.connection, self.table, self.target, self._shapes, low, high)

    def leave_what_stands(self) -> int:
        """Takes rows out that are no news beside what is stored under their key; returns how many."""
        stands = []
        if self.spec.newest:
            stands.append(self.target.c[self.spec.newest] > self.table.c[self.spec.newest])
        if self.spec.at_first:
            name, word = self.spec.at_first
            says_so = [shape for shape, columns in enumerate(self._shapes) if name in columns]
            first = and_(self.table.c.shape.in_(says_so), self.table.c[name] == word)
            stands.append(and_(first, self.target.c[name] != word))
        if not stands:
            return 0
        no_news = exists().where(self._same_row(), or_(*stands))
        return self.connection.execute(delete(self.table).where(no_news)).rowcount

    def _columns(self, shape: int) -> list[str]:
        """What is written of the rows of a shape: the columns of their file, and those that have a cost."""
        names = dict.fromkeys((*self._shapes[shape], *(PRICED if self.spec.priced else ())))
        return [name for name in names if name != self.spec.reference]

    def take_turn(self) -> None:
        """Waits for other imports and changes of models: of two with the same rows in another order one would fail."""
        take_turn(self.connection)

    def write(self, low: int, high: int, now: datetime) -> tuple[int, int]:
        """Writes the staged rows of these lines; returns how many were new and how many changed."""
        if self.connection.dialect.name == "postgresql":
            self.connection.exec_driver_sql("SET LOCAL work_mem = '64MB'")  # else the rows are sorted on disk
        inside = and_(self.table.c.line > low, self.table.c.line <= high)
        known = (
            select(func.count()).select_from(self._owned().join(self.target, self._same_row())).where(inside)
        )
        # An empty table (a first import) needs no look-up of each row.
        empty = self.connection.scalar(select(literal(1)).select_from(self.target).limit(1)) is None
        matched = 0 if empty else self.connection.scalar(known) or 0
        total = self._total(inside)
        written = sum(self._write_shape(shape, inside, now) for shape in range(len(self._shapes)))
        return total - matched, written - (total - matched)

    def _total(self, inside: Any) -> int:
        """How many rows there are; raises Refused where some have no model, and would be left out unsaid."""
        if self.owners is None:
            return self.connection.scalar(select(func.count()).select_from(self.table).where(inside)) or 0
        owned = select(func.count(), func.count(Model.id)).select_from(
            self._owned(outer=True).outerjoin(Model, Model.id == self.owners.table.c.model_id)
        )
        total, with_model = self.connection.execute(owned.where(inside)).one()
        if total != with_model:
            told = _("Models of this file went away while it was written; import it again")
            raise Refused(told)
        return int(total)

    def _write_shape(self, shape: int, inside: Any, now: datetime) -> int:
        mine = self._columns(shape)
        if self.spec.derived and self.spec.derived not in mine:
            mine.append(self.spec.derived)
        if "day" in self.target.c:
            mine.append("day")
        stamps = [name for name in ("updated_at", "imported_at") if name in self.target.c]
        rows: Select[Any] = (
            select(
                *self._model(),
                *(self.table.c[name] for name in mine),
                *(literal(now, Timestamp).label(name) for name in stamps),
            )
            .select_from(self._owned())
            .where(inside, self.table.c.shape == shape)
            .order_by(self.table.c.line)  # as a rule the order of time, and so of the largest index
        )
        rest = [name for name in self.spec.key if name != self.spec.reference]
        key = ["model_id", *rest] if self.owners else rest
        once = ("came_as", "imported_at")  # of a new row only
        return UpsertFrom(self.target, key, rows, ("updated_at", "day"), once=once).run(self.connection)
