"""Charts on the page: drawn once for the same data, then taken from the cache as ready specifications."""

import pickle
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from altair.utils.schemapi import disable_debug_mode

from language import spoken
from reports.charts.sparkline import sparkline

alt.theme.enable("none")  # Altair's own defaults (300 px wide) would overrule Streamlit's
disable_debug_mode()  # it validates each part as it is made


def draw(make: Callable[..., alt.LayerChart], frame: pd.DataFrame, key: str, **options: Any) -> Any:
    """Shows a chart of the frame; with a `selection` among the options returns what was clicked.

    Building a chart of a few layers in Python takes 50 ms, sending a finished one 3.
    """
    spec = _spec(_content(make, frame, options), make, frame, options)
    chosen = options.get("selection")
    if chosen is None or not _selectable(spec):  # an empty chart has nothing to click
        st.vega_lite_chart(spec=spec, key=key)
        return {"selection": {}}
    return st.vega_lite_chart(spec=spec, key=key, on_select="rerun", selection_mode=chosen)


def draw_small(frame: pd.DataFrame, **options: Any) -> None:
    """Shows a small line without axes, as wide as its place."""
    st.html(_small(_content(sparkline, frame, options), frame, options))


def _content(make: Callable[..., Any], frame: pd.DataFrame, options: dict[str, Any]) -> str:
    """What tells one picture from another."""
    told = (make.__module__, make.__qualname__, frame, sorted(options.items()), spoken())
    return blake2b(pickle.dumps(told)).hexdigest()


def _selectable(spec: dict[str, Any]) -> bool:
    return bool(spec.get("params") or any(layer.get("params") for layer in spec.get("layer", [])))


@st.cache_data(max_entries=1_000, show_spinner=False)
def _spec(
    content: str, _make: Callable[..., alt.LayerChart], _frame: pd.DataFrame, _options: Any
) -> dict[str, Any]:
    # Validation is for whoever writes a chart: the tests do it.
    spec: dict[str, Any] = _make(_frame, **_options).to_dict(validate=False)
    return spec


@st.cache_data(max_entries=1_000, show_spinner=False)
def _small(content: str, _frame: pd.DataFrame, _options: Any) -> str:
    return sparkline(_frame, **_options).html()
