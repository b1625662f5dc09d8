"""In another language every text of a page is in it: what is not marked was not translated."""

import json

import pytest
from sqlalchemy import text

from tests.app.conftest import PAGES, newest_runs_key


def labels(frame) -> set[str]:
    """The headings of a table as the browser shows them."""
    config = json.loads(frame.proto.columns or "{}")
    return {config.get(name, {}).get("label") or name for name in frame.value.columns}


@pytest.mark.parametrize("file", ["empty_file", "demo_file"])
@pytest.mark.parametrize("page", PAGES)
def test_every_text_is_translated(page, file, open_page, request, quoting, engine):
    app = open_page(page, request.getfixturevalue(file), view="all")
    with engine.connect() as connection:
        models = list(connection.scalars(text("SELECT name FROM models")))
    for kind in (app.caption, app.title, app.subheader, app.warning, app.error):
        for element in kind:
            assert "«" in str(element.value), element
    for element in [*app.button, *app.selectbox, *app.metric, *app.sidebar.date_input]:
        assert "«" in element.label, element
    for element in app.markdown:
        told = without(element.value, models)
        assert "«" in told or not any(letter.isalpha() for letter in told), element.value
    for table in app.table:
        assert all("«" in name for name in table.value.columns), table.value.columns


def without(told: str, models: list[str]) -> str:
    """Models are called what they are called."""
    for name in models:
        told = told.replace(name, "")
    return told


@pytest.mark.parametrize("page", ["models", "operations"])
def test_every_heading_of_a_table_is_translated(page, open_page, demo_file, quoting):
    app = open_page(page, demo_file)
    if page == "models":
        app.session_state["table_final_score-by-week"] = True
        week = "2026-01-05"
        app.session_state["trend_final_score_week"] = {
            "selection": {"point": [{"subject": "cirrus-l", "period": week}]}
        }
        app.selectbox(key="period").set_value("all").run()
    assert app.dataframe
    for frame in app.dataframe:
        assert all("«" in label for label in labels(frame)), labels(frame)
    if page == "models":
        assert len(app.dataframe) == 4, "rows of the trend, rows behind a point, verdicts, comparison"
        assert app.get("download_button")


def test_a_run_s_status_is_translated(open_page, demo_file, quoting, engine):
    app = open_page("operations", demo_file)
    app.session_state[newest_runs_key(engine)] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert any(":green-badge[«succeeded»]" in element.value for element in app.markdown)
    (config,) = [json.loads(frame.proto.columns) for frame in app.dataframe]
    options = {option["value"]: option for option in config["status"]["type_config"]["options"]}
    assert options["succeeded"]["label"] == "«succeeded»"
    assert options["succeeded"]["color"] == "green"
