"""The choices that a page offers beside the period; each is kept in the address."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from dashboard import filters
from dashboard.wording import plain
from db.metrics import METRICS
from language import _

HIGHLIGHTS = 4
FEW_CODES = 8  # or horizons
FEW = 12  # up to so many models are pills; more are searched


def metric(names: list[str], name: str = "metric") -> str:
    """The metric that a trend shows; `name` is what the address calls the choice."""
    return figure(name, {one: _(METRICS[one].label) for one in names})


def figure(name: str, labels: dict[str, str]) -> str:
    """One of several figures, by their labels; the first by default. `name` is what the address calls the choice."""
    show = partial(
        st.selectbox, _("Figure"), format_func=labels.__getitem__, label_visibility="collapsed", width=210
    )
    return filters.one_of(name, list(labels), next(iter(labels)), show)


def by(names: dict[str, str], name: str = "by") -> str:
    """What figures are split by; the first by default."""
    show = partial(
        st.segmented_control,
        _("Split by"),
        required=True,
        format_func=names.__getitem__,
        label_visibility="collapsed",
    )
    return filters.one_of(name, list(names), next(iter(names)), show)


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
    return filters.one_of("view", list(options), "highlighted", show)


def also(*offered: str) -> list[str]:
    """What the trend shows beside its lines, of what it offers."""
    names = {"before": _("Period before"), "events": _("Events"), "targets": _("Targets")}
    names = {name: label for name, label in names.items() if name in offered}
    chosen = filters.settle("also", list(names), [name for name in ("events", "targets") if name in names])
    filters.hold("also", chosen)
    st.pills(
        _("Also shown"),
        list(names),
        selection_mode="multi",
        format_func=names.__getitem__,
        key="also",
        label_visibility="collapsed",
    )
    return chosen


def shows(name: str) -> bool:
    """Whether the trend shows this beside its lines."""
    return name in filters.held("also")


def highlighted(models: list[str], default: list[str]) -> list[str]:
    """At most four models in colour: pills for a few, a search for many."""
    asked = filters.held("models")
    chosen = filters.settle("models", models, default, HIGHLIGHTS)
    filters.hold("models", chosen)
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
    if len(asked) > HIGHLIGHTS:
        st.caption(_("At most {n} models are highlighted: take one out for another.").format(n=HIGHLIGHTS))
    return chosen


def code(codes: list[str]) -> str:
    """Whose forecasts are shown: pills for a few codes, a search for many."""
    show: Callable[..., str | None]
    if len(codes) <= FEW_CODES:
        show = partial(st.pills, _("Code"), required=True, format_func=plain, label_visibility="collapsed")
    else:
        show = partial(st.selectbox, _("Code"), label_visibility="collapsed", width=260)
    return filters.one_of("code", codes, codes[0], show)


def horizon(days: list[int]) -> int:
    """How many days ahead the forecasts shown are."""
    names = {str(n): _("{n} d").format(n=n) for n in days}
    choose: Any = st.segmented_control if len(days) <= FEW_CODES else st.selectbox
    more: dict[str, Any] = {"required": True} if len(days) <= FEW_CODES else {"width": 120}
    show = partial(choose, _("Horizon"), format_func=names.__getitem__, label_visibility="collapsed", **more)
    return int(filters.one_of("horizon", list(names), next(iter(names)), show))


def market(markets: list[str]) -> str:
    """Whose trades are shown: money of several currencies does not add up."""
    show: Callable[..., str | None]
    if len(markets) <= FEW_CODES:
        show = partial(st.pills, _("Market"), required=True, format_func=plain, label_visibility="collapsed")
    else:
        show = partial(st.selectbox, _("Market"), label_visibility="collapsed", width=260)
    return filters.one_of("market", markets, markets[0], show)


def agent(names: dict[str, str]) -> str:
    """One agent, or all trades, which come first."""
    show = partial(
        st.selectbox, _("Agent"), format_func=names.__getitem__, label_visibility="collapsed", width=190
    )
    return filters.one_of("agent", list(names), next(iter(names)), show)


def pair(models: list[str]) -> list[str]:
    """The two models that are compared with each other."""
    chosen = filters.settle("pair", models, [], 2)
    filters.hold("pair", chosen)
    st.multiselect(
        _("Two models"),
        models,
        key="pair",
        max_selections=2,
        placeholder=_("two models"),
        label_visibility="collapsed",
    )
    return chosen


def searched(models: list[str]) -> list[str]:
    """The models that somebody looks for among many; none: those that a page shows by itself."""
    chosen = filters.settle("rows", models, [])
    filters.hold("rows", chosen)
    st.multiselect(
        _("Models"),
        models,
        key="rows",
        placeholder=_("Search among {n} models").format(n=len(models)),
        label_visibility="collapsed",
        width=320,
    )
    return chosen
