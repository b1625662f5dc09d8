"""The re-run of each page, the way to it in a browser, and the jobs behind it: 50 models and 500."""

import os
import tempfile
from datetime import UTC, datetime, time
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, insert
from streamlit.testing.v1 import AppTest

from bench import answers, browser
from bench.databases import ZONE, fill
from bench.measure import Result, against, median_seconds, once_seconds
from bench.outcome_rows import LAST, fill_outcomes
from bench.quiet import Counted, run_agents, run_forecasts, run_job, run_judge, run_quality
from bench.rows import DAYS, day_number
from db.demo.swapping import store_agents
from db.engine import engine_for
from db.schema import upgrade
from db.tables.models import Model
from jobs.adjusting import adjust
from settings import load


class House(NamedTuple):
    """How much there is, and the pages and period that are measured on it."""

    told: str
    models: int
    days: int
    rows: int
    pages: tuple[str, ...]
    period: str
    codes: int


ALL_PAGES = ("overview", "models", "forecasts", "quality", "operations", "agents", "usage")
YEAR = House("a year × 50 models, 100 codes", 50, 365, 100_000, ALL_PAGES, "1y", 100)
LARGE = House("two years × 500 models, 1,000 codes", 500, 730, 1_000_000, ALL_PAGES[:3], "all", 1_000)


def one_chart() -> None:
    import altair as alt
    import pandas as pd
    import streamlit as st

    st.title("One chart")
    frame = pd.DataFrame({"x": range(60), "y": [k % 7 for k in range(60)]})
    st.altair_chart(alt.Chart(frame).mark_line().encode(x="x", y="y"))


def measure() -> list[Result]:
    """Server-side seconds of a re-run, the data being unchanged; beside a page with a single chart."""
    return [result for house in (YEAR, LARGE) for result in _measure(house)]


def _measure(house: House) -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/tidemark.db"
        os.environ |= {"DATABASE_URL": url, "TIMEZONE": ZONE.key}
        engine = engine_for(url)
        upgrade(engine, ZONE, None)
        with engine.begin() as connection:
            names = [{"name": f"model-{k:03}"} for k in range(1, house.models + 1)]
            connection.execute(insert(Model), names)
        fill(engine, house.rows, house.models, house.days)
        answers.fill(engine, house.rows)
        fill_outcomes(engine, house.codes)
        with engine.begin() as connection:  # 16 agents, 22 trades and 80 calls a weekday
            store_agents(connection, ZONE, datetime.combine(day_number(DAYS), time(), UTC), house.days)
        results = [
            _judging(engine, house),
            *_pages(house),
            *browser.measure(engine, house.told, house.period),
        ]
        engine.dispose()
        return results


def _judging(engine: Engine, house: House) -> Result:
    aggregated = once_seconds(lambda: run_job(engine))
    run_quality(engine)
    run_forecasts(engine)
    run_agents(engine)
    adjust(engine, load(), LAST, False, Counted(1))
    judged = once_seconds(lambda: run_judge(engine))
    return against(f"judging all weeks of {house.told} / aggregating all days", judged, aggregated, "≤ 1")


def _pages(house: House) -> list[Result]:
    single = AppTest.from_function(one_chart, default_timeout=60)
    bare = median_seconds(single.run, 15, 3)
    results = []
    for name in house.pages:
        app = AppTest.from_file(str(Path("dashboard/app.py").resolve()), default_timeout=60)
        app.query_params["period"] = house.period
        app.run()
        if name != "overview":
            app.switch_page(f"views/{name}.py").run()
        assert not app.exception
        seconds = median_seconds(app.run, 9, 2)
        results.append(against(f"page {name}, {house.told} / one chart", seconds, bare, "≤ 8, < 200 ms"))
    return results
