"""The price book: what a token of a model cost on a day, and what a call came to by that.

A price holds from its day until the next one of the same provider and model. Where the provider of a call is '' or
has nothing in the book, the model alone decides, if all that it is sold for on that day is one price.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, MetaData, String, Table, case, insert, or_, select

from db.base import Day, Score
from db.tables.usage import MOST_DOLLARS, LlmPrice

Triple = tuple[str, str, date]  # provider, model, day
# What the book says of the calls at hand, for statements to join.
FOUND = Table(
    "found_prices",
    MetaData(),
    Column("provider", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("day", Day, primary_key=True),
    *(Column(name, Score) for name in ("input", "output", "cached")),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True)
class Price:
    """US dollars a token; None is not known."""

    input: float | None
    output: float | None
    cached: float | None = None


class PriceBook:
    """Prices by (provider, model, valid_from)."""

    def __init__(self, prices: Iterable[tuple[str, str, date, Price]]) -> None:
        self._dated: dict[tuple[str, str], list[tuple[date, Price]]] = defaultdict(list)
        self._sellers: dict[str, set[str]] = defaultdict(set)
        for provider, model, valid_from, price in sorted(prices, key=lambda row: row[:3]):
            self._dated[provider, model].append((valid_from, price))
            self._sellers[model].add(provider)
        self._providers = {provider for provider, _model in self._dated}

    def price(self, provider: str, model: str, day: date) -> Price | None:
        """The price in force on a business day; None where the book has none, or several for an unknown provider."""
        own = self._in_force(provider, model, day)
        if own is not None or (provider and provider in self._providers):
            return own
        found = {self._in_force(seller, model, day) for seller in self._sellers.get(model, ())}
        known = {price for price in found if price is not None and price != Price(None, None)}
        return known.pop() if len(known) == 1 else None

    def _in_force(self, provider: str, model: str, day: date) -> Price | None:
        dated = self._dated.get((provider, model), [])
        number = bisect_right(dated, day, key=lambda entry: entry[0])
        return dated[number - 1][1] if number else None


def price_book(connection: Connection) -> PriceBook:
    """The whole book, some thousand prices."""
    p = LlmPrice
    rows = connection.execute(select(p.provider, p.model, p.valid_from, p.input, p.output, p.cached))
    return PriceBook((*row[:3], Price(*row[3:])) for row in rows)


@contextmanager
def looked_up(connection: Connection, book: PriceBook, wanted: Iterable[Triple]) -> Iterator[None]:
    """The table FOUND holds inside what the book says."""
    FOUND.drop(connection, checkfirst=True)
    FOUND.create(connection)
    rows = [
        dict(zip(("provider", "model", "day"), triple, strict=True)) | vars(price)
        for triple in wanted
        if (price := book.price(*triple)) is not None
    ]
    if rows:
        connection.execute(insert(FOUND), rows)
    yield
    FOUND.drop(connection)


def cost(prompt: Any, completion: Any, cached: Any) -> ColumnElement[Any]:
    """In SQL: what a call came to by its row of FOUND; null where a price or a count of tokens that it takes is not
    known."""
    from_cache = case(
        (or_(cached.is_(None), FOUND.c.cached.is_(None)), 0), (cached > prompt, prompt), else_=cached
    )
    total = (
        _part(prompt - from_cache, FOUND.c.input)
        + _part(from_cache, FOUND.c.cached)
        + _part(completion, FOUND.c.output)
    )
    known: ColumnElement[Any] = case((total <= MOST_DOLLARS, total))  # what is beyond is a slip
    # Without a price in the book there is no row of FOUND; no tokens at all cost nothing only where there is one.
    return case((FOUND.c.model.is_not(None), known))


def _part(tokens: Any, price: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((tokens == 0, 0.0), else_=tokens * price)
