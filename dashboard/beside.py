"""The table beside a chart: the same data in words, with CSV."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import columns
from dashboard.period import Period
from dashboard.wording import spreadsheet_safe
from language import _, kept

# In pixels: a popover holds so much; a heading and a row of st.dataframe with their lines.
WIDTH, HEIGHT = 640, 300
HEAD, ROW = 35, 31


@dataclass(frozen=True)
class Data:
    """What a chart shows: its name in file names, its period, and the rows with their columns."""

    name: str
    period: Period
    rows: Callable[[], pd.DataFrame]
    columns: columns.Columns

    @property
    def file(self) -> str:
        return f"{self.name}-{self.period.first}-{self.period.last}.csv"


def foot(told: str, data: Data) -> None:
    """Below a chart: how to read it, and at the right its data as a table.

    Not above: while the mouse is over a chart or a table, Streamlit lays its own buttons over what stands there.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(told, width="stretch")
        table(data)


def table(data: Data) -> None:
    """A button that opens the table. Only then it is made, and without a run of the whole page."""
    with st.container(width="content"):  # a fragment's own container would take all the room that is left
        st.fragment(_table)(data)


def _table(data: Data) -> None:
    told = _("The same data as a table, and as a CSV file")
    icon, key = ":material/table:", f"table_{data.name}"
    box = st.popover(_("Table"), icon=icon, type="tertiary", help=told, key=key, on_change="rerun")
    if not box.open:
        return
    rows = columns.shown(data.rows(), data.columns)
    with box:
        _csv(rows, data)
        _show(rows, data, WIDTH)


def open_table(told: str, data: Data) -> None:
    """A table that stands by itself, and below it what there is to say and its CSV."""
    rows = columns.shown(data.rows(), data.columns)
    _show(rows, data, "stretch")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(told, width="stretch")
        _csv(rows, data)


def whole(table: pd.DataFrame, config: dict[str, Any], data: Data, told: str = "") -> None:
    """A table in full, shown by its own configuration, and below it what there is to say and its CSV."""
    st.dataframe(table, hide_index=True, placeholder="–", column_config=config)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
        if told:
            st.caption(told, width="stretch")
        _csv(columns.shown(data.rows(), data.columns), data)


def csv(make: Callable[[], pd.DataFrame], name: str) -> None:
    """A button that gives a table as a file; made when it is pressed, of rows whose headings are words."""
    _download(lambda: _safe(make()), name, f"{name}.csv")


def _show(rows: pd.DataFrame, data: Data, width: Any) -> None:
    changes = [name for name, column in data.columns.items() if column.kind == "change"]
    st.dataframe(
        columns.with_minus(rows, changes, decimals=2),  # of marks from 0 to 10, too
        hide_index=True,
        placeholder="–",
        width=width,
        height=min(HEIGHT, HEAD + ROW * max(len(rows), 1)),
        column_config=columns.configs(data.columns),
    )


def _csv(rows: pd.DataFrame, data: Data) -> None:
    _download(lambda: as_csv(rows, data.columns), data.name, data.file)


def _download(make: Callable[[], bytes], name: str, file: str) -> None:
    st.download_button(
        _("CSV"),
        data=kept(make),
        file_name=file,
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv_{name}",
    )


def as_csv(rows: pd.DataFrame, named: columns.Columns) -> bytes:
    """With headings in words, safe to open in a spreadsheet, and with the mark by which one knows UTF-8."""
    return _safe(columns.in_words(rows, named))


def _safe(table: pd.DataFrame) -> bytes:
    return spreadsheet_safe(table).to_csv(index=False).encode("utf-8-sig")
