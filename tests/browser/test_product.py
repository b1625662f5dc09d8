"""The main paths of the product in a real browser."""

import http.client
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect
from sqlalchemy import select, text

from db.clock import utc_now
from db.tables.operations import JobRun
from jobs import claims, queue
from jobs.aggregate_models import JOB
from jobs.job import Run
from jobs.runner import execute
from jobs.timetable import JOBS
from jobs.workers import this_worker
from tests import filled
from tests.browser.conftest import ROOT, Product, select_nothing, start

PATIENCE = 60  # seconds, for what takes a few
expect.set_options(timeout=15_000)  # milliseconds; on a busy machine a page takes its time
pytestmark = pytest.mark.browser
# Each row of the result takes about a millisecond more, so that the run of a whole year takes seconds.
SLOW = """
    CREATE TRIGGER slow AFTER INSERT ON daily_model_performance BEGIN SELECT count(*) FROM
    (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n); END
"""
CHARTS = "[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas"


def test_the_first_start_shows_the_demo(product, open_tab):
    page = open_tab(product.address)
    expect(page.get_by_text("Every number here is invented")).to_be_visible()
    expect(page.get_by_text("harbor-mini").first).to_be_visible()
    page.wait_for_selector(CHARTS)
    assert "filling it with simulated data" in product.output.read_text()
    assert page.title() in ("Tidemark", "Overview")


def test_a_filter_goes_into_the_address_and_a_new_tab_shows_the_same(product, open_tab):
    page = open_tab(f"{product.address}/models")
    page.get_by_role("combobox", name="Period").click()
    page.get_by_role("option", name="Last 26 weeks").click()
    page.wait_for_url("**period=26w**")
    page.get_by_test_id("stMain").get_by_text("All", exact=True).click()
    page.wait_for_url("**view=all**")
    expect(page.get_by_text("n = ").nth(4)).to_be_visible()
    subtitle = page.get_by_text("Scores of evaluated predictions").inner_text()

    other = open_tab(page.url)
    expect(other.get_by_role("combobox", name="Period")).to_have_value("Last 26 weeks")
    expect(other.get_by_text(subtitle)).to_be_visible()
    expect(other.get_by_text("n = ").nth(4)).to_be_visible()

    other.get_by_role("link", name="Operations").click()
    expect(other.get_by_role("heading", name="Operations")).to_be_visible()
    assert "period=26w" in other.url and "view=all" in other.url, "a page switch keeps the choices"


def test_run_aggregation_shows_its_preview_and_result_on_every_open_page(product, open_tab):
    with product.engine.begin() as connection:  # plain SQL: the triggers mark its day
        connection.execute(text("INSERT INTO models (name) VALUES ('zephyr-9')"))
        connection.execute(
            text(
                "INSERT INTO model_evaluations (prediction_id, model_id, predicted_at, evaluated_at, final_score) "
                "SELECT 'z', max(m.id), max(e.predicted_at), max(e.predicted_at), 99 FROM models m, model_evaluations e"
            )
        )
        connection.execute(
            text(
                "UPDATE model_evaluations SET final_score = 99.5 WHERE id = (SELECT e.id FROM model_evaluations e "
                "JOIN models m ON m.id = e.model_id WHERE m.name = 'atlas-2' AND e.final_score IS NOT NULL "
                "ORDER BY e.day DESC LIMIT 1)"
            )
        )
    watcher = open_tab(f"{product.address}/models")
    expect(watcher.get_by_text("cirrus-l").first).to_be_visible()
    expect(watcher.get_by_text("zephyr-9")).to_have_count(0)
    page = open_tab(f"{product.address}/models")
    page.get_by_role("button", name="Run aggregation").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog.get_by_text("1 row would be added, 1 changed, 0 removed")).to_be_visible()
    dialog.get_by_role("button", name="Run", exact=True).dblclick()
    expect(dialog).to_have_count(0)
    expect(watcher.get_by_text("zephyr-9").first).to_be_visible(timeout=10_000)
    with product.engine.connect() as connection:
        for _attempt in range(100):
            mine = select(JobRun).where(JobRun.job == JOB.name).order_by(JobRun.id.desc())
            runs = connection.execute(mine).all()
            connection.rollback()
            if runs[0].status == "succeeded" and not runs[0].params.get("dry_run"):
                break
            select_nothing(0.1)
    real = [
        run for run in runs if run.trigger == "manual" and not run.params and run.triggered_by == "operator"
    ]
    assert len(real) == 1, "a double click is one run"
    assert real[0].rows_written == 2


