"""What an operator does to the model of an agent: the code that the job runs, behind the same door."""

from collections.abc import Callable

import streamlit as st

from dashboard import access
from dashboard.wording import plain
from db.clock import utc_now
from db.engine import default_engine
from db.errors import Refused
from jobs import swapping
from settings import current


def swap(agent: str, provider: str, model: str, reason: str) -> bool:
    """Swaps an agent's model; False where it is refused, which is told on the page."""
    to = provider, model
    return _told(lambda: swapping.swap(default_engine(), agent, to, reason, utc_now(), current().zone))


def roll_back(number: int, reason: str) -> bool:
    """Takes a swap back; False where it is refused."""
    return _told(lambda: swapping.roll_back(default_engine(), number, reason, utc_now(), current().zone))


def _told(change: Callable[[], object]) -> bool:
    try:
        access.refuse_outsider()
        change()
    except Refused as refused:
        st.error(plain(refused))
        return False
    return True
