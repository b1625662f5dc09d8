"""Verdicts in words: the same on page, in the digest and in files."""

from typing import Any

from jobs.formulas.verdict_names import DECLINED, IMPROVED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA
from language import N_, _, ngettext

WORDS = {
    IMPROVED: N_("improved"),
    DECLINED: N_("declined"),
    NO_CLEAR_CHANGE: N_("no clear change"),
    TOO_LITTLE_DATA: N_("too little data"),
}
NOTES = {
    "short history": N_("Short history: how much its weeks vary is not known yet."),
    "weeks vary": N_(
        "Its weeks vary by themselves more than their rows explain; that is taken into account."
    ),
}
CLEAR = (IMPROVED, DECLINED)


def almost(row: Any) -> bool:
    """Whether the change is clear by itself, but not among all that were compared."""
    alone = row["low"] is not None and (row["low"] > 0 or row["high"] < 0)
    return bool(row["verdict"] == NO_CLEAR_CHANGE and alone)


def remark(row: Any) -> str:
    """What there is to add to a verdict, in sentences; empty where there is nothing."""
    told = [_(NOTES[row["note"]])] if row["note"] in NOTES else []
    if almost(row):
        pattern = ngettext(
            "Not clear among {n} comparison.", "Not clear among {n} comparisons.", row["comparisons"]
        )
        told.insert(0, pattern)
    return " ".join(told)
