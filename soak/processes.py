"""Commands of Tidemark as processes of their own, on a database of the soak."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

import settings
from soak.databases import PATH
from soak.source import ZONE

NOTHING: Mapping[str, str] = {}
NOT_SET = (
    "operator_password",
    "log_file",
    "heartbeat_url",
    "slack_bot_token",
    "slack_channel",
    "slack_webhook_url",
)
PATIENCE = 60  # seconds, for what takes a few


def environment(engine: Engine, also: Mapping[str, str]) -> dict[str, str]:
    """The settings of a process: nothing of this machine's own but what is named."""
    own = {name.upper(): "" for name in NOT_SET}
    own |= {"DATABASE_URL": address(engine), "TIMEZONE": ZONE.key, "PATH": PATH}
    return {**os.environ, **own, **also}


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@contextmanager
def started(
    engine: Engine, *arguments: str, log: Path | None = None, also: Mapping[str, str] = NOTHING
) -> Iterator[subprocess.Popen[bytes]]:
    """`python …` in the project's folder; killed at the end where it still runs. `log` takes what it prints."""
    with (log or Path(os.devnull)).open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            [sys.executable, *arguments],
            cwd=settings.ROOT,
            env=environment(engine, also),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def takes(engine: Engine, *arguments: str, also: Mapping[str, str] = NOTHING) -> float:
    """How many seconds a command takes; it has to succeed."""
    begun = time.monotonic()
    with started(engine, *arguments, also=also) as process:
        status = process.wait(PATIENCE)
    if status:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {status}")
    return time.monotonic() - begun


def wait_for(found: Callable[[], Any], seconds: float = PATIENCE, step: float = 0.01) -> Any:
    """What the function finds as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s in vain")
        time.sleep(step)
    return result


def wait_until_settled(engine: Engine) -> None:
    """Until PostgreSQL has noticed that a client was killed, and no transaction of it is open any more."""
    if engine.dialect.name == "sqlite":
        return
    open_ones = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
    )

    def quiet() -> bool:
        with engine.connect() as connection:
            return not connection.scalar(open_ones)

    wait_for(quiet, step=0.01)
