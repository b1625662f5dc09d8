"""Period and pickers, kept in the URL; the only user of session_state and query_params."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.period import DEFAULT_PRESET, OWN, PRESETS, Period, dates, own
from dashboard.period import preset as period_of
from language import LANGUAGES, _, ask_for_language
from reports.wording import span
from settings import current

CHOICES = (
    "lang",
    "period",
    "models",
    "metric",
    "view",
    "also",
    "pair",
    "rows",
    "answers",
    "by",
    "code",
    "horizon",
    "market",
    "agent",
    "daily",
    "used",
    "called_by",
    "marks",
)
OWN_DATES = ("from", "to")
NOTHING = "-"  # in the address: nothing at all is chosen


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def language() -> str:
    """The language of the page: of an address that is new, pressed just now, chosen before, or the setting's."""
    kept: dict[str, list[str]] = st.session_state.get("_kept", {})
    written: dict[str, list[str]] = st.session_state.get("_written", {})
    asked = st.query_params.get_all("lang")
    new = asked if asked != written.get("lang", []) else []
    for wanted in (*new, st.session_state.get("lang"), *kept.get("lang", [])):
        if wanted in LANGUAGES:
            remember("language", wanted)
            return str(wanted)
    remember("language", current().language)
    return current().language


def language_picker() -> None:
    """The sidebar's choice of language."""
    show = partial(
        st.segmented_control,
        _("Language"),
        required=True,
        format_func=LANGUAGES.__getitem__,
        label_visibility="collapsed",
    )
    one_of("lang", list(LANGUAGES), current().language, show)


def _language_of_session() -> str | None:
    """What `language` found last, for a fragment, a dialog or a callback; None outside of a session."""
    return remembered("language") if get_script_run_ctx(suppress_warning=True) else None


ask_for_language(_language_of_session)


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
        if "period" not in asked and _kept_dates():
            kept["period"] = [OWN]
        for name in CHOICES:
            st.session_state.pop(name, None)
    st.session_state["_page"] = page
    _write_url(kept)


def _write_url(kept: dict[str, list[str]]) -> None:
    if {name: st.query_params.get_all(name) for name in st.query_params} != kept:
        st.query_params.from_dict(kept)
    st.session_state["_written"] = {name: list(values) for name, values in kept.items()}


def settle(name: str, options: list[str], default: list[str], most: int | None = None) -> list[str]:
    """What a picker shows: what a person chose, now or by the address, else the default of this moment.

    Of more than `most` those stay that were there already; the others do not get into the address.
    """
    kept: dict[str, list[str]] = st.session_state["_kept"]
    offered: dict[str, list[str]] = st.session_state.setdefault("_offered", {})
    if name in st.session_state:
        held = st.session_state[name]
        chosen = [held] if isinstance(held, str) else list(held or [])
        if chosen == default:
            kept.pop(name, None)
        elif chosen != offered.get(name):  # a person changed it since it was offered
            kept[name] = chosen or [NOTHING]
    if most is not None and len(kept.get(name, [])) > most:
        there = offered.get(name, [])
        kept[name] = sorted(kept[name], key=lambda value: value not in there)[:most]
    wanted = kept.get(name, default)
    known = [value for value in wanted if value in options]
    value = [] if wanted == [NOTHING] else known or default
    offered[name] = value
    _write_url(kept)
    return value


def one_of(name: str, options: list[str], default: str, show: Callable[..., str | None]) -> str:
    """A picker of one of several, whose choice is in the address."""
    chosen = settle(name, options, [default])[0]
    st.session_state[name] = chosen
    show(options=options, key=name)
    return chosen


def period_picker(newest: date, oldest: date) -> None:
    """The sidebar's choice of period, for all pages."""
    kept: dict[str, list[str]] = st.session_state["_kept"]
    wanted = st.session_state.get("period") or next(iter(kept.get("period", [])), DEFAULT_PRESET)
    days = _own_days(newest, oldest) if wanted == OWN else None
    _keep_dates(days)  # before the picker, which writes all of it into the address at once
    one_of(
        "period",
        list(PRESETS),
        DEFAULT_PRESET,
        partial(st.selectbox, _("Period"), format_func=lambda name: _(PRESETS[name])),
    )
    if days:
        _dates_picker(days, newest, oldest)
    remember("shown", period(newest, oldest).span)


def _own_days(newest: date, oldest: date) -> tuple[date, date]:
    """The days picked last, else those of the address, else those that were shown last."""
    days: tuple[date, date] = (
        _kept_dates() or remembered("shown") or period_of(DEFAULT_PRESET, newest, oldest).span
    )
    held = st.session_state.get(_dates_key(days), days)
    return (held[0], held[1]) if len(held) == 2 else days  # after the first of two clicks there is only one


def _dates_picker(days: tuple[date, date], newest: date, oldest: date) -> None:
    # A key for each choice: the picker takes over what the address says, and no default competes with it.
    st.date_input(
        _("From – to"),
        days,
        min(oldest, days[0]),
        max(newest, days[1]),
        key=_dates_key(days),
        format="YYYY-MM-DD",
    )
    shown = own(*days, newest, oldest)
    if shown.span != days:
        told = _("shown: {span}, whole weeks") if shown.grain == "week" else _("shown: {span}, what there is")
        st.caption(told.format(span=span(*shown.span)))


def _dates_key(days: tuple[date, date]) -> str:
    return f"dates_{days[0]}_{days[1]}"


def _kept_dates() -> tuple[date, date] | None:
    kept: dict[str, list[str]] = st.session_state["_kept"]
    return dates(*(next(iter(kept.get(name, [])), "") for name in OWN_DATES))


def _keep_dates(days: tuple[date, date] | None) -> None:
    kept: dict[str, list[str]] = st.session_state["_kept"]
    for name, day in zip(OWN_DATES, days or (None, None), strict=True):
        kept.pop(name, None)
        if day is not None:
            kept[name] = [day.isoformat()]


def period(newest: date, oldest: date) -> Period:
    """The days of the chosen period."""
    name: str = st.session_state.get("period") or DEFAULT_PRESET
    days = _kept_dates()
    if name == OWN and days:
        return own(*days, newest, oldest)
    return period_of(DEFAULT_PRESET if name == OWN else name, newest, oldest)


def link(page: str, label: str) -> None:
    """A link to another page, which keeps the choices."""
    icon = ":material/arrow_forward:"
    st.page_link(page, label=label, icon=icon, icon_position="right", query_params=st.session_state["_kept"])


def hold(name: str, chosen: list[str]) -> None:
    """What a picker is to show, before it is drawn."""
    st.session_state[name] = chosen


def held(name: str) -> list[str]:
    """What a picker shows, or is asked to by the address."""
    found: list[str] = st.session_state.get(name) or st.session_state["_kept"].get(name, [])
    return found


def taken(name: str) -> str:
    """What a link asked for, once: the address forgets it."""
    kept: dict[str, list[str]] = st.session_state["_kept"]
    values = kept.pop(name, [])
    if values:
        _write_url(kept)
    return values[0] if values else ""


def clicked_row(key: str) -> int:
    """The row whose button was pressed in a table, while its callback runs."""
    return int(st.session_state[key].row)


def remember(name: str, value: Any) -> None:
    """Keeps something for this browser session, apart from the pickers."""
    st.session_state[f"_{name}"] = value


def remembered(name: str, default: Any = None) -> Any:
    """What `remember` kept."""
    return st.session_state.get(f"_{name}", default)
