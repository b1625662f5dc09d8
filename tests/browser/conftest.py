"""The whole product as `make run` starts it, and a real browser in front of it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

from db.engine import engine_for
from install import BROWSERS

ROOT = Path(__file__).parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60


@dataclass
class Product:
    """A running Tidemark: its address, its process, what it printed, and its database."""

    address: str
    process: subprocess.Popen[str]
    output: Path
    database: Path

    @property
    def engine(self) -> Engine:
        return engine_for(f"sqlite:///{self.database}")

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, until: str = "Tidemark is at", **settings: str) -> Product:
    """Starts run.py on a database of its own and waits until it prints that."""
    port, output = free_port(), folder / "output.txt"
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder / 'tidemark.db'}",
        "BACKUP_DIR": str(folder / "backups"),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        **settings,
    }
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "run.py"],
            cwd=ROOT,
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while until not in output.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"run.py did not start:\n{output.read_text()}")
        select_nothing(0.1)
    return Product(f"http://localhost:{port}", process, output, folder / "tidemark.db")


def select_nothing(seconds: float) -> None:
    """Gives another process time; there is no event to wait for."""
    time.sleep(seconds)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = start(tmp_path_factory.mktemp("product"))
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page; fails the test when it shows an exception or asks another host for anything."""
    pages: list[Page] = []
    strangers: list[str] = []

    def do(address: str, width: int = 1440, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 1200}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("request", lambda request: _note_stranger(request.url, strangers))
        page.goto(address)
        page.wait_for_selector("h1")
        pages.append(page)
        return page

    yield do
    for page in pages:
        assert page.get_by_test_id("stException").count() == 0
        page.context.close()
    assert not strangers, f"asked other hosts: {strangers}"


def _note_stranger(url: str, strangers: list[str]) -> None:
    if not url.startswith(("data:", "blob:", "http://localhost:", "ws://localhost:")):
        strangers.append(url)
