"""Runs whose worker is gone: put back into the queue, or given up."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, update

from db.engine import bookkeeping, reading
from db.tables.operations import JobRun
from jobs.claims import MAX_ATTEMPTS, queue_again, still_running
from jobs.workers import is_alive
from language import _

LOST_AFTER = timedelta(seconds=90)
# A process of this machine that still lives beats again in a second; only one that hangs is lost.
HANGS_AFTER = timedelta(minutes=5)


def reap(engine: Engine, now: datetime) -> int:
    """Puts back runs whose worker is gone, or gives them up after the last attempt; returns how many."""
    with reading(engine) as connection:
        running = connection.execute(select(JobRun).where(JobRun.status == "running")).all()
    lost = [row for row in running if _is_lost(row, now)]
    for row in lost:
        with bookkeeping(engine) as connection:
            still = still_running(row.id, row.worker)
            why = _("Its worker stopped without a word.")
            log = f"{row.log}{now:%Y-%m-%d %H:%M:%S}Z {why}\n"
            if row.cancel_requested or row.attempt < MAX_ATTEMPTS:
                queue_again(connection, still, now, why, log, {"attempt": row.attempt + 1})
            else:
                error = _("Its worker stopped without a word, {n} times; it is not tried again.").format(
                    n=row.attempt
                )
                values = {"status": "lost", "finished_at": now, "error": error, "log": log}
                connection.execute(update(JobRun).where(still).values(**values))
    return len(lost)


def _is_lost(row: Any, now: datetime) -> bool:
    alive = is_alive(row.worker or "")
    silent = now - (row.heartbeat_at or row.started_at)
    if alive is False:
        return True
    return bool(silent > (HANGS_AFTER if alive else LOST_AFTER))
