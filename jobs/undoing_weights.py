"""An adjustment of weights taken back: each weight that it changed is what it was before, and the ledger says so."""

from typing import Any

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.orm import aliased

from db.engine import raise_data_version, reading
from db.tables.forecasts import EnsembleWeightHistory
from db.upsert import upsert_rows
from db.weight_ledger import changed, standing, undoable
from jobs.adjusting import LOCK, as_changes
from jobs.formulas.weight_names import TAKEN_BACK, UNDONE, UPDATED
from jobs.job import Outcome, Run
from jobs.ledger_rows import KEY, actions_of, counted, has_decided, take_out, weights, write_ledger
from jobs.queue import one_at_a_time
from jobs.weighing import Decision, in_force
from language import _, ngettext

h = EnsembleWeightHistory


def undo(engine: Engine, undone: int, dry_run: bool, run: Run) -> Outcome:
    """Takes a run back, or with dry_run says what would change. Raises Refused where it cannot be."""
    run.progress(0, _("run {id}").format(id=undone))
    if dry_run:
        with reading(engine) as connection:
            decided = _decisions(connection, undoable(connection, undone))
        summary = _("Dry run. {told}").format(told=_told(undone, counted(decided)))
        return Outcome(summary, len(decided), 0, {"undoes": undone} | as_changes(decided))
    if run.id is None:
        raise ValueError("the ledger names the run of each decision")
    with engine.begin() as connection:
        one_at_a_time(connection, LOCK)
        if has_decided(connection, run.id):  # by an attempt before this one
            return Outcome(_told(undone, actions_of(connection, run.id)), result={"undoes": undone})
        decided = _undo(connection, undone, run.id, run)
        raise_data_version(connection)
    told = _told(undone, counted(decided))
    return Outcome(told, len(decided), 2 * len(decided), {"undoes": undone})


def _undo(connection: Connection, undone: int, run_id: int, run: Run) -> list[Decision]:
    row = undoable(connection, undone)
    decided = _decisions(connection, row)
    sources = _sources(connection, row)
    back = [_in_force(one, sources.get(one[:3]), row) | {"updated_at": run.now} for one in decided]
    upsert_rows(connection, weights, KEY, [one for one in back if one["weight"] is not None])
    take_out(connection, [one[:3] for one in decided if one.after is None])
    of_run = {"run_id": run_id, "as_of": row.as_of, "rule": row.rule, "decided_at": run.now, "undoes": undone}
    write_ledger(connection, [one._asdict() | of_run for one in decided])
    return decided


def _decisions(connection: Connection, row: Any) -> list[Decision]:
    """From the weights that are in force now to those from before the run."""
    held = in_force(connection)
    mine = select(h.code, h.horizon, h.model, h.before, h.hit_rate, h.sample_count)
    mine = mine.where(h.run_id == row.run_id, changed()).order_by(h.code, h.horizon, h.model)
    return [
        Decision(
            *one[:3],
            held.get((one.code, one.horizon), {}).get(one.model),
            one.before,
            one.hit_rate,
            one.sample_count,
            UNDONE,
            TAKEN_BACK,
        )
        for one in connection.execute(mine)
    ]


def _sources(connection: Connection, row: Any) -> dict[Any, Any]:
    """The adjustments that the weights from before came from, by code, horizon and model."""
    mine = aliased(h)
    newest = func.row_number().over(
        partition_by=(h.code, h.horizon, h.model), order_by=(h.decided_at.desc(), h.run_id.desc())
    )
    before = (
        select(h.code, h.horizon, h.model, h.hit_rate, h.sample_count, h.as_of, h.rule, newest.label("place"))
        .join(mine, (mine.code == h.code) & (mine.horizon == h.horizon) & (mine.model == h.model))
        .where(mine.run_id == row.run_id, changed(mine))
        .where(h.decided_at <= row.decided_at, h.run_id != row.run_id, h.action == UPDATED, standing(h))
        .subquery()
    )
    rows = connection.execute(select(before).where(before.c.place == 1))
    return {tuple(one[:3]): one for one in rows}


def _in_force(one: Decision, source: Any, row: Any) -> dict[str, Any]:
    """A row of the weights as it was; where no adjustment made it, it has nothing that it was measured by."""
    measured = (row.as_of, row.rule, None, 0)
    if source is not None:
        measured = (source.as_of, source.rule, source.hit_rate, source.sample_count)
    names = (*KEY, "weight", "as_of", "rule", "hit_rate", "sample_count")
    return dict(zip(names, (*one[:3], one.after, *measured), strict=True))


def _told(undone: int, counts: dict[str, int]) -> str:
    groups = ngettext("{n} group", "{n} groups", sum(counts.values()))
    return _("Run {id} undone: the weights of {groups} are what they were before it").format(
        id=undone, groups=groups
    )
