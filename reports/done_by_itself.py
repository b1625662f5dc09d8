"""What the system did by itself in the week before a digest."""

from datetime import timedelta

from db.queries import operations, restatements, swaps, weight_moves
from language import _, ngettext
from reports.blocks import Block, Span, Text
from reports.context import Context


def done_by_itself(context: Context) -> list[Block]:
    """Runs that changed something, weights that were moved, figures that were restated; nothing where nothing was."""
    since = context.now - timedelta(days=7)
    runs, rows = operations.scheduled_work(context.connection, since, context.now)
    figures = restatements.counted(context.connection, since, context.now)
    told = []
    if runs:
        ran = ngettext("{n} scheduled run", "{n} scheduled runs", runs)
        changed = ngettext("changed {n} row", "changed {n} rows", rows)
        told.append(_("{runs} {changed}").format(runs=ran, changed=changed))
    moved = weight_moves.by_schedule(context.connection, since, context.now)
    if moved:
        told.append(ngettext("moved {n} weight", "moved {n} weights", moved))
    if swapped := swaps.settled_by_itself(context.connection, since, context.now):
        told.append(ngettext("validated {n} swap", "validated {n} swaps", swapped["validated"]))
        if back := swapped["rolled_back"]:
            told.append(ngettext("rolled {n} swap back", "rolled {n} swaps back", back))
    if figures:
        told.append(ngettext("restated {n} older figure", "restated {n} older figures", figures))
    if not told:
        return []
    return [Text([[Span(_("Done by itself:"), bold=True), " ", "; ".join(told), "."]])]
