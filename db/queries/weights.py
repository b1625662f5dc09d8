"""What pages and the digest ask of ensemble weights: in force, over time, the ledger by run, the rules' backtest."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, case, func, select

from db.queries.frames import frame
from db.tables.forecasts import EnsembleWeight, EnsembleWeightHistory, WeightBacktest
from db.tables.operations import JobRun
from db.weight_ledger import changed, later_change, runs, undone
from jobs.formulas.weight_names import SKIPPED_INSUFFICIENT, SKIPPED_MISSING_MODEL, UNDONE, UPDATED

w, h, b = EnsembleWeight, EnsembleWeightHistory, WeightBacktest
OF_DECISION = (h.before, h.after, h.hit_rate, h.sample_count, h.action, h.reason)
BACKTEST = ["run_id", "prefix", "rule", "horizon", "week_start", "loss", "hit_rate", "n"]
MAY_BE_MISSING = ("relative", "hit_rate", "statistic", "p")  # all of them where the dates are too few
COMPARISON = [
    "prefix",
    "rule",
    "horizon",
    "loss",
    "relative",
    "hit_rate",
    "n",
    "dates",
    "statistic",
    "p",
    "present",
]


def weights_in_force(
    connection: Connection, code: str | None = None, horizon: int | None = None
) -> pd.DataFrame:
    """The weights as readers have them: the columns of the table. Where a group has no rows its weights are those of
    the start (weight_names.starting_weights)."""
    rows = select(w.__table__).order_by(w.code, w.horizon, w.model)
    rows = rows if code is None else rows.where(w.code == code)
    return frame(connection, rows if horizon is None else rows.where(w.horizon == horizon))


def weights_history(connection: Connection, code: str, horizon: int) -> pd.DataFrame:
    """Every decision on a group, oldest first: run_id, decided_at, as_of, rule, model, before, after, hit_rate,
    sample_count, action, reason, undoes."""
    rows = select(h.run_id, h.decided_at, h.as_of, h.rule, h.model, *OF_DECISION, h.undoes)
    rows = rows.where(h.code == code, h.horizon == horizon)
    return frame(connection, rows.order_by(h.decided_at, h.run_id, h.model))


def decisions(connection: Connection, run_id: int) -> pd.DataFrame:
    """Every decision of a run: code, horizon, model, before, after, hit_rate, sample_count, action, reason, as_of,
    rule, undoes."""
    rows = select(h.code, h.horizon, h.model, *OF_DECISION, h.as_of, h.rule, h.undoes)
    return frame(connection, rows.where(h.run_id == run_id).order_by(h.code, h.horizon, h.model))


def ledger(connection: Connection, limit: int = 20) -> pd.DataFrame:
    """The newest runs that decided on weights, newest first, one row each.

    run_id, decided_at, as_of, rule; adjusted, skipped, missing, undone (groups); largest_move (signed, among weights
    that were in force before and after; NaN without any) and whose it is (code, horizon, model); trigger,
    triggered_by (null where the run is no longer on record); undoes, undone_by (runs); can_undo.
    """
    every = runs(connection)
    back, ids = undone(every), [run.run_id for run in every[:limit]]
    found = frame(connection, _by_run(ids))
    moves = frame(connection, _largest(ids)).drop_duplicates("run_id").astype({"horizon": "Int64"})
    found = found.merge(moves, on="run_id", how="left").set_index("run_id").loc[ids].reset_index()
    can = [
        bool(moved)
        and run.undoes is None
        and run.run_id not in back
        and later_change(connection, run.run_id, every) is None
        for run, moved in zip(every[:limit], found["moved"], strict=True)
    ]
    return found.drop(columns="moved").assign(
        undoes=pd.array([run.undoes for run in every[:limit]], dtype="Int64"),
        undone_by=pd.array([back.get(run_id) for run_id in ids], dtype="Int64"),
        can_undo=can,
    )


def _by_run(ids: list[int]) -> Select[*tuple[Any, ...]]:
    """One row a run, from one a group."""
    groups = (
        select(
            h.run_id,
            *(func.min(column, type_=column.type).label(column.key) for column in (h.decided_at, h.as_of)),
            func.min(h.rule).label("rule"),
            *(_any(h.action == name).label(name) for name in _GROUPS.values()),
            _any(changed()).label("moved"),
        )
        .where(h.run_id.in_(ids))
        .group_by(h.run_id, h.code, h.horizon)
        .subquery()
    )
    g = groups.c
    counts = [func.sum(g[action]).label(name) for name, action in _GROUPS.items()]
    same = [func.min(g[name], type_=g[name].type).label(name) for name in ("decided_at", "as_of", "rule")]
    rows = select(g.run_id, *same, *counts, func.max(g.moved).label("moved"))
    rows = rows.add_columns(func.min(JobRun.trigger).label("trigger"))
    rows = rows.add_columns(func.min(JobRun.triggered_by).label("triggered_by"))
    return rows.join_from(groups, JobRun, JobRun.id == g.run_id, isouter=True).group_by(g.run_id)


_GROUPS = {
    "adjusted": UPDATED,
    "skipped": SKIPPED_INSUFFICIENT,
    "missing": SKIPPED_MISSING_MODEL,
    "undone": UNDONE,
}


def _any(condition: Any) -> Any:
    return func.max(case((condition, 1), else_=0))


def _largest(ids: list[int]) -> Select[*tuple[Any, ...]]:
    """The decisions of each run whose weight moved most."""
    move = func.abs(h.after - h.before)
    of_run = (
        select(h.run_id, func.max(move).label("most")).where(h.run_id.in_(ids)).group_by(h.run_id).subquery()
    )
    rows = select(h.run_id, (h.after - h.before).label("largest_move"), h.code, h.horizon, h.model)
    rows = rows.join(of_run, (of_run.c.run_id == h.run_id) & (of_run.c.most == move)).where(move > 0)
    return rows.order_by(h.run_id, h.code, h.horizon, h.model)


def backtest(connection: Connection) -> pd.DataFrame:
    """What the rules would have come to week by week, from the newest run of backtest_rules: BACKTEST.

    `prefix` is that of a set of members, '' for codes that have none of their own; `rule` a rule, best_member, or
    only: and a member's name.
    """
    newest = select(func.max(b.run_id)).scalar_subquery()
    rows = select(*(getattr(b, name) for name in BACKTEST)).where(b.run_id == newest)
    return frame(connection, rows.order_by(b.prefix, b.horizon, b.rule, b.week_start))


def comparison(connection: Connection) -> pd.DataFrame:
    """The rules of that run against `present`, the one that was in use then, over all its weeks: COMPARISON."""
    newest = select(func.max(b.run_id)).scalar_subquery()
    result = connection.scalar(select(JobRun.result).where(JobRun.id == newest))
    result = result or {}
    found = pd.DataFrame(result.get("comparison", []), columns=COMPARISON)
    found = found.assign(present=result.get("present"))
    return found.astype(dict.fromkeys(MAY_BE_MISSING, float))
