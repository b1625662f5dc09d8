"""Tells Slack of jobs in trouble: in a thread of its own, so that no tick of the loop waits for Slack."""

import logging
import threading
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.clock import Now
from db.engine import explain
from db.errors import Refused
from jobs.health import JobHealth, health
from language import _
from reports.alerts import Trouble, Works, tell
from reports.deliver import PATIENT
from reports.slack import Patience
from settings import Settings

log = logging.getLogger("tidemark.alerts")

EVERY = timedelta(minutes=1)
AFTER_FAULT = timedelta(minutes=10)
OVERDUE = timedelta(hours=1)


class Alerting:
    """Looks at all jobs at most once a minute, and after a fault of Slack's ten minutes later."""

    def __init__(self, engine: Engine, settings: Settings, now: Now, patience: Patience = PATIENT) -> None:
        self._engine, self._settings, self._now, self._patience = engine, settings, now, patience
        self._next: datetime | None = None
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begins a look, unless there was one lately or one is under way; returns at once."""
        if not (self._settings.slack_bot_token or self._settings.slack_webhook_url):
            return
        now = self._now()
        if self._thread is not None and self._thread.is_alive():
            return
        if self._next is not None and self._next - AFTER_FAULT <= now < self._next:
            return  # where the clock was set back, the next look is now
        self._next = now + EVERY
        self._thread = threading.Thread(target=self._look, args=(now,), name="alerts", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until a look under way has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _look(self, now: datetime) -> None:
        try:
            states = [_state(job, now) for job in health(self._engine, self._settings, now).jobs]
            for told in tell(self._engine, self._settings, states, now=now, patience=self._patience):
                if told.status not in ("sent", "unknown"):
                    log.warning("alert: %s", told.reason)
                    self._next = now + AFTER_FAULT
        except SQLAlchemyError as error:
            log.warning("alert: %s", explain(error))
        except Refused as refused:
            log.warning("alert: %s", refused)
            self._next = now + AFTER_FAULT


def _state(job: JobHealth, now: datetime) -> Trouble | Works:
    if job.failed and job.last is not None:
        reason = job.last.error or job.last.message
        return Trouble(job.name, _(job.title), f"run-{job.last.id}", job.last.finished_at or now, reason)
    if job.overdue_since is not None and now - job.overdue_since > OVERDUE:
        told = _("It was due then, and nothing has run. Is the schedule loop running?")
        slot = f"{job.overdue_since:%Y-%m-%dT%H:%MZ}"
        return Trouble(job.name, _(job.title), slot, job.overdue_since, told, overdue=True)
    return Works(job.name, _(job.title))
