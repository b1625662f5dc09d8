"""What an import knows of a table: its columns, their other names, how a cell is read, and what identifies a row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from db.importing.cells import Kind
from db.importing.json_cells import Json
from db.tables.models import COMPOSITES


@dataclass(frozen=True)
class Column:
    """A column of a file.

    `required` ones must have a value in each row (`absent` says what it means where one has none), `dimension`s keep
    '' where it is not known, and the others null or their `default`.
    """

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    required: bool = False
    dimension: bool = False
    absent: str = ""
    default: Any = None

    @property
    def nothing(self) -> Any:
        """What an empty cell is stored as."""
        return "" if self.dimension else self.default


@dataclass(frozen=True)
class Rule:
    """What must hold between the cells of a row, where it has all of them; `told` is said of a row that breaks it.

    Such a row is rejected, or with `warns` stored and counted.
    """

    columns: tuple[str, ...]
    holds: Callable[..., bool]
    told: str
    warns: bool = False


# Columns of an export that an import leaves out, since the database fills them.
COMPUTED = (
    *(
        "id",
        "model_id",
        "came_as",
        "day",
        "updated_at",
        "imported_at",
        "abs_error",
        "direction_hit",
        "bar_date",
    ),
    *("_line", "_reason", *COMPOSITES),
)


@dataclass(frozen=True)
class Spec:
    """How files become rows of a table.

    `key` is the natural key as the file has it. `reference` names the column that holds a model's name, which
    is stored as its id; None: there is none. `derived` is a key column that is made from the row's content where
    it is missing. `day_of` is the timestamp whose business day is stored. `computed` are columns that an import
    leaves out without a word. `priced` rows that come without a cost get it from the price book.
    A row is no news whose `newest` is earlier than that of the row stored under its key, or that says of a column what
    it says `at_first` where the stored one has got further.
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    reference: str | None = None
    derived: str | None = None
    day_of: str | None = None
    rules: tuple[Rule, ...] = ()
    # Values that count for nothing unless a timestamp says that they were given: value → timestamp.
    counts_with: tuple[tuple[str, str], ...] = ()
    computed: tuple[str, ...] = COMPUTED
    priced: bool = False
    newest: str | None = None
    at_first: tuple[str, str] | None = None

    @property
    def nesting(self) -> frozenset[str]:
        """Names of columns, ours and their other ones, whose cells may be lists and objects."""
        found = (column for column in self.columns if isinstance(column.kind, Json))
        return frozenset(name for column in found for name in (column.name, *column.aliases))

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)
