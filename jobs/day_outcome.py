"""What an aggregation by day tells of its run."""

from collections.abc import Sized
from typing import Any

from jobs.changes import Changes
from jobs.job import Outcome
from language import _, ngettext


def outcome_of_days(days: Sized, read: int, written: int, changes: Changes | None) -> Outcome:
    """How many days were computed and rows changed; with `changes`, what a rehearsal would change."""
    told = ngettext("{n} day", "{n} days", len(days))
    result: dict[str, Any] = {"days": len(days)}
    if changes is not None:
        summary = _("Dry run. {told}").format(told=f"{told}: {changes.summary()}")
        return Outcome(summary, read, result=result | changes.as_json())
    changed = ngettext("{n} row changed", "{n} rows changed", written)
    return Outcome(_("{covered}: {told}").format(covered=told, told=changed), read, written, result)
