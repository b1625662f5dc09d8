"""Real pages in Chromium, which wander about the dashboard and note every error that one of them shows."""

import random
import shutil
import threading
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from install import BROWSERS

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PAGES = ("", "models", "operations")
# Where a page was opened by its own address, Streamlit looks for its server below that first.
LOOKED_FOR = tuple(f"{page}/_stcore/{name}" for page in PAGES if page for name in ("health", "host-config"))
MILLISECONDS = 90_000  # patience on a crowded machine


@dataclass
class Noted:
    """What all sessions of a crowd saw."""

    pages: int = 0
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def page(self) -> None:
        with self._lock:
            self.pages += 1

    def fault(self, told: str) -> None:
        with self._lock:
            self.faults.append(told)


def browse(port: int, tabs: int, stop: threading.Event, noted: Noted) -> None:
    """So many tabs, each with a session of its own, until `stop` is set."""
    chance = random.Random(tabs)  # noqa: S311
    executable = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        pages = [browser.new_context().new_page() for _tab in range(tabs)]
        for page in pages:
            page.set_default_timeout(MILLISECONDS)
            page.on("console", lambda message: _note_console(message, noted))
            page.on("pageerror", lambda error: noted.fault(f"error in a browser: {error}"))
        while not stop.is_set():
            for page in pages:
                _look(page, f"http://localhost:{port}/{chance.choice(PAGES)}", noted)
                page.wait_for_timeout(chance.uniform(500, 2_000))
        browser.close()


def _look(page: Page, address: str, noted: Noted) -> None:
    page.goto(address)
    page.wait_for_selector("h1")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    noted.page()
    for broken in page.get_by_test_id("stException").all_inner_texts():
        noted.fault(f"{address} shows: {broken}")


def _note_console(message: ConsoleMessage, noted: Noted) -> None:
    url = message.location.get("url", "")
    if message.type == "error" and not url.endswith(LOOKED_FOR):
        noted.fault(f"console of {url}: {message.text}")
