"""The main paths of the product in a real browser."""

import http.client
import os
import signal
import subprocess
import sys

import psutil
import pytest
from playwright.sync_api import expect
from sqlalchemy import inspect, select, text

from db.clock import utc_now
from db.tables.operations import JobRun
from jobs import queue
from jobs.aggregate_models import JOB
from tests.browser.conftest import ROOT, Product, select_nothing, start

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CHARTS = "[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas"


def test_the_first_start_shows_the_demo(product, open_tab):
    page = open_tab(product.address)
    expect(page.get_by_text("Every number here is invented")).to_be_visible()
    expect(page.get_by_text("cirrus-l").first).to_be_visible()
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
    watcher = open_tab(product.address)
    expect(watcher.get_by_text("cirrus-l")).to_be_visible()
    expect(watcher.get_by_text("zephyr-9")).to_have_count(0)
    page = open_tab(f"{product.address}/models")
    page.get_by_role("button", name="Run aggregation").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog.get_by_text("1 row would be added, 1 changed, 0 removed")).to_be_visible()
    dialog.get_by_role("button", name="Run", exact=True).dblclick()
    expect(dialog).to_have_count(0)
    expect(watcher.get_by_text("zephyr-9")).to_be_visible(timeout=10_000)
    with product.engine.connect() as connection:
        for _attempt in range(100):
            runs = connection.execute(select(JobRun).order_by(JobRun.id.desc())).all()
            connection.rollback()
            if runs[0].status == "succeeded" and not runs[0].params.get("dry_run"):
                break
            select_nothing(0.1)
    real = [
        run for run in runs if run.trigger == "manual" and not run.params and run.triggered_by == "operator"
    ]
    assert len(real) == 1, "a double click is one run"
    assert real[0].rows_written == 2


def test_a_click_on_a_point_opens_the_evaluations_behind_it(product, open_tab):
    page = open_tab(f"{product.address}/models?period=12w&models=cirrus-l")
    page.wait_for_selector(CHARTS)
    points = page.get_by_test_id("stVegaLiteChart").first.locator("path[aria-label*='cirrus']")
    expect(points.nth(5)).to_be_attached()
    points.nth(5).click(force=True)
    expect(page.get_by_text("Evaluations of cirrus-l")).to_be_visible()


@pytest.mark.parametrize("name", ["", "models", "operations"])
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


def begin_a_run(running: Product) -> int:
    """Makes every day stale, queues the aggregation, and returns its number as soon as a worker has it."""
    with running.engine.begin() as connection:
        connection.execute(text("UPDATE model_evaluations SET final_score = 100 - final_score"))
    asked = queue.request(running.engine, JOB, JOB.read({}), trigger="manual", by="", now=utc_now())
    while queue.run_row(running.engine, asked.id).status == "queued":
        select_nothing(0.002)
    return asked.id


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_ends_everything_also_while_a_job_runs(tmp_path, number):
    running = start(tmp_path)
    parts = psutil.Process(running.process.pid).children(recursive=True)
    assert len(parts) >= 2
    run_id = begin_a_run(running)
    assert running.stop(number) == 0
    assert queue.run_row(running.engine, run_id).status in ("queued", "succeeded")
    assert not [part for part in parts if part.is_running() and part.status() != psutil.STATUS_ZOMBIE]
    assert "Traceback" not in running.output.read_text()


def test_stopping_during_the_first_start_leaves_no_failed_run(tmp_path):
    running = start(tmp_path, until="filling it")
    running.stop()
    engine = running.engine
    if "job_runs" in inspect(engine).get_table_names():
        with engine.connect() as connection:
            found = connection.execute(select(JobRun)).all()
        assert not [run for run in found if run.status == "failed"]


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
