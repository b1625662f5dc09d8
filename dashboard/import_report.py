"""What an import said of a file: counts, notes, and the rejected rows with their reasons."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.uploads import Report, Upload
from dashboard.wording import plain
from language import N_, _, ngettext

COUNTS = {
    "read": N_("Read"),
    "new": N_("New"),
    "updated": N_("Updated"),
    "unchanged": N_("Unchanged"),
    "rejected": N_("Rejected"),
    "repeated": N_("Repeated"),
}
FEW, HEIGHT = 6, 248  # rejected rows that are all in sight, and the pixels of a table with more


def summary(upload: Upload, report: Report) -> None:
    """What became, or would become, of the rows, and what there is to note."""
    done = upload.step == "imported"
    chip = f":green-badge[{_('imported')}]" if done else f":blue-badge[{_('checked, nothing written')}]"
    st.markdown(f"**{plain(upload.name)}** {chip}")
    shown = [name for name in COUNTS if name != "repeated" or report.repeated]
    grid = st.grid(len(shown), min_column_width=100)
    for name in shown:
        with grid:
            st.metric(_(COUNTS[name]), f"{getattr(report, name):,}")
    with st.container(gap=None):
        for note in report.notes:
            st.caption(plain(note))


def rejected(upload: Upload, report: Report) -> None:
    """The first rejected rows with their reasons, and all of them as a file."""
    if not report.rejected:
        return
    rows = pd.DataFrame(
        [(row.line, row.column, row.reason) for row in report.rejects], columns=["line", "column", "reason"]
    )
    height: Any = "auto" if len(rows) <= FEW else HEIGHT
    st.dataframe(rows, hide_index=True, height=height, column_config=_columns())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_told(upload, report), width="stretch")
        _download(upload)
    if report.rejected > len(rows):
        with st.container(gap=None):
            for reason in report.told_reasons():
                st.caption(plain(reason))


def _columns() -> dict[str, Any]:
    kinds = st.column_config
    return {
        "line": kinds.NumberColumn(_("Line"), format="localized", width=70),
        "column": kinds.TextColumn(_("Column"), width=150),
        "reason": kinds.TextColumn(_("Reason"), width="large"),
    }


def _told(upload: Upload, report: Report) -> str:
    told = [ngettext("{n} row was rejected", "{n} rows were rejected", report.rejected)]
    if report.rejected > len(report.rejects):
        told.append(_("above the first {n}, below all reasons").format(n=len(report.rejects)))
    if upload.rejects is None:
        told.append(_("too many for a download: python -m db import --rejects FILE keeps them"))
    return " · ".join(told)


def _download(upload: Upload) -> None:
    if upload.rejects is None:
        return
    st.download_button(
        _("CSV"),
        data=upload.rejects,
        file_name="rejected-rows.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        help=_("The rejected rows with line and reason: mend them and import that file."),
        on_click="ignore",
        key="import_rejects",
    )
