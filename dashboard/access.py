"""Who may look and who may press. Everybody who reaches the port may look; jobs want an operator."""

import hmac
import threading
import time

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import filters
from dashboard.gate import uploaders
from db.errors import Refused
from language import _
from settings import LOOPBACK, current

WRONG_TRIES, PER_SECONDS = 10, 300


class Guesses:
    """Counts wrong passwords of all sessions together, so that nobody can try them all."""

    def __init__(self) -> None:
        self._lock, self._wrong = threading.Lock(), list[float]()

    def too_many(self) -> bool:
        with self._lock:
            return self._too_many()

    def is_right(self, typed: str, password: str) -> bool:
        """Compares one at a time, so that many sessions at once have no more tries than one."""
        with self._lock:
            if self._too_many():
                return False
            right = hmac.compare_digest(typed.encode(), password.encode())
            if not right:
                self._wrong.append(time.monotonic())
            return right

    def _too_many(self) -> bool:
        self._wrong = [at for at in self._wrong if time.monotonic() - at < PER_SECONDS]
        return len(self._wrong) >= WRONG_TRIES


@st.cache_resource
def _guesses() -> Guesses:
    return Guesses()


def exposed() -> bool:
    """Whether other machines may reach this dashboard, by its settings or by how it was started."""
    return current().exposed or st.get_option("server.address") not in LOOPBACK


def why_not() -> str | None:
    """Why this session may not run jobs; None when it may."""
    if current().operator_password is not None:
        return None if filters.remembered("operator") else _("Operators enter their password first.")
    if exposed():
        return _("Off: other machines can reach this dashboard and OPERATOR_PASSWORD is not set.")
    return None


def refuse_outsider() -> None:
    """Raises Refused unless this session may run jobs; called again where something is about to happen."""
    if reason := why_not():
        raise Refused(reason)


def let_upload() -> None:
    """Lets this session send files, which the server takes of no other; raises Refused where it may not."""
    refuse_outsider()
    if context := get_script_run_ctx():
        uploaders.add(context.session_id)


def password_form() -> None:
    """Where an operator says who they are."""
    if current().operator_password is None or filters.remembered("operator"):
        return
    with st.form("operator", border=False, clear_on_submit=True):
        typed = st.text_input(_("Operator password"), type="password", autocomplete="current-password")
        if st.form_submit_button(_("Unlock actions"), width="stretch"):
            _try(typed)


def _try(typed: str) -> None:
    password = current().operator_password
    if _guesses().too_many():
        st.error(_("Too many wrong passwords; wait five minutes."))
    elif password is not None and _guesses().is_right(typed, password.get_secret_value()):
        filters.remember("operator", True)
        st.rerun()
    else:
        st.error(_("That is not the password."))
