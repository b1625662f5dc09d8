"""What became of swaps, and why, in words."""

from typing import Any

from jobs.formulas.swaps import (
    BY_HAND,
    NO_WAY_BACK,
    NOT_CLEAR,
    NOT_WORSE,
    NOTHING_BEFORE,
    REPLACED,
    TOO_FEW,
    WORSE,
)
from language import N_, _

STATUSES = {
    "validating": N_("being validated"),
    "kept": N_("stays"),
    "rolled_back": N_("rolled back"),
    "inconclusive": N_("inconclusive"),
    "rollback": N_("rollback"),
}
VERDICTS = {
    NOT_WORSE: N_("not worse by more than the threshold"),
    WORSE: N_("clearly worse"),
    NOT_CLEAR: N_("worse, but that may be luck"),
    TOO_FEW: N_("too few decisions before or after it"),
    NOTHING_BEFORE: N_("no rating to compare with"),
    NO_WAY_BACK: N_("worse, but the model before it is not known"),
    BY_HAND: N_("taken back by hand"),
    REPLACED: N_("worse, but replaced by another swap meanwhile"),
}
BY = {"automatic": N_("by itself"), "manual": N_("by hand"), "scheduled": N_("on schedule")}


def status_of(row: dict[Any, Any]) -> str:
    """A swap's status; a row that takes one back has a word of its own."""
    rolls_back = row.get("rolls_back")
    return "rollback" if rolls_back is not None and rolls_back == rolls_back else str(row["status"])


def model_name(provider: str, model: str) -> str:
    """A model with its provider, as far as they are known."""
    return "/".join(filter(None, (provider, model))) or f"({_('unknown')})"
