"""The dashboard of a soak, as a process of its own."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from soak.processes import NOTHING, started, wait_for


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dashboard(engine: Engine, log: Path, also: Mapping[str, str] = NOTHING) -> Iterator[int]:
    """`python run.py dashboard` on a free port, which is returned when it answers."""
    port = free_port()
    own = {"PORT": str(port), "DEMO": "0", "ADDRESS": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
    with started(engine, "run.py", "dashboard", log=log, also={**own, **also}) as process:
        wait_for(lambda: answers(port) or process.poll() is not None, step=0.1)
        if process.poll() is not None:
            raise RuntimeError(f"the dashboard did not start: {log.read_text()[-500:]}")
        yield port
        process.terminate()
        process.wait(30)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
