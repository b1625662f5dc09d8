"""Names and text of the database for pages."""

import re

import pandas as pd

from db.spreadsheets import guarded
from language import N_, _
from reports.wording import isolated

STATUSES = {
    "queued": N_("queued"),
    "running": N_("running"),
    "succeeded": N_("succeeded"),
    "failed": N_("failed"),
    "lost": N_("lost"),
    "cancelled": N_("cancelled"),
    "covered": N_("covered"),
}
TRIGGERS = {
    "manual": N_("by hand"),
    "schedule": N_("schedule"),
    "catch-up": N_("catch-up"),
    "command line": N_("command line"),
    "slack": N_("Slack"),
}
CHANGES = {"added": N_("added"), "changed": N_("changed"), "removed": N_("removed")}
# Addresses become links even where their characters are escaped; a space without width in them prevents it.
_APART = "\\1\N{ZERO WIDTH SPACE}"
_LINK = re.compile(r"(://|www|@)", re.IGNORECASE)
_MARKUP = re.compile(r"([\\`*_{}\[\]<>$:~|#&])")


def plain(text: object) -> str:
    """Text from the database for a place that reads Markdown: shown as it is, never as markup."""
    return _MARKUP.sub(r"\\\1", _LINK.sub(_APART, isolated(str(text))))


def longer(text: str, most: int) -> str | None:
    """The whole of a name that `brief` shortened, for what is shown beside it."""
    return plain(text) if len(text) > most else None


def said(word: str, words: dict[str, str]) -> str:
    """A word of the database in the language of the page; one that is new stays as it is."""
    return _(words.get(word, word))


def spreadsheet_safe(table: pd.DataFrame) -> pd.DataFrame:
    """A copy whose text no spreadsheet takes for a formula: an apostrophe before = + - @ and tab."""
    safe = table.copy()
    for name in safe.select_dtypes(exclude="number"):
        safe[name] = [guarded(value) if isinstance(value, str) else value for value in safe[name]]
    return safe
