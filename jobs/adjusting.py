"""A run of adjust_weights: the window is read before anybody waits, then all of it is written in one transaction."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine

from db.engine import raise_data_version, reading
from db.weight_words import REASONS
from jobs.changes import TOLD
from jobs.formulas.weight_names import SKIPPED_INSUFFICIENT, SKIPPED_MISSING_MODEL, UPDATED, starting_weights
from jobs.job import Outcome, Run
from jobs.ledger_rows import actions_of, counted, has_decided, told, write_decisions
from jobs.queue import one_at_a_time
from jobs.same_demo import demo_of, pass_if_changed
from jobs.weighing import Decision, Group, Weighed, decisions, in_force, plan, weigh
from jobs.window_figures import Window, held_figures, hold, let_go, pairs, window, write_performance
from language import _
from settings import Settings

LOCK = "ensemble_weights"


def adjust(engine: Engine, settings: Settings, as_of: date, dry_run: bool, run: Run) -> Outcome:
    """Decides with the outcomes of the window that ends on `as_of`; with dry_run says what it would decide."""
    days = window(as_of)
    run.progress(0, _("reading the outcomes of {first} – {last}").format(first=days.first, last=days.last))
    if dry_run:
        with reading(engine) as connection:
            decided = plan(connection, settings, as_of)
        return _rehearsed(decided, settings, as_of)
    with engine.connect() as connection:
        with connection.execution_options(readonly=True).begin():
            demo, read = demo_of(connection), hold(connection, days)
            weighed = _weighed(connection, settings, days)
        run.progress(0.7, _("writing the weights"))
        with connection.execution_options(readonly=False).begin():
            one_at_a_time(connection, LOCK)
            pass_if_changed(connection, demo)
            counts, written = _write(connection, settings, as_of, weighed, run)
            let_go(connection)
            raise_data_version(connection)
    return _outcome(counts, days, settings, read, written)


def _weighed(connection: Connection, settings: Settings, days: Window) -> list[Weighed]:
    members = settings.ensemble_members
    rows = connection.execute(held_figures(members.names)).all()
    return weigh(
        rows, members, settings.weight_rule, lambda *two: connection.execute(pairs(days, *two)).all()
    )


def _write(
    connection: Connection, settings: Settings, as_of: date, weighed: list[Weighed], run: Run
) -> tuple[dict[str, int], int]:
    """Groups by action, and rows written. Weights in force are read here, so that what the ledger says of before is
    what they are replaced from, whoever came in between; a run that has written them already writes nothing."""
    if run.id is None:
        raise ValueError("the ledger names the run of each decision")
    if has_decided(connection, run.id):
        return actions_of(connection, run.id), 0
    decided = decisions(weighed, in_force(connection))
    written = write_performance(connection, as_of, run.now)
    written += write_decisions(connection, decided, run.id, as_of, settings.weight_rule, run.now)
    return counted(decided), written


def _outcome(counts: dict[str, int], days: Window, settings: Settings, read: int, written: int) -> Outcome:
    return Outcome(_summary(counts, days), read, written, _result(counts, days, settings))


def _summary(counts: dict[str, int], days: Window) -> str:
    if not counts:
        nothing = _("No member of an ensemble had an outcome from {first} to {last}.")
        return nothing.format(first=days.first, last=days.last)
    return told(counts)


def _result(counts: dict[str, int], days: Window, settings: Settings) -> dict[str, Any]:
    names = {"adjusted": UPDATED, "skipped": SKIPPED_INSUFFICIENT, "missing": SKIPPED_MISSING_MODEL}
    groups = {name: counts.get(action, 0) for name, action in names.items()}
    return {"as_of": str(days.last), "rule": settings.weight_rule, "groups": sum(counts.values())} | groups


def _rehearsed(decided: Sequence[Decision], settings: Settings, as_of: date) -> Outcome:
    counts, days = counted(decided), window(as_of)
    summary = _("Dry run. {told}").format(told=_summary(counts, days))
    rows = sum(one.sample_count for one in decided)
    return Outcome(summary, rows, 0, _result(counts, days, settings) | as_changes(decided))


def as_changes(decided: Sequence[Decision]) -> dict[str, Any]:
    """As other jobs tell what they would change, with the reason in words; the groups that move most come first.

    A weight that is not there is told as what readers have without it; where nothing moves both values are the same.
    """
    groups: dict[Group, list[Decision]] = {}
    for one in decided:
        groups.setdefault((one.code, one.horizon), []).append(one)
    moves = [_moves(group) for group in groups.values()]
    moves.sort(key=lambda rows: -max(abs((new or 0) - (old or 0)) for _one, old, new in rows))
    every = [(one, old, new) for rows in moves for one, old, new in rows]
    changed = sum(old != new for _one, old, new in every)
    listed = [_listed(*row) for row in every[:TOLD]]
    counts = {"added": 0, "removed": 0, "changed": changed, "unchanged": len(every) - changed}
    return counts | {"changes": listed, "more": len(every) - len(listed)}


def _moves(group: Sequence[Decision]) -> list[tuple[Decision, float | None, float | None]]:
    """Each decision with the weights before and after as readers have them."""
    members = tuple(one.model for one in group if one.action not in ("removed",))
    start = dict(zip(members, starting_weights(members), strict=True))
    none_before = all(one.before is None for one in group)
    none_after = all(one.after is None for one in group)
    return [
        (
            one,
            start.get(one.model) if none_before else one.before,
            start.get(one.model) if none_after else one.after,
        )
        for one in group
    ]


def _listed(one: Decision, old: float | None, new: float | None) -> dict[str, Any]:
    key = {"code": one.code, "horizon": one.horizon, "model": one.model, "reason": _(REASONS[one.reason])}
    values = [None if value is None else round(value, 6) for value in (old, new)]
    return key | {"change": "changed", "columns": {"weight": values}}
