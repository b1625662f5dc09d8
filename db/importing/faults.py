"""What is said of an import that the database does not let end."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from db.engine import DATABASE_FAULTS, explain, has_no_space, is_read_only
from db.errors import Refused
from db.importing.report import Report
from language import _, ngettext


@contextmanager
def told_while_staging(connection: Connection) -> Iterator[None]:
    """A fault of the database as Refused, while nothing is written yet."""
    try:
        yield
    except DATABASE_FAULTS as error:
        told = explain(error)
        if connection.dialect.name == "sqlite" and has_no_space(error):
            told += " " + _(
                "Rows are collected in a temporary file first: in /var/tmp, or in the folder that the environment "
                "variable SQLITE_TMPDIR names."
            )
        raise Refused(told) from error


@contextmanager
def told_while_writing(report: Report) -> Iterator[None]:
    """The same while steps are written: what is there already, and that it may be repeated."""
    try:
        yield
    except DATABASE_FAULTS as error:
        told = [explain(error).rstrip(".") + "."]
        if report.written:
            told.append(
                ngettext(
                    "{n} row was written before, in whole steps.",
                    "{n} rows were written before, in whole steps.",
                    report.written,
                )
            )
        if not (report.dry_run or is_read_only(error)):
            told.append(_("Import the file again: rows that are there already count as unchanged."))
        raise Refused(" ".join(told)) from error
