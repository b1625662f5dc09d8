"""Decisions on weights into the database: the weights in force and the ledger; and what a run tells of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select

from db.tables.forecasts import EnsembleWeight, EnsembleWeightHistory
from db.upsert import upsert_rows
from jobs.formulas.weight_names import REMOVED, SKIPPED_INSUFFICIENT, SKIPPED_MISSING_MODEL, UPDATED
from jobs.weighing import Decision
from language import _, ngettext

KEY = ("code", "horizon", "model")
weights: Table = EnsembleWeight.__table__  # type: ignore[assignment]
ledger: Table = EnsembleWeightHistory.__table__  # type: ignore[assignment]
_TAKE_OUT = delete(weights).where(*(weights.c[name] == bindparam(f"of_{name}") for name in KEY))


def write_decisions(
    connection: Connection, decided: Sequence[Decision], run_id: int, as_of: date, rule: str, now: datetime
) -> int:
    """All of a run's decisions; returns how many rows were written."""
    put = [_in_force(one, as_of, rule, now) for one in decided if one.action == UPDATED]
    gone = [one[:3] for one in decided if one.before is not None and one.after is None]
    upsert_rows(connection, weights, KEY, put)
    take_out(connection, gone)
    of_run = {"run_id": run_id, "as_of": as_of, "rule": rule, "decided_at": now}
    write_ledger(connection, [one._asdict() | of_run for one in decided])
    return len(put) + len(gone) + len(decided)


def _in_force(one: Decision, as_of: date, rule: str, now: datetime) -> dict[str, Any]:
    measured = {"weight": one.after, "hit_rate": one.hit_rate, "sample_count": one.sample_count}
    return dict(zip(KEY, one[:3], strict=True)) | measured | {"as_of": as_of, "rule": rule, "updated_at": now}


def take_out(connection: Connection, keys: Iterable[Sequence[Any]]) -> None:
    """Removes the weights of some (code, horizon, model)."""
    rows = [dict(zip((f"of_{name}" for name in KEY), key, strict=True)) for key in keys]
    if rows:
        connection.execute(_TAKE_OUT, rows)


def write_ledger(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(ledger), rows)


def has_decided(connection: Connection, run_id: int) -> bool:
    """Whether a run's decisions are written: an attempt before this one may have been killed after that."""
    return connection.scalar(select(ledger.c.run_id).where(ledger.c.run_id == run_id).limit(1)) is not None


def actions_of(connection: Connection, run_id: int) -> dict[str, int]:
    """How many groups of a run there are by action."""
    mine = select(ledger.c.code, ledger.c.horizon, ledger.c.action).where(ledger.c.run_id == run_id)
    return counted(connection.execute(mine.distinct()).all())


def counted(decided: Iterable[Any]) -> dict[str, int]:
    """How many groups there are by action; a model that is no member any more makes none."""
    groups = {(one.code, one.horizon): one.action for one in decided if one.action != REMOVED}
    return dict(Counter(groups.values()))


def told(counts: dict[str, int]) -> str:
    """12 groups: 9 adjusted, 2 too little data, 1 missing a model."""
    groups = ngettext("{n} group", "{n} groups", sum(counts.values()))
    patterns = {
        UPDATED: _("{n} adjusted"),
        SKIPPED_INSUFFICIENT: _("{n} too little data"),
        SKIPPED_MISSING_MODEL: _("{n} missing a model"),
    }
    parts = [pattern.format(n=f"{counts[name]:,}") for name, pattern in patterns.items() if counts.get(name)]
    return _("{groups}: {parts}").format(groups=groups, parts=", ".join(parts))
