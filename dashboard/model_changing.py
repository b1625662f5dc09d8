"""What an operator wants done to a model: tried first, then done, each time asked who asks."""

from dataclasses import dataclass

import streamlit as st

from dashboard import access, filters
from dashboard.wording import plain
from db import model_changes
from db.clock import utc_now
from db.engine import default_engine
from db.errors import Refused
from db.model_changes import Change


@dataclass(frozen=True)
class Wish:
    """A kind of change, the model (or the number of the change to take back), and its other name."""

    kind: str
    subject: str | int
    other: str = ""


def preview(wish: Wish) -> None:
    """Says what the wish would do; writes nothing."""
    change = _granted(wish, dry_run=True)
    filters.remember("model_wish", (wish, change) if change else None)
    filters.remember("model_changed", None)


def confirm(wish: Wish) -> None:
    """Does it, and remembers what was done."""
    change = _granted(wish, dry_run=False)
    filters.remember("model_wish", None)
    filters.remember("model_changed", change)


def forget() -> None:
    """Something else was chosen."""
    filters.remember("model_wish", None)
    filters.remember("model_changed", None)


def _granted(wish: Wish, dry_run: bool) -> Change | None:
    try:
        access.refuse_outsider()
        return _do(wish, dry_run)
    except Refused as refused:
        st.toast(plain(refused), icon=":material/error:")
        return None


def _do(wish: Wish, dry_run: bool) -> Change:
    engine, now = default_engine(), utc_now()
    if wish.kind == "rename":
        return model_changes.rename(engine, str(wish.subject), wish.other, now, dry_run)
    if wish.kind == "merge":
        return model_changes.merge(engine, str(wish.subject), wish.other, now, dry_run)
    if wish.kind == "retire":
        return model_changes.retire(engine, str(wish.subject), now, dry_run)
    return model_changes.undo(engine, int(wish.subject), now, dry_run)
