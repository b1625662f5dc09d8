"""The re-run of each page on a year of 50 models against a page with a single chart."""

import os
import tempfile
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bench.databases import ZONE, fill
from bench.measure import Result, against, median_seconds
from bench.quiet import run_job
from bench.rows import MODELS
from db.engine import engine_for
from db.schema import upgrade

ROWS = 100_000
PAGES = ("overview", "models", "operations")


def one_chart() -> None:
    import altair as alt
    import pandas as pd
    import streamlit as st

    st.title("One chart")
    frame = pd.DataFrame({"x": range(60), "y": [k % 7 for k in range(60)]})
    st.altair_chart(alt.Chart(frame).mark_line().encode(x="x", y="y"))


def measure() -> list[Result]:
    """Server-side seconds of a re-run, the data being unchanged."""
    from sqlalchemy import insert

    from db.tables.models import Model

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/tidemark.db"
        os.environ |= {"DATABASE_URL": url, "TIMEZONE": ZONE.key}
        engine = engine_for(url)
        upgrade(engine, ZONE, None)
        with engine.begin() as connection:
            connection.execute(insert(Model), [{"name": f"model-{k:02}"} for k in range(1, MODELS + 1)])
        fill(engine, ROWS)
        run_job(engine)
        single = AppTest.from_function(one_chart, default_timeout=60)
        bare = median_seconds(single.run, 15, 3)
        results = []
        for name in PAGES:
            app = AppTest.from_file(str(Path("dashboard/app.py").resolve()), default_timeout=60)
            app.query_params["period"] = "1y"
            app.run()
            if name != "overview":
                app.switch_page(f"views/{name}.py").run()
            assert not app.exception
            seconds = median_seconds(app.run, 9, 2)
            results.append(
                against(f"page {name}, a year × 50 models / one chart", seconds, bare, "≤ 8, < 200 ms")
            )
        engine.dispose()
    return results
