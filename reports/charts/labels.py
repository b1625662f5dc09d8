"""Places for texts: names at the ends of lines, events in lanes above the plot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from reports.charts.text import day_name, text_width

GLYPHS = {
    "swap": "◆",
    "weights": "▲",
    "restated": "↻",
    "missing": "▒",
    "note": "●",
    "undone": "↶",
    "skipped": "✕",
}
LANES = 3
LANE_HEIGHT = 15
EVENT_SIZE = 11.5
# The plot of a card on a wide screen, and the least on which words are shown at all, in pixels.
PLOT_WIDTH = 900
NARROWEST = 400
# Glyphs that stand nearer to each other are one mark; and what a plot on a phone has room for.
NEAR = 14
PHONE_WIDTH = 220


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions as near as can be to those wanted, at least `gap` apart; in the order given.

    Subtracting k gaps from the k-th turns it into a monotone fit, which pooling neighbours solves exactly.
    """
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    pools: list[list[float]] = []
    for k, index in enumerate(order):
        pools.append([wanted[index] - k * gap])
        while len(pools) > 1 and _mean(pools[-2]) > _mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    fitted = [_mean(pool) for pool in pools for _ in pool]
    ceiling = max(low, high - (len(order) - 1) * gap)
    placed = [0.0] * len(order)
    for k, index in enumerate(order):
        placed[index] = min(max(fitted[k], low), ceiling) + k * gap
    return placed


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


@dataclass
class Event:
    """One mark in time, `at` between 0 (first) and 1 (last). Without a lane its words are in the tooltip only."""

    day: date
    kind: str
    label: str
    at: float
    lane: int | None = None
    flip: bool = False
    glyph_only: bool = False
    needs: int = PLOT_WIDTH  # the narrowest plot that has room for the label
    crowded: bool = False  # on a phone its glyph would lie on another's
    more: list[str] = field(default_factory=list)  # marks of neighbours that this one stands for

    @property
    def glyph(self) -> str:
        return GLYPHS.get(self.kind, GLYPHS["note"])

    @property
    def mark(self) -> str:
        return " · ".join([f"{self.glyph} {self.label}".strip(), *self.more])

    def span(self, flip: bool, width: int) -> tuple[float, float]:
        """From and to, in pixels, without the rule itself."""
        words = 0.0 if self.glyph_only else text_width(self.label, EVENT_SIZE) + 6
        x, length = self.at * width, 18 + words
        return (x - length, x - 1) if flip else (x + 1, x + length)


def fits(event: Event, lane: int, flip: bool, others: Sequence[Event], width: int) -> bool:
    """Whether the text touches no other text and no rule; rules run down through the lanes below their own."""
    start, end = event.span(flip, width)
    if start < 0 or end > width:
        return False
    for other in others:
        other_start, other_end = other.span(other.flip, width)
        level = (other.lane or 0) - lane
        touches = level == 0 and start < other_end and other_start < end
        cut_by_rule = level < 0 and start < other.at * width < end
        cuts_text = level > 0 and other_start < event.at * width < other_end
        if touches or cut_by_rule or cuts_text:
            return False
    return True


def _place(event: Event, near_edge: bool, placed: list[Event]) -> None:
    """The first lane with room, for the words or at least for the glyph; near the right edge left of its rule."""
    for event.glyph_only in (False, True):
        for flip in (near_edge, not near_edge):
            for lane in range(LANES):
                if fits(event, lane, flip, placed, PLOT_WIDTH):
                    event.lane, event.flip = lane, flip
                    placed.append(event)
                    return


def lay_out(events: pd.DataFrame | None, first: date, last: date) -> list[Event]:
    """The events between first and last, each in the first lane where its text touches nothing."""
    if events is None or events.empty:
        return []
    days = max((last - first).days, 1)
    rows = zip(pd.to_datetime(events["period"]).dt.date, events["kind"], events["label"], strict=True)
    found = [
        Event(day, kind, label, (day - first).days / days)
        for day, kind, label in rows
        if first <= day <= last
    ]
    found.sort(key=lambda event: event.day)
    edge = {id(event): event.span(False, PLOT_WIDTH)[1] > PLOT_WIDTH for event in found}
    placed: list[Event] = []
    # From the outside in on both sides, so that a rule runs down outside the texts placed after it.
    for event in sorted(
        found, key=lambda event: (edge[id(event)], event.at * (-1 if edge[id(event)] else 1))
    ):
        _place(event, edge[id(event)], placed)
    for event in placed:
        event.needs = _narrowest(event, [other for other in placed if other is not event])
    return _crowds(_merged(found))


def _merged(events: list[Event]) -> list[Event]:
    """Without the marks that have no words and stand beside another such one, which tells of both."""
    kept: list[Event] = []
    place = -1  # of the last wordless one
    for event in events:
        wordless = event.glyph_only or event.lane is None
        if wordless and place >= 0 and (event.at - kept[place].at) * PLOT_WIDTH < NEAR:
            kept[place] = _both(kept[place], event)
            continue
        kept.append(event)
        place = len(kept) - 1 if wordless else place
    return kept


def _both(one: Event, other: Event) -> Event:
    """The one of two marks that has a place for its glyph, telling of the other."""
    shown, gone = (other, one) if one.lane is None and other.lane is not None else (one, other)
    when = f" ({day_name(gone.day)})" if gone.day != shown.day else ""
    shown.more.append(f"{gone.mark}{when}")
    return shown


def _crowds(events: list[Event]) -> list[Event]:
    """Marks the events whose glyphs a phone has no room for: only their rule is there."""
    reached = -1.0
    for event in events:
        event.crowded = (event.at - reached) * PHONE_WIDTH < NEAR
        reached = reached if event.crowded else event.at
    return events


def _narrowest(event: Event, others: list[Event]) -> int:
    width = PLOT_WIDTH
    while width > NARROWEST and fits(event, event.lane or 0, event.flip, others, width - 20):
        width -= 20
    return width
