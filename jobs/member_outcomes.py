"""Outcomes of the members of ensembles as frames for a backtest, so many at a time that memory stays flat."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from pandas import Categorical, DataFrame, Index
from sqlalchemy import Connection, Select, case, func, select

from db.sql_days import day_number
from db.tables.forecasts import PredictionOutcome
from db.tables.operations import BusinessDay
from jobs.formulas.members import Members
from jobs.formulas.outcomes import COLUMNS

CHUNK_ROWS = 500_000
BLOCK_ROWS = 50_000

o = PredictionOutcome


@dataclass
class Chunk:
    """Codes of a set of members, neighbours in the database's order, of one horizon; `rows` outcomes."""

    prefix: str
    horizon: int
    codes: list[str]
    rows: int = 0


def chunks(connection: Connection, members: Members, since: date) -> list[Chunk]:
    """All outcomes of members since a day, by set and horizon; more than CHUNK_ROWS of them are cut between codes."""
    counted = select(o.horizon, o.code, o.model, func.count()).where(
        o.model.in_(members.names), o.day >= since
    )
    found: list[Chunk] = []
    current: dict[str, Chunk] = {}  # by prefix
    grouped = counted.group_by(o.horizon, o.code, o.model).order_by(o.horizon, o.code)
    for horizon, code, model, n in connection.execute(grouped):
        prefix = members.prefix_of(code)
        if model not in members.sets[prefix]:
            continue
        chunk = current.get(prefix)
        fresh = chunk is None or chunk.horizon != horizon
        if chunk is None or fresh or (chunk.codes[-1] != code and chunk.rows >= CHUNK_ROWS):
            chunk = current[prefix] = Chunk(prefix, horizon, [])
            found.append(chunk)
        if chunk.codes[-1:] != [code]:
            chunk.codes.append(code)
        chunk.rows += n
    return found


def outcomes(connection: Connection, chunk: Chunk, members: tuple[str, ...], since: date) -> DataFrame:
    """The outcomes of a chunk: formulas.outcomes.COLUMNS, in the order of the key."""
    wanted = {code: number for number, code in enumerate(chunk.codes)}
    rows = connection.execution_options(yield_per=BLOCK_ROWS).execute(_rows(chunk, members, since))
    blocks = [_block(some, wanted) for some in rows.partitions()]
    if not blocks:  # they went after they were counted
        return DataFrame(columns=list(COLUMNS))
    code, model, *columns = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    frame = dict(
        zip([name for name in COLUMNS if name not in ("code", "model", "horizon")], columns, strict=True)
    )
    return DataFrame(
        {
            "code": code,
            "model": Categorical.from_codes(model, categories=Index(members)),
            "horizon": np.full(len(code), chunk.horizon),
            **frame,
        }
    )


def _rows(chunk: Chunk, members: tuple[str, ...], since: date) -> Select[Any]:
    d = BusinessDay
    made_on = (
        select(day_number(d.day))
        .where(d.starts_at <= o.predicted_at)
        .order_by(d.starts_at.desc())
        .limit(1)
        .correlate(o)
        .scalar_subquery()
    )
    place = case({name: number for number, name in enumerate(members)}, value=o.model)
    days = (made_on, day_number(o.target_date), day_number(o.day))
    rows = select(o.code, place, *days, o.predicted_value, o.actual_value, o.base_value)
    return rows.where(
        o.code.between(chunk.codes[0], chunk.codes[-1]),
        o.model.in_(members),
        o.horizon == chunk.horizon,
        o.day >= since,
    ).order_by(o.code, o.model, o.predicted_at, o.target_date)


def _block(some: Any, wanted: dict[str, int]) -> Iterator[Any]:
    """Rows of the chunk's own codes as arrays; between them may stand codes of other sets."""
    code, model, *days_and_values = zip(*some, strict=True)
    number = np.array([wanted.get(one, -1) for one in code])
    own = number >= 0
    yield number[own]
    yield np.array(model, dtype=np.int16)[own]
    for place, column in enumerate(days_and_values):
        yield np.array(column, dtype=np.int64 if place < 3 else float)[own]
