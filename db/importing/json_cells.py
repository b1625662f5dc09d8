"""Cells of JSON: what each agent contributed to a trade, and whatever a program wants to keep beside it.

A cell that is read one by one is read once for all rows that have the same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from unicodedata import normalize

from db.importing.cells import Rejected, Surroundings, quoted
from db.tables.agents import TEAM, UNATTRIBUTED
from language import N_, _

_LONGEST = 1_000_000  # characters
_LONGEST_NAME = 200
_NO_JSON = N_("{what} is not JSON; write it as {example}")
_TWICE = N_("{what} names {name} twice")
_EXAMPLE = '{"agent": 0.6}'


@dataclass(frozen=True)
class Json:
    """Any JSON that both databases store and give back equal."""

    def one(self, cell: str, where: Surroundings) -> Any:
        found = _read(cell)
        try:
            json.dumps(found, allow_nan=False)
        except ValueError:
            raise Rejected(_("{what} holds NaN or Infinity, which JSON has not"), quoted(cell)) from None
        return found

    def all(self, cells: Sequence[str], where: Surroundings) -> list[Any] | None:
        return None


@dataclass(frozen=True)
class Contributions(Json):
    """An object agent → 0 to 1; an agent whose contribution is null took no part."""

    def one(self, cell: str, where: Surroundings) -> dict[str, float]:
        found = _read(cell)
        if not isinstance(found, dict):
            raise Rejected(
                _("{what} is not an object; write it as {example}"), quoted(cell), example=_EXAMPLE
            )
        shares: dict[str, float] = {}
        for written, share in found.items():
            if share is None:
                continue
            agent = _agent(written)
            if agent in shares:
                raise Rejected(_(_TWICE), quoted(cell), name=quoted(agent))
            if isinstance(share, bool) or not isinstance(share, int | float) or share != share:
                told = _("{what}: the contribution of {agent} is not a number")
                raise Rejected(told, quoted(cell), agent=quoted(agent))
            if not 0 <= share <= 1:
                told = _("{what}: the contribution of {agent} is outside 0 to 1")
                raise Rejected(told, quoted(cell), agent=quoted(agent))
            shares[agent] = share
        return shares


def _agent(written: str) -> str:
    agent = normalize("NFC", written.strip())
    if not agent:
        raise Rejected(_("{what} is no name of an agent"), quoted(written))
    if agent in (TEAM, UNATTRIBUTED):
        raise Rejected(_("{what} is no name of an agent: it has a meaning of its own here"), quoted(agent))
    if len(agent) > _LONGEST_NAME:
        raise Rejected(_("{what} has more than {n} characters"), quoted(agent), n=_LONGEST_NAME)
    if not agent.isprintable():
        raise Rejected(_("{what} holds a character that cannot be seen"), quoted(agent))
    return agent


def _read(cell: str) -> Any:
    if len(cell) > _LONGEST:
        raise Rejected(_("{what} has more than {n} characters"), quoted(cell), n=_LONGEST)
    try:
        found = json.loads(cell, object_pairs_hook=partial(_unique, cell))
        written = json.dumps(found, ensure_ascii=False)
        written.encode()  # raises ValueError for half a character
    except (ValueError, RecursionError):
        raise Rejected(_(_NO_JSON), quoted(cell), example=_EXAMPLE) from None
    if "\\u0000" in written.replace("\\\\", ""):
        raise Rejected(_("{what} holds a character that cannot be seen"), quoted(cell))
    return found


def _unique(cell: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        name = next(name for number, (name, _value) in enumerate(pairs) if name in dict(pairs[:number]))
        raise Rejected(_(_TWICE), quoted(cell), name=quoted(name))
    return found
