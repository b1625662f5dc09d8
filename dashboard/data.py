"""The one cached door to the queries. Its key holds the data version, raised in every writing transaction."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from dashboard import filters
from db.demo.holding import holds_demo
from db.engine import data_version, default_engine, reading, refuse_unreachable
from db.errors import Refused
from db.queries import (
    agent_models,
    agents,
    attention,
    conversations,
    coverage,
    forecast_codes,
    forecasts,
    model_changes,
    models,
    operations,
    overall,
    quality,
    reports,
    restatements,
    swaps,
    system,
    usage,
    verdicts,
    weights,
)
from db.queries import budget as budgets
from db.schema import refuse_unready
from db.targets import targets
from language import spoken
from settings import current

P = ParamSpec("P")
T = TypeVar("T")

__all__ = [
    "agent_models",
    "agents",
    "ask",
    "ask_now",
    "attention",
    "budgets",
    "conversations",
    "coverage",
    "derive",
    "forecast_codes",
    "forecasts",
    "holds_demo",
    "model_changes",
    "models",
    "note_version",
    "operations",
    "overall",
    "quality",
    "reports",
    "restatements",
    "swaps",
    "system",
    "target_of",
    "usage",
    "verdicts",
    "version",
    "weights",
    "what_is_wrong",
]


def what_is_wrong() -> str | None:
    """Why the pages cannot be shown, with what to do; None when they can."""
    try:
        refuse_unreachable(default_engine())
        refuse_unready(default_engine(), current().zone)
    except Refused as refused:
        return str(refused)
    return None


def version() -> int:
    """The version of the data at this moment."""
    return data_version(default_engine())


def note_version() -> None:
    """Settles which version of the data a run of the page shows: asked for once, and one for the whole page."""
    filters.remember("data_version", version())


def ask(query: Callable[..., T], **arguments: Any) -> T:
    """The answer to a query about aggregated tables, from the cache while no data changed.

    Arguments are plain values (never frames: Streamlit keys them by a sample of their cells).
    """
    name = f"{query.__module__}.{query.__qualname__}"
    answer: T = _answer(name, str(default_engine().url), _shown(), tuple(sorted(arguments.items())), query)
    return answer


def _shown() -> int:
    noted: int | None = filters.remembered("data_version")
    return version() if noted is None else noted


@st.cache_data(ttl=3600, max_entries=500, show_spinner=False)
def _answer(name: str, url: str, version: int, arguments: tuple[tuple[str, Any], ...], _query: Any) -> Any:
    # name, url and version are here for the key; the query itself (a function) cannot be part of it.
    return ask_now(_query, **dict(arguments))


def derive(make: Callable[..., T], **arguments: Any) -> T:
    """What a function makes of answers, for tables that take a while: from the cache while no data changed.

    Arguments are plain values; texts in it are of the language that the page speaks.
    """
    name, language = f"{make.__module__}.{make.__qualname__}", spoken()
    made: T = _derived(
        name, language, str(default_engine().url), _shown(), tuple(sorted(arguments.items())), make
    )
    return made


@st.cache_data(ttl=3600, max_entries=200, show_spinner=False)
def _derived(
    name: str, language: str, url: str, version: int, arguments: tuple[tuple[str, Any], ...], _make: Any
) -> Any:
    return _make(**dict(arguments))


def target_of(metric: str) -> float | str | None:
    """The target of a metric, None where it has none; a text where the file that holds them is wrong."""
    try:
        return targets(current().targets_file).get(metric)
    except Refused as refused:
        return str(refused)


def ask_now(query: Callable[..., T], **arguments: Any) -> T:
    """The answer of this moment, for what moves by itself: runs and their progress."""
    with reading(default_engine()) as connection:
        return query(connection, **arguments)
