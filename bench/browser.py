"""Navigation to the first chart, in a real browser: on a page of ours, and on a page that holds this chart alone."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from bench.measure import Result, against
from install import BROWSERS
from settings import ROOT
from soak.browsers import ARGUMENTS
from soak.dashboards import answers, free_port
from soak.processes import wait_for

TURNS, WARM_UP = 9, 2
PAGES = ("Overview", "Models")
GOAL = "≤ 1.3"
# Set at the click; counted from there to the moment that the first chart of the new page is drawn.
TIMED = """([link, back]) => new Promise((done, fail) => {
  const begun = performance.now();
  const look = () => {
    const title = document.querySelector('h1');
    const chart = document.querySelector('[data-testid=stVegaLiteChart] :is(svg, canvas)');
    if (title && !title.innerText.includes(back) && chart && chart.getBoundingClientRect().width > 0
        && !chart.closest('[data-stale=true]')) done(performance.now() - begun);
    else if (performance.now() - begun > 30000) fail(new Error(`no chart on ${link} for half a minute`));
    else requestAnimationFrame(look);
  };
  [...document.querySelectorAll('[data-testid=stSidebarNavLink]')].find(a => a.innerText.includes(link)).click();
  requestAnimationFrame(look);
})"""
ONE_CHART = """
import json

import streamlit as st


def chart():
    st.title("Chart")
    with open(SPEC) as file:
        st.vega_lite_chart(spec=json.load(file))


def empty():
    st.title("Empty")


st.navigation([st.Page(empty, title="Empty"), st.Page(chart, title="Chart")]).run()
"""


def measure(engine: Engine, told: str, period: str) -> list[Result]:
    """From the click on a link to the first chart drawn, medians; the database is filled and judged already."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        executable = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        ours, bare = {}, {}
        with _served(engine, "dashboard/server.py") as port:
            home = f"http://localhost:{port}/operations?period={period}"
            for name in PAGES:
                ours[name] = _navigation(page, home, "Operations", name)
        for name in PAGES:
            with _served(engine, _one_chart(Path(folder), name, period)) as port:
                bare[name] = _navigation(page, f"http://localhost:{port}/", "Empty", "Chart")
        browser.close()
    what = "navigation to the chart of {}, {} / to a page of this chart alone"
    return [against(what.format(name, told), ours[name], bare[name], GOAL) for name in PAGES]


def _one_chart(folder: Path, name: str, period: str) -> str:
    """An app with the first chart of a page of ours, and nothing else."""
    app = AppTest.from_file(str(Path("dashboard/app.py").resolve()), default_timeout=60)
    app.query_params["period"] = period
    app.run()
    drawn: dict[str, Any] = {"return_value": {"selection": {}}}
    with patch("dashboard.drawing.st.vega_lite_chart", **drawn) as charts:
        app.run() if name == "Overview" else app.switch_page(f"views/{name.lower()}.py").run()
    spec = folder / f"{name}.json"
    spec.write_text(json.dumps(charts.call_args_list[0].kwargs["spec"]), encoding="utf-8")
    script = folder / f"{name}.py"
    script.write_text(ONE_CHART.replace("SPEC", repr(str(spec))), encoding="utf-8")
    return str(script)


def _navigation(page: Page, home: str, back: str, link: str) -> float:
    page.goto(home)
    spent = []
    for _turn in range(WARM_UP + TURNS):
        page.locator("[data-testid=stSidebarNavLink]", has_text=back).click()
        page.locator("h1", has_text=back).wait_for()
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        page.wait_for_timeout(300)
        spent.append(float(page.evaluate(TIMED, [link, back])) / 1000)
    return statistics.median(spent[WARM_UP:])


@contextmanager
def _served(engine: Engine, script: str) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": engine.url.render_as_string(hide_password=False)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(port) or process.poll() is not None, step=0.1)
        time.sleep(0.5)
        yield port
    finally:
        process.terminate()
        process.wait(30)
