"""Price lists that the price book can be filled from: Python packages, read without asking any other host."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

from sqlalchemy import Engine, select

from db.engine import reading
from db.errors import Refused
from db.importing.agent_specs import ALWAYS
from db.tables.usage import LlmPrice, LlmUsage
from language import _

GENAI_PRICES = "genai-prices"
SOURCES = {GENAI_PRICES: "genai-prices==0.2.3"}  # what pip installs
_TOKENS = 1_000_000  # that its prices are for


def rows_of(source: str, engine: Engine) -> list[dict[str, Any]]:
    """The prices of a source as rows of llm_prices, dated where it dates them: of every name that it lists, and of
    those that calls came under. Prices of people's own stay. Raises Refused without the package."""
    try:
        providers = import_module("genai_prices.data").providers
    except ImportError:
        told = _(
            "Prices of {source} need a package that is not installed; install it with: pip install {package}"
        )
        raise Refused(told.format(source=source, package=SOURCES[source])) from None
    p, u = LlmPrice, LlmUsage
    with reading(engine) as connection:
        used = {(row[0], row[1]) for row in connection.execute(select(u.provider, u.model).distinct())}
        others = select(p.provider, p.model, p.valid_from).where(
            ~p.source.startswith(source, autoescape=True)
        )
        own = {tuple(row) for row in connection.execute(others)}
    name = f"{source} {version(source)}"
    rows = (row | {"source": name} for row in _rows(providers, used))
    return [row for row in rows if (row["provider"], row["model"], row["valid_from"]) not in own]


def _rows(providers: Iterable[Any], used: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    for provider in providers:
        called: dict[str, Any] = {}
        for model in provider.models:
            for name in (model.id, *_equals(model.match)):
                called.setdefault(name, model)
        for by, name in used:
            if by == provider.id and name not in called:
                found = next((model for model in provider.models if model.is_match(name)), None)
                called |= {name: found} if found else {}
        for name, model in called.items():
            for valid_from, price in _dated(model.prices):
                parts = {"input": "input_mtok", "output": "output_mtok", "cached": "cache_read_mtok"}
                dollars = {ours: _dollars(getattr(price, theirs, None)) for ours, theirs in parts.items()}
                yield {"provider": provider.id, "model": name, "valid_from": valid_from} | dollars


def _equals(match: Any) -> Iterator[str]:
    """The names that a rule of matching spells out."""
    if hasattr(match, "equals"):
        yield match.equals
    for part in getattr(match, "or_", ()):
        yield from _equals(part)


def _dated(prices: Any) -> Iterator[tuple[Any, Any]]:
    """Prices with the day from which they hold; those of some hours of the day are left out."""
    if not isinstance(prices, list):
        yield ALWAYS, prices
        return
    dated: dict[Any, Any] = {}
    for price in prices:
        if price.constraint is None:
            dated[ALWAYS] = price.prices
        elif hasattr(price.constraint, "start_date"):
            dated[price.constraint.start_date] = price.prices
    yield from dated.items()


def _dollars(price: Any) -> float | None:
    """US dollars a token; of a price with tiers the first one's."""
    price = getattr(price, "base", price)
    return None if price is None else float(price / _TOKENS)
