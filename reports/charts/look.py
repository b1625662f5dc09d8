"""What the charts of one metric on one page have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import altair as alt

from reports.charts.text import Grain, Show, number
from reports.charts.theme import Palette, palette


@dataclass(frozen=True)
class Look:
    """Mode, colours, unit and bounds of the values, how a value is written, and the time shown.

    `subjects` are all that there are, oldest first: their order gives each its colour, for good.
    `span` keeps the time axis on the period asked for where the data begin later or end earlier.
    """

    dark: bool
    subjects: Sequence[str] = ()
    highlighted: Sequence[str] = ()
    unit: str = ""
    low: float | None = None
    high: float | None = None
    show: Show = number
    grain: Grain = "week"
    span: tuple[date, date] | None = None
    title: str = ""

    @property
    def palette(self) -> Palette:
        return palette(self.dark)

    def colour(self, shown: Sequence[str]) -> alt.Color:
        """The colour of each of those shown; all layers of a chart need the same."""
        category, slots = self.palette.category, slots_of(self.subjects, self.highlighted)
        colours = [category[slots.get(name, 0) % len(category)] for name in shown]
        return alt.Color("subject:N", scale=alt.Scale(domain=list(shown), range=colours), legend=None)


def slots_of(subjects: Sequence[str], highlighted: Sequence[str], count: int = 8) -> dict[str, int]:
    """The place in the palette of each subject: that of its age, so that a new subject moves no old one.

    Where more subjects than colours make two of the highlighted fall on one, the older keeps it and the younger
    takes the next that no highlighted one has; as long as every chart of a page gets the same highlighted,
    a subject has one colour on all of the page.
    """
    slots = {name: k % count for k, name in enumerate(subjects)}
    taken: set[int] = set()
    younger = []
    for name in (name for name in subjects if name in set(highlighted)):
        if slots[name] in taken:
            younger.append(name)
        taken.add(slots[name])
    for name in younger:
        free = ((slots[name] + k) % count for k in range(count))
        slots[name] = next((slot for slot in free if slot not in taken), slots[name])
        taken.add(slots[name])
    return slots
