"""Which process works on a run, and whether it still lives."""

import os
import socket

import psutil


def this_worker() -> str:
    """The name of this process, of which there is never a second one: host, process id, start."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid()):.2f}"


def _started(process: int) -> float:
    """When a process of this machine began, counted from the machine's own start: setting the clock moves both."""
    return float(psutil.Process(process).create_time() - psutil.boot_time())


def is_alive(worker: str) -> bool | None:
    """Whether that process still runs; None where it is on another machine."""
    host, _sep, rest = worker.rpartition(":")[0].rpartition(":")
    started = worker.rpartition(":")[2]
    if host != socket.gethostname():
        return None
    try:
        return abs(_started(int(rest)) - float(started)) < 0.1
    except (psutil.Error, ValueError):
        return False
