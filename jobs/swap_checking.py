"""Validates swaps of agents' models when their time has come, and rolls back what made things worse (metrics.md)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

import settings
from db.assignment_lock import lock_assignments
from db.engine import reading, writing
from db.resting import resting_until
from jobs.formulas.swaps import NO_WAY_BACK, REPLACED, ROLLED_BACK, Judged, judge_swap
from jobs.job import Outcome, Parameters, Run
from jobs.swap_evidence import sides
from jobs.swapping import (
    h,
    history,
    is_in_force,
    left_alone,
    settle,
    take_back,
)
from language import _, ngettext


def check(engine: Engine, params: Parameters, run: Run) -> Outcome:
    """Gives each swap whose validation period is over its status; one transaction a swap."""
    with reading(engine) as connection:
        due = _due(connection, run.now)
    told: list[dict[str, Any]] = []
    for done, swap in enumerate(due):
        run.progress(done / len(due), swap.agent_name)
        if params.dry_run:
            with reading(engine) as connection:
                told.append(_told(swap, *_judge(connection, swap, run.now)))
            continue
        with writing(engine) as connection:
            lock_assignments(connection)
            judged, counts = _judge(connection, swap, run.now)
            if settle(connection, swap, judged, counts, run.now):
                told.append(_told(swap, judged, counts))
                if judged.status == ROLLED_BACK:
                    take_back(connection, swap, reason(judged, counts), "automatic", run.now, run.zone)
    return _outcome(told, params.dry_run)


def reason(judged: Judged, counts: tuple[int, int]) -> str:
    """Why a swap was rolled back, for people."""
    return _(
        "Rolled back: the rating fell from {before:.1f} to {after:.1f} ({change:+.0%}; n = {n} / {m})"
    ).format(before=judged.before, after=judged.after, change=judged.change, n=counts[0], m=counts[1])


def _due(connection: Connection, now: datetime) -> list[Row[Any]]:
    """The swaps whose validation period is over, oldest first; those of agents that rest wait."""
    waiting = (
        select(history).where(h.status == "validating", h.rolls_back.is_(None)).order_by(h.timestamp, h.id)
    )
    return [
        swap
        for swap in connection.execute(waiting)
        if swap.timestamp + timedelta(days=swap.validation_period_days) <= now
        and resting_until(connection, swap.agent_name, now) is None
    ]


def _judge(connection: Connection, swap: Row[Any], now: datetime) -> tuple[Judged, tuple[int, int]]:
    """What becomes of it, and how many decisions there are before and after it."""
    before, after = sides(connection, swap)
    guard = settings.current().rollback_guard
    judged = judge_swap(before, after, swap.rollback_threshold, guard, seed=swap.id)
    if not swap.old_model:
        judged = left_alone(judged, NO_WAY_BACK)
    elif not is_in_force(connection, swap):
        judged = left_alone(judged, REPLACED)
    return judged, (len(before), len(after))


def _told(swap: Row[Any], judged: Judged, counts: tuple[int, int]) -> dict[str, Any]:
    number = {
        name: None if value != value else value
        for name, value in (("before", judged.before), ("after", judged.after), ("change", judged.change))
    }
    return {
        "id": swap.id,
        "agent_name": swap.agent_name,
        "old_model": swap.old_model,
        "new_model": swap.new_model,
        "status": judged.status,
        "verdict": judged.verdict,
        "decisions": list(counts),
    } | number


def _outcome(told: list[dict[str, Any]], dry_run: bool) -> Outcome:
    back = [one["agent_name"] for one in told if one["status"] == ROLLED_BACK]
    count = ngettext("{n} swap validated", "{n} swaps validated", len(told))
    rolled = ngettext("{n} rolled back", "{n} rolled back", len(back))
    summary = f"{count}, {rolled}" + (f": {', '.join(back)}" if back else "")
    if not told:
        summary = _("No swap is to be validated.")
    if dry_run:
        summary = _("Dry run. {told}").format(told=summary)
    written = 0 if dry_run else len(told) + 2 * len(back)
    return Outcome(summary, len(told), written, {"swaps": told})
