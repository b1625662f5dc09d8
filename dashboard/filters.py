"""Period and pickers, kept in the URL; the only user of session_state and query_params."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Literal

import streamlit as st

from dashboard.wording import plain
from db.clock import week_start
from db.metrics import METRICS
from language import N_, _

PRESETS = {
    "7d": N_("Last 7 days"),
    "30d": N_("Last 30 days"),
    "90d": N_("Last 90 days"),
    "12w": N_("Last 12 weeks"),
    "26w": N_("Last 26 weeks"),
    "1y": N_("Last year"),
    "all": N_("All data"),
}
DEFAULT_PRESET = "12w"
CHOICES = ("period", "models", "metric", "view")
HIGHLIGHTS = 4
NOTHING = "-"  # in the address: nothing at all is chosen
Grain = Literal["day", "week"]
FEW = 12  # up to so many models are pills; more are searched


@dataclass(frozen=True)
class Period:
    """The days that a page shows, and whether by day or by ISO week."""

    first: date
    last: date
    grain: Grain

    @property
    def span(self) -> tuple[date, date]:
        return self.first, self.last

    @property
    def before(self) -> "Period":
        """The equally long period that ends where this one begins; whole weeks before weeks."""
        days = (self.last - self.first).days + 1
        if self.grain == "week":
            days = -(-days // 7) * 7
        return Period(self.first - timedelta(days=days), self.first - timedelta(days=1), self.grain)


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def follow_url(page: str) -> None:
    """Takes the choices from the address of a new tab, a link or the back button; first thing of each run.

    Streamlit's own binding writes the options as they are displayed, so that a link would work in one language
    only; and without it a page switch empties the address. So the choices are kept here, and put back.
    """
    kept: dict[str, list[str]] = st.session_state.setdefault("_kept", {})
    asked = {name: st.query_params.get_all(name) for name in st.query_params}
    moved = st.session_state.get("_page") != page
    if asked != st.session_state.get("_written", {}) and (asked or not moved):
        if not moved:
            kept.clear()
        kept.update(asked)
        for name in CHOICES:
            st.session_state.pop(name, None)
    st.session_state["_page"] = page
    _write_url(kept)


def _write_url(kept: dict[str, list[str]]) -> None:
    if {name: st.query_params.get_all(name) for name in st.query_params} != kept:
        st.query_params.from_dict(kept)
    st.session_state["_written"] = {name: list(values) for name, values in kept.items()}


def _settle(name: str, options: list[str], default: list[str]) -> list[str]:
    """What a picker shows: what a person chose, now or by the address, else the default of this moment."""
    kept: dict[str, list[str]] = st.session_state["_kept"]
    offered: dict[str, list[str]] = st.session_state.setdefault("_offered", {})
    if name in st.session_state:
        held = st.session_state[name]
        chosen = [held] if isinstance(held, str) else list(held or [])
        if chosen == default:
            kept.pop(name, None)
        elif chosen != offered.get(name):  # a person changed it since it was offered
            kept[name] = chosen or [NOTHING]
    wanted = kept.get(name, default)
    known = [value for value in wanted if value in options]
    value = [] if wanted == [NOTHING] else known or default
    offered[name] = value
    _write_url(kept)
    return value


def _one(name: str, options: list[str], default: str, show: Callable[..., str | None]) -> str:
    """A picker of one of several, whose choice is in the address."""
    chosen = _settle(name, options, [default])[0]
    st.session_state[name] = chosen
    show(options=options, key=name)
    return chosen


def period_picker() -> None:
    """The sidebar's choice of period, for all pages."""
    show = partial(st.selectbox, _("Period"), format_func=lambda preset: _(PRESETS[preset]))
    _one("period", list(PRESETS), DEFAULT_PRESET, show)


def period(newest: date, oldest: date) -> Period:
    """The days of the chosen period; presets stay relative and end at the newest day with data."""
    preset: str = st.session_state.get("period") or DEFAULT_PRESET
    number = int(preset[:-1]) if preset[:-1].isdigit() else 0
    if preset.endswith("d"):
        first = newest - timedelta(days=number - 1)
        return Period(first, newest, "day") if number <= 31 else Period(week_start(first), newest, "week")
    if preset.endswith("w"):
        return Period(week_start(newest) - timedelta(weeks=number - 1), newest, "week")
    first = oldest if preset == "all" else newest - timedelta(days=364)
    return (
        Period(week_start(first), newest, "week")
        if (newest - first).days > 31
        else Period(first, newest, "day")
    )


def metric(names: list[str]) -> str:
    """The metric that the trend shows."""
    show = partial(
        st.selectbox,
        _("Metric"),
        format_func=lambda name: _(METRICS[name].label),
        label_visibility="collapsed",
        width=190,
    )
    return _one("metric", names, names[0], show)


def view() -> str:
    """All highlighted models in one chart, or a small chart for each model."""
    options = {"highlighted": _("Highlighted"), "all": _("All")}
    show = partial(
        st.segmented_control,
        _("View"),
        required=True,
        format_func=options.__getitem__,
        label_visibility="collapsed",
    )
    return _one("view", list(options), "highlighted", show)


def highlighted(models: list[str], default: list[str]) -> list[str]:
    """At most four models in colour: pills for a few, a search for many."""
    chosen = _settle("models", models, default)[:HIGHLIGHTS]
    st.session_state["models"] = chosen
    if len(models) <= FEW:
        st.pills(
            _("Highlighted models"),
            models,
            selection_mode="multi",
            format_func=plain,
            key="models",
            label_visibility="collapsed",
        )
    else:
        st.multiselect(
            _("Highlighted models"),
            models,
            key="models",
            max_selections=HIGHLIGHTS,
            placeholder=_("Search among {n} models").format(n=len(models)),
            label_visibility="collapsed",
        )
    return chosen


def picked_point(event: Any) -> tuple[str, date] | None:
    """The model and period of the chart point that was clicked."""
    points = event["selection"].get("point") or []
    if not points or "subject" not in points[0]:
        return None
    return points[0]["subject"], _day(points[0]["period"])


def _day(value: Any) -> date:
    if isinstance(value, int | float):  # Vega gives dates as UTC milliseconds
        return date(1970, 1, 1) + timedelta(milliseconds=value)
    return date.fromisoformat(str(value)[:10])


def picked_row(event: Any) -> int | None:
    """The position of the table row that was selected."""
    rows = event["selection"]["rows"]
    return rows[0] if rows else None


def remember(name: str, value: Any) -> None:
    """Keeps something for this browser session, apart from the pickers."""
    st.session_state[f"_{name}"] = value


def remembered(name: str, default: Any = None) -> Any:
    """What `remember` kept."""
    return st.session_state.get(f"_{name}", default)
