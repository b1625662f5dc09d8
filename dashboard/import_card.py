"""The card that imports a file: choose, read what would become of its rows, confirm."""

import streamlit as st

from dashboard import access, actions, filters, import_report
from dashboard.data import ask, holds_demo
from dashboard.uploads import SPECS, Report, Upload, take
from dashboard.wording import plain
from db.clock import utc_now
from db.errors import Refused
from language import _, ngettext

SMALL_FILE = 0.6  # seconds; what takes no longer is shown at once
POLL_SECONDS = 0.5


def card() -> None:
    """The whole card; for operators only."""
    told = _("Nothing is written before you have seen what would become of each row.")
    st.markdown(f"**{_('Import a file')}**", help=told)
    if reason := access.why_not():
        _forget()
        st.caption(reason)
        return
    access.let_upload()
    _chooser()
    upload: Upload | None = filters.remembered("upload")
    if upload is None:
        return
    if upload.step == "checking":
        upload.wait(SMALL_FILE)
    if upload.is_at_work:
        st.fragment(_at_work, run_every=POLL_SECONDS)(upload)
    elif upload.step == "refused":
        _refused(upload)
    elif upload.report is not None:
        _outcome(upload, upload.report)


def _chooser() -> None:
    """Where the table is chosen and the file dropped; a new file takes the place of the one before."""
    held: Upload | None = filters.remembered("upload")
    busy = held is not None and held.step == "importing"
    left, right = st.columns([1, 3])
    table = left.selectbox(_("Into table"), list(SPECS), disabled=busy, on_change=_forget, key="import_table")
    limit = int(st.get_option("server.maxUploadSize"))
    file = right.file_uploader(
        _("File: csv, csv.gz, jsonl, jsonl.gz or parquet"),
        disabled=busy,
        on_change=_forget,
        key="import_file",
    )
    larger = _("Up to {n} MB; larger files by the command: python -m db import {table} FILE")
    st.caption(larger.format(n=limit, table=plain(table)))
    if file is not None and held is None:
        try:
            filters.remember("upload", take(table, file, utc_now()))
        except Refused as refused:
            st.error(plain(refused))


def _forget() -> None:
    """Another file, another table or none: what was found out about the one before goes."""
    held: Upload | None = filters.remembered("upload")
    if held is not None:
        held.forget()
    filters.remember("upload", None)


def _at_work(upload: Upload) -> None:
    """How far the thread is; at its end the page is drawn again."""
    if not upload.is_at_work:
        st.rerun(scope="app")
    done, of = _how_far(upload)
    if of:
        st.progress(min(done / of, 1.0))
    st.caption(f":material/hourglass_top: {plain(_doing(upload).format(name=upload.name, n=f'{done:,}'))}")


def _how_far(upload: Upload) -> tuple[int, int | None]:
    """Rows that are done and to do; the latter is unknown where nobody could count them yet."""
    if upload.written and upload.report is not None:
        return upload.written, upload.report.written
    return upload.rows, upload.expected


def _doing(upload: Upload) -> str:
    if upload.step == "checking":
        return _("Checking {name}: {n} rows read")
    if upload.waits:
        return _("Importing {name}: another writer goes first")
    return _("Importing {name}: {n} rows written") if upload.written else _("Importing {name}: {n} rows read")


def _refused(upload: Upload) -> None:
    st.error(plain(upload.error), icon=":material/error:")
    _columns(upload)
    if upload.report is not None and not upload.choices.offered:
        st.button(_("Check again"), icon=":material/refresh:", on_click=_check, args=(upload, {}))


def _outcome(upload: Upload, report: Report) -> None:
    """What became, or would become, of the rows; and what can be done next."""
    import_report.summary(upload, report)
    if upload.step == "checked":
        _columns(upload)
    import_report.rejected(upload, report)
    if upload.step == "imported":
        _afterwards(report)
    else:
        _last_word(report, upload)


def _last_word(report: Report, upload: Upload) -> None:
    if not report.written:
        told = _("There is nothing to import: no row is new or changed.")
        if report.read and not report.good:
            told = _("There is nothing to import: all rows were rejected.")
        st.caption(told)
        return
    if ask(holds_demo):
        st.caption(_("The import takes the simulated data out."))
    st.button(
        ngettext("Import {n} row", "Import {n} rows", report.written),
        icon=":material/upload:",
        on_click=_confirm,
        args=(upload,),
        key="import_confirm",
    )


def _afterwards(report: Report) -> None:
    if report.removed_demo:
        st.caption(_("The simulated data were taken out: from now on the database holds your data."))
    if not report.written:
        return
    st.caption(_("Figures and charts show these rows after the next aggregation."))
    st.button(
        _("Run aggregation"),
        icon=":material/cached:",
        on_click=actions.run_now,
        args=("aggregate_models",),
        key="import_aggregate",
    )


def _columns(upload: Upload) -> None:
    """Which column of the file stands for ours, where the file does not say; another choice is checked again."""
    offered = upload.choices.offered
    if not offered:
        return
    missing = ", ".join(name for name in upload.choices.missing if name not in upload.chosen)
    told = _("Columns: {names} not found in the file") if missing else _("Columns of the file")
    with (
        st.expander(plain(told.format(names=missing)), expanded=bool(missing), icon=":material/view_column:"),
        st.form("import_columns", border=False),
    ):
        st.caption(_("Where one of these is missing or empty, it is taken from that column of the file:"))
        chosen: dict[str, str | None] = {}
        grid = st.grid(4, min_column_width=200)
        for ours, theirs in offered.items():
            held = upload.chosen.get(ours)
            with grid:
                chosen[ours] = st.selectbox(
                    ours,  # our own name; the label is also what a screen reader says, and it would read backslashes
                    theirs,
                    index=theirs.index(held) if held in theirs else None,
                    placeholder=_("none"),
                    key=f"import_{upload.number}_{ours}",
                )
        if st.form_submit_button(_("Check again"), icon=":material/refresh:"):
            _check(upload, {ours: theirs for ours, theirs in chosen.items() if theirs})
            st.rerun()


def _check(upload: Upload, chosen: dict[str, str]) -> None:
    try:
        upload.check(chosen, utc_now())
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")


def _confirm(upload: Upload) -> None:
    try:
        upload.write(utc_now())
        upload.wait(SMALL_FILE)  # before anything of the page is read, so that all of it shows the new rows
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")
