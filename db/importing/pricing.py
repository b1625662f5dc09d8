"""The cost of staged calls that come without one: what the table holds already, or what the price book says."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, Table, and_, case, false, func, select, update

from db.price_book import FOUND, Triple, cost, looked_up, price_book

PRICED = ("cost_usd", "cost_computed")
_TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens")
_TAKEN = ("provider", "model", "timestamp", *_TOKENS)  # what a cost is computed from


def fill_costs(
    connection: Connection,
    staged: Table,
    target: Table,
    shapes: Sequence[tuple[str, ...]],
    low: int,
    high: int,
) -> None:
    """Gives the staged rows of these lines a cost, and says whether it is computed.

    `shapes` are the columns that the files of rows have. A cost of the file is what was billed, unless the file says
    otherwise, and so is one of the table where the file has no such column. A computed one stays while nothing
    that it was computed from changes: the same file twice changes nothing, whatever became of the book.
    """
    calls = [_Calls(staged, target, present, shape, low, high) for shape, present in enumerate(shapes)]
    wanted = {triple for some in calls for triple in some.wanted(connection)}
    with looked_up(connection, price_book(connection), wanted):
        for some in calls:
            found = some.costs()
            filled = update(staged).values(cost_usd=found.c.cost, cost_computed=found.c.computed)
            connection.execute(filled.where(staged.c.line == found.c.line))


class _Calls:
    """The staged rows of a shape, beside each the row of the table that it will correct."""

    def __init__(
        self, staged: Table, target: Table, present: tuple[str, ...], shape: int, low: int, high: int
    ) -> None:
        self._new, self._old, self._present = staged.alias("calls"), target, present
        new, old = self._new.c, self._old.c
        self._both = self._new.join(self._old, old.request_id == new.request_id, isouter=True)
        self._mine = and_(new.line > low, new.line <= high, new.shape == shape)
        # Of a column that the file lacks the table's value stays.
        self._after = {
            name: new[name] if name in present else func.coalesce(old[name], new[name]) for name in _TAKEN
        }
        if PRICED[0] in present:
            self._billed: ColumnElement[Any] = new.cost_usd
            self._said: ColumnElement[bool] = new.cost_computed
        else:
            self._billed, self._said = case((old.cost_computed, None), else_=old.cost_usd), false()
        same = [old[name].is_not_distinct_from(self._after[name]) for name in _TAKEN if name in present]
        self._stays = and_(old.cost_computed, old.cost_usd.is_not(None), *same)

    def wanted(self, connection: Connection) -> Iterator[Triple]:
        """The providers, models and days of rows whose cost is to be computed."""
        triple = self._after["provider"], self._after["model"], self._new.c.day
        lacking = and_(self._mine, self._billed.is_(None), self._stays.is_not(True))
        for row in connection.execute(select(*triple).select_from(self._both).where(lacking).distinct()):
            yield row[0], row[1], row[2]

    def costs(self) -> Subquery:
        """Of each row its line, its cost, and whether that is computed."""
        prices = and_(
            FOUND.c.provider == self._after["provider"],
            FOUND.c.model == self._after["model"],
            FOUND.c.day == self._new.c.day,
        )
        priced = self._both.join(FOUND, prices, isouter=True)
        own: ColumnElement[Any] = case(
            (self._stays, self._old.c.cost_usd), else_=cost(*(self._after[name] for name in _TOKENS))
        )
        columns = (
            self._new.c.line,
            func.coalesce(self._billed, own).label("cost"),
            case((self._billed.is_not(None), self._said), else_=own.is_not(None)).label("computed"),
        )
        return select(*columns).select_from(priced).where(self._mine).subquery("costs")