@contextmanager
def standing_still(running: Product) -> Iterator[None]:
    """Inside, the product's own worker does nothing; it keeps no lock meanwhile."""
    children = psutil.Process(running.process.pid).children()
    (worker,) = (child for child in children if "jobs" in child.cmdline())
    while True:
        worker.suspend()
        with closing(sqlite3.connect(running.database, timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError:
                worker.resume()
    try:
        yield
    finally:
        worker.resume()


class HeldUp:
    """A run that stops half-way, between two steps, until it may go on."""

    def __init__(self, run: Run, may_go_on: threading.Event) -> None:
        self._run, self._may_go_on = run, may_go_on
        self.now, self.zone, self.today, self.log = run.now, run.zone, run.today, run.log

    def progress(self, done: float, message: str) -> None:
        self._run.progress(done, message)
        if done > 0.4:
            assert self._may_go_on.wait(PATIENCE)


def test_progress_of_a_run_shows_on_every_open_page_while_it_runs(product, open_tab, monkeypatch):
    may_go_on = threading.Event()
    held_up = replace(JOB, work=lambda engine, params, run: JOB.work(engine, params, HeldUp(run, may_go_on)))
    monkeypatch.setitem(JOBS, JOB.name, held_up)
    with product.engine.begin() as connection:  # every day is stale
        connection.execute(text("UPDATE model_evaluations SET timing_score = timing_score * 0.999"))
    tabs = [open_tab(f"{product.address}/{name}") for name in ("", "operations")]
    sides = [tab.get_by_test_id("stSidebar") for tab in tabs]
    with standing_still(product), ThreadPoolExecutor() as threads:
        tabs[0].get_by_role("button", name="Run aggregation").click()
        tabs[0].get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
        for side in sides:
            expect(side).to_contain_text("aggregate_models · waiting")
        (run_id,) = waiting_runs(product)
        claimed = claims.claim(product.engine, this_worker(), utc_now(), run_id)
        working = threads.submit(execute, product.engine, claimed, filled.SEOUL, utc_now)
        try:
            wait_until(lambda: queue.run_row(product.engine, run_id).progress > 0.4)
            half_way = queue.run_row(product.engine, run_id)
            for side in sides:
                expect(side).to_contain_text(f"aggregate_models · {half_way.message}")
                percent = str(int(half_way.progress * 100))
                bar = f"[role=progressbar][aria-valuenow='{percent}']"  # that of the answers waits beside it
                expect(side.locator(bar)).to_have_count(1)
        finally:
            may_go_on.set()
        assert working.result(PATIENCE) == "succeeded"
    for side in sides:
        expect(side.get_by_role("progressbar")).to_have_count(0)
    expect(sides[0]).to_contain_text(queue.run_row(product.engine, run_id).message)


def waiting_runs(running: Product) -> list[int]:
    with running.engine.connect() as connection:
        mine = select(JobRun.id).where(JobRun.job == JOB.name, JobRun.status == "queued")
        return list(connection.scalars(mine))


def test_a_click_on_a_point_opens_the_evaluations_behind_it(product, open_tab):
    page = open_tab(f"{product.address}/models?period=12w&models=cirrus-l")
    page.wait_for_selector(CHARTS)
    points = page.get_by_test_id("stVegaLiteChart").first.locator("path[aria-label*='cirrus']")
    expect(points.nth(5)).to_be_attached()
    points.nth(5).click(force=True)
    expect(page.get_by_text("Evaluations of cirrus-l")).to_be_visible()


def test_the_table_beside_a_chart_is_a_click_away_and_so_is_its_file(product, open_tab):
    page = open_tab(f"{product.address}/models")
    page.wait_for_selector(CHARTS)
    assert page.get_by_role("button", name="Table").count() == 5, "one for each chart, one for the verdicts"
    page.get_by_role("button", name="Table").first.click()
    box = page.get_by_test_id("stPopoverBody")
    expect(box.get_by_test_id("stDataFrame")).to_be_visible()
    with page.expect_download() as download:
        box.get_by_role("button", name="CSV", exact=True).click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith('Model,Week from,"Score, 0–100",95% from,95% to,n')
    assert len(lines) > 12
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)


def test_own_dates_go_with_a_link_to_another_page(product, open_tab):
    page = open_tab(f"{product.address}?from=2020-01-01&to=2090-12-31")
    expect(page.get_by_text("shown: ")).to_be_visible()
    page.get_by_test_id("stPageLink").get_by_role("link", name="More about the models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    assert "from=2020-01-01" in page.url and "to=2090-12-31" in page.url and "period=own" in page.url
    page.wait_for_selector(CHARTS)
    page.get_by_role("combobox", name="Period").click()
    page.get_by_role("option", name="Last 7 days").click()
    page.wait_for_url("**period=7d**")
    page.wait_for_url(lambda url: "from=" not in url)


@pytest.mark.parametrize("name", ["", "models", "agents", "usage", "quality", "operations", "reports"])
@pytest.mark.parametrize(("width", "dark"), [(1440, True), (390, False)])
def test_dark_and_phone(product, open_tab, name, width, dark):
    page = open_tab(f"{product.address}/{name}", width=width, dark=dark)
    expect(page.get_by_text("Every number here is invented")).to_be_visible()
    background = page.evaluate(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    )
    assert background == ("rgb(17, 23, 31)" if dark else "rgb(255, 255, 255)")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"


@pytest.mark.parametrize(("host", "status"), [("localhost", 101), ("evil.example", 403)])
def test_no_session_under_another_host_name(product, host, status):
    connection = http.client.HTTPConnection("127.0.0.1", int(product.address.rpartition(":")[2]), timeout=10)
    headers = {
        "Host": host,
        "Origin": f"http://{host}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    connection.request("GET", "/_stcore/stream", headers=headers)
    assert connection.getresponse().status == status
    connection.close()


def wait_until(holds: Callable[[], bool]) -> None:
    """Looks again and again until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it does not happen"
        select_nothing(0.01)


def copy(database: Path, to: Path) -> None:
    """Of one that is in use."""
    with closing(sqlite3.connect(database)) as there, closing(sqlite3.connect(to)) as here:
        there.backup(here)


def begin_a_run(running: Product) -> int:
    """Makes every day stale, queues the aggregation, and returns its number as soon as a worker has it."""
    with running.engine.begin() as connection:
        connection.execute(text("UPDATE model_evaluations SET final_score = 100 - final_score"))
    asked = queue.request(running.engine, JOB, JOB.read({}), trigger="manual", by="", now=utc_now())
    wait_until(lambda: queue.run_row(running.engine, asked.id).status != "queued")
    return asked.id


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_ends_everything_also_while_a_job_runs(product, tmp_path, number):
    copy(product.database, tmp_path / "tidemark.db")
    running = start(tmp_path)
    parts = psutil.Process(running.process.pid).children(recursive=True)
    assert len(parts) >= 2
    run_id = begin_a_run(running)
    assert running.stop(number) == 0
    assert queue.run_row(running.engine, run_id).status in ("queued", "succeeded")
    assert not [part for part in parts if part.is_running() and part.status() != psutil.STATUS_ZOMBIE]
    assert "Traceback" not in running.output.read_text()


def status(database: Path) -> str | None:
    """How the newest run is, None where there is none; no writer waits for this look."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT status FROM job_runs ORDER BY id DESC LIMIT 1").fetchone()
    return found[0] if found else None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_in_the_run_of_the_first_start_puts_it_back(tmp_path, number):
    with filled.upgraded(tmp_path / "tidemark.db").begin() as connection:
        connection.execute(text(SLOW))
    running = start(tmp_path, until="filling it")
    wait_until(lambda: status(running.database) == "running")
    assert running.stop(number) == 0
    assert status(running.database) == "queued"
    assert "Traceback" not in running.output.read_text()


def test_a_taken_port_is_told_with_what_to_do(product):
    port = product.address.rpartition(":")[2]
    environment = os.environ | {"PORT": port}
    second = subprocess.run(
        [sys.executable, "run.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in second.stderr
    assert "PORT=" in second.stderr
