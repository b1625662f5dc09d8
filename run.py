"""`make run`: prepares the database, then keeps worker, schedule loop and dashboard running until Ctrl-C."""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from sqlalchemy import Engine

import settings
from db.backup import back_up, backup_path
from db.clock import utc_now
from db.demo.holding import is_empty
from db.demo.simulation import fill_demo
from db.engine import default_engine, refuse_unreachable
from db.errors import Refused
from db.schema import refuse_unready, upgrade
from jobs import claims, queue
from jobs.job import Job
from jobs.runner import execute
from jobs.timetable import job_named
from jobs.workers import this_worker
from language import _, speaking

POLL_SECONDS = 0.2
START_SECONDS = 60
STOP_SECONDS = 20  # longer than the loop's own grace
EVERYWHERE = ("0.0.0.0", "::", "localhost")  # noqa: S104 - addresses that answer on the loopback one too
TOO_SHORT = 10  # a part that ends sooner after its start is not started again


@dataclass
class Part:
    """One of the processes; started again when it ends without being asked to."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = field(default=0.0)

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches only this process, which then stops the others in good order.
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command, cwd=settings.ROOT, start_new_session=True, preexec_fn=_end_with_parent
        )
        self.started = time.monotonic()

    def look(self) -> None:
        """Starts the process again if it ended; raises Refused when that would go on for ever."""
        assert self.process is not None
        status = self.process.poll()
        if status is None:
            return
        if time.monotonic() - self.started < TOO_SHORT:
            told = _("The {part} ended right after its start (exit status {status}); its messages are above.")
            raise Refused(told.format(part=self.name, status=status))
        told = _("The {part} ended (exit status {status}) and is started again.")
        print(told.format(part=self.name, status=status))
        self.start()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _end_with_parent() -> None:
    """On Linux the kernel ends this process when its parent was killed without a chance to do so."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Interrupted(BaseException):
    """Ctrl-C, or a polite request to end; no handler of errors takes it for one."""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def refuse_taken_port(config: settings.Settings) -> None:
    """Raises Refused where the dashboard's port is in use, or its address is not this machine's."""
    family = socket.AF_INET6 if ":" in config.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.address.strip("[]"), config.port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                told = _("ADDRESS got “{address}”, which is no address of this machine")
                raise Refused(told.format(address=config.address), status=2) from None
            raise Refused(
                _(
                    "Port {port} on {address} cannot be used ({why}). Is Tidemark running already? "
                    "Choose another port: PORT={other} make run"
                ).format(
                    port=config.port,
                    address=config.address,
                    why=error.strerror or error,
                    other=config.port + 1 if config.port < 65535 else 8501,
                )
            ) from None


def prepare(config: settings.Settings) -> None:
    """Schema to the newest version, with a backup before; the demo where there is nothing yet."""
    engine = default_engine()
    refuse_unreachable(engine)
    moved = upgrade(
        engine, config.zone, lambda: back_up(engine, backup_path(config.backup_dir, engine, utc_now()))
    )
    if moved.before is None:
        print(_("Prepared a new database."))
    elif moved.before != moved.after:
        print(
            _("Brought the database from schema {before} to {after}; backup: {backup}").format(
                before=moved.before, after=moved.after, backup=moved.backup
            )
        )
    refuse_unready(engine, config.zone)
    if config.demo and is_empty(engine):
        print(_("The database is empty: filling it with simulated data (DEMO=0 leaves it empty) …"))
        fill_demo(engine, config.zone, utc_now())
        for job in (
            "aggregate_models",
            "aggregate_quality",
            "match_outcomes",
            "aggregate_forecasts",
            "backtest_rules",
            "aggregate_agents",
        ):
            _aggregate(engine, config, job_named(job))


def _aggregate(engine: Engine, config: settings.Settings, job: Job) -> None:
    """Runs an aggregation here, before anybody looks at the pages; an interruption ends it at its next step."""
    stopping = threading.Event()
    _on_signals(lambda _number, _frame: stopping.set())
    asked = queue.request(engine, job, job.read({}), trigger="manual", by="demo", now=utc_now())
    claimed = claims.claim(engine, this_worker(), utc_now(), asked.id)
    if claimed:
        execute(engine, claimed, config.zone, utc_now, stopping)
    _on_signals(_interrupt)
    if stopping.is_set():
        raise Interrupted


def parts(config: settings.Settings) -> list[Part]:
    app = str(settings.ROOT / "dashboard" / "server.py")
    dashboard = [sys.executable, "-m", "streamlit", "run", app]
    dashboard += [f"--server.address={config.address.strip('[]')}", f"--server.port={config.port}"]
    dashboard += ["--logger.hideWelcomeMessage=true", "--logger.level=warning"]
    for host in config.allowed_hosts:
        dashboard += ["--server.allowedHosts", host]
    return [Part(_("worker"), [sys.executable, "-m", "jobs", "loop"]), Part(_("dashboard"), dashboard)]


def address(config: settings.Settings) -> str:
    host = "localhost" if config.address in settings.LOOPBACK else config.address
    if config.address in EVERYWHERE:
        host = next((name for name in config.allowed_hosts if name not in settings.LOOPBACK), "localhost")
    return f"http://{host}:{config.port}"


def is_up(config: settings.Settings) -> bool:
    host = "127.0.0.1" if config.address in EVERYWHERE else config.address
    request = urllib.request.Request(f"http://{host}:{config.port}/_stcore/health")
    name = config.allowed_hosts[0] if config.allowed_hosts else host
    request.add_header("Host", f"[{name}]" if ":" in name and not name.startswith("[") else name)
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def keep_running(running: list[Part], config: settings.Settings) -> None:
    """Starts the parts, prints the address once it answers, and watches until interrupted."""
    for part in running:
        part.start()
    told, began = False, time.monotonic()
    while True:
        for part in running:
            part.look()
        if not told and is_up(config):
            print(
                _("Tidemark is at {address} – stop it with Ctrl-C").format(address=address(config)),
                flush=True,
            )
            told = True
        if not told and time.monotonic() - began > START_SECONDS:
            raise Refused(_("The dashboard did not answer within {n} seconds.").format(n=START_SECONDS))
        time.sleep(POLL_SECONDS)


def _stop(running: list[Part]) -> None:
    """Asks all parts to end, then sees to it that they did; a second Ctrl-C changes nothing."""
    _on_signals(signal.SIG_IGN)
    for part in running:
        part.stop()
    deadline = time.monotonic() + STOP_SECONDS
    for part in running:
        part.wait(deadline)


def main(arguments: list[str]) -> int:
    """Exit status: 0 after Ctrl-C, 1 when a part failed, 2 for a wrong setting or call.

    `run.py dashboard` starts the dashboard alone, with its settings; the worker then runs elsewhere.
    """
    if arguments not in ([], ["dashboard"]):
        print(_("run.py takes no argument, or: dashboard"), file=sys.stderr)
        return 2
    _on_signals(_interrupt)
    running: list[Part] = []
    status = 0
    try:
        config = settings.current()
        with speaking(config.language):
            refuse_taken_port(config)
            prepare(config)
            running = parts(config)[1:] if arguments else parts(config)
            keep_running(running, config)
    except Interrupted:
        print("\n" + _("Stopping …"), flush=True)
    except (Refused, settings.WrongSetting) as error:
        print(error, file=sys.stderr)
        status = getattr(error, "status", 2)
    _stop(running)
    return status


if __name__ == "__main__":
    os.chdir(settings.ROOT)
    sys.exit(main(sys.argv[1:]))
