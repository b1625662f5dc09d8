"""Every page, empty, on the demo and with 200 models; what it says and what it keeps in the address."""

import pytest
from sqlalchemy import event, select, text
from streamlit.testing.v1 import AppTest

from db.tables.operations import JobRun
from tests import filled
from tests.app.conftest import PAGES, newest_runs_key


def words(app: AppTest) -> str:
    """All text of a page that is not in a canvas."""
    kinds = (app.markdown, app.caption, app.title, app.subheader, app.text, app.error, app.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_database_names_the_next_step(name, open_page, empty_file):
    app = open_page(name, empty_file)
    told = words(app)
    titles = {"quality": "AI quality", "usage": "Usage & cost"}
    assert app.title[0].value == titles.get(name, name.capitalize())
    assert "simulated data" not in told.replace("fills every page with simulated data", "")
    if name == "operations":
        assert "Nothing ran yet" in told
    elif name == "reports":
        assert "Nothing was sent yet" in told
    else:
        assert "Nothing has been aggregated yet" in told
        sources = {"quality": "conversation_evaluation", "forecasts": "prediction_outcomes"}
        sources |= {"agents": "trade_records", "usage": "llm_usage_log"}
        source = sources.get(name, "model_evaluations")
        assert f"python -m db import {source}" in app.table[0].value.to_string()


@pytest.mark.parametrize("name", PAGES)
def test_the_demo_says_that_it_is_simulated(name, open_page, demo_file):
    assert "simulated data" in words(open_page(name, demo_file))


@pytest.mark.parametrize("name", PAGES)
def test_two_hundred_models_render(name, open_page, many_file):
    app = open_page(name, many_file)
    assert not app.error
    if name == "models":
        assert "200 models" in words(app)
        assert app.multiselect(key="models"), "so many models are searched, not listed"


def test_a_database_without_schema_says_how_to_get_one(open_page, tmp_path):
    (tmp_path / "nothing.db").touch()
    app = open_page("overview", tmp_path / "nothing.db")
    assert "python -m db upgrade" in words(app)


def test_another_time_zone_than_the_database_has_is_refused(open_page, demo_file, monkeypatch):
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    app = open_page("overview", demo_file)
    assert "python -m db timezone Europe/Berlin" in words(app)


def test_choices_come_from_the_address_and_go_into_it(open_page, demo_file):
    app = open_page("models", demo_file, period="30d", view="all")
    assert app.selectbox(key="period").value == "30d"
    assert app.segmented_control(key="view").value == "all"
    app.selectbox(key="period").set_value("1y").run()
    assert app.query_params["period"] == "1y"
    assert app.query_params["view"] == "all"


def test_choices_survive_a_page_switch(open_page, demo_file):
    app = open_page("models", demo_file, period="26w")
    app.switch_page("views/operations.py").run()
    assert app.query_params["period"] == "26w"
    app.switch_page("views/models.py").run()
    assert app.selectbox(key="period").value == "26w"


def test_nonsense_in_the_address_falls_back(open_page, demo_file):
    app = open_page("models", demo_file, period="bogus", models="nobody", metric="?")
    assert app.selectbox(key="period").value == "12w"


def test_names_from_the_database_are_never_markup(open_page, many_file):
    app = open_page("overview", many_file)
    shown = [m.value for m in app.markdown if "model" in m.value and "x" in m.value and "\\" in m.value]
    assert shown, "the rows name the models"
    assert all("<b>" not in value and " *0" not in value for value in shown)


def test_a_click_on_a_point_shows_the_evaluations_behind_it(open_page, demo_file, engine):
    app = open_page("models", demo_file, period="1y")
    with engine.connect() as connection:
        week, n = connection.execute(
            text(
                "SELECT b.week_start, sum(d.total_predictions) FROM daily_model_performance d "
                "JOIN models m ON m.id = d.model_id JOIN business_days b ON b.day = d.date "
                "WHERE m.name = 'cirrus-l' GROUP BY b.week_start ORDER BY b.week_start LIMIT 1 OFFSET 5"
            )
        ).one()
    app.session_state["trend_final_score_week"] = {
        "selection": {"point": [{"subject": "cirrus-l", "period": week}]}
    }
    app.run()
    assert not app.exception
    frames = [frame.value for frame in app.dataframe]
    behind = next(frame for frame in frames if "prediction_id" in frame.columns)
    assert len(behind) == n


def test_run_aggregation_opens_a_form(open_page, demo_file):
    app = open_page("overview", demo_file)
    app.sidebar.button(key="run_aggregation").click().run()
    assert not app.exception
    assert app.button(key="_preview_button").label == "Preview"
    assert app.button(key="_run_button").label == "Run"


def start_twice() -> None:
    import streamlit as st

    from dashboard import actions
    from db.errors import Refused
    from jobs.aggregate_models import JOB

    try:
        first, second = (actions.start(JOB.name, JOB.read({"model": None})) for _click in range(2))
        st.text(f"{first.fresh} {second.fresh} {first.id == second.id}")
    except Refused as refused:
        st.text(f"refused: {refused}")


def test_a_double_click_gives_one_run(show, demo_file, engine):
    show(demo_file)
    app = AppTest.from_function(start_twice, default_timeout=60).run()
    assert app.text[0].value == "True False True"
    with engine.connect() as connection:
        assert len(connection.execute(select(JobRun).where(JobRun.status == "queued")).all()) == 1


def test_no_run_starts_for_an_outsider_whatever_the_browser_says(show, demo_file, monkeypatch, engine):
    show(demo_file)
    monkeypatch.setenv("OPERATOR_PASSWORD", "correct horse")
    app = AppTest.from_function(start_twice, default_timeout=60).run()
    assert app.text[0].value.startswith("refused")
    with engine.connect() as connection:
        assert not connection.execute(select(JobRun).where(JobRun.status == "queued")).all()


def test_an_exposed_dashboard_without_password_has_its_actions_off(open_page, demo_file, monkeypatch, engine):
    monkeypatch.setenv("ADDRESS", "0.0.0.0")
    app = open_page("overview", demo_file)
    button = app.sidebar.button(key="run_aggregation")
    assert button.disabled
    assert "OPERATOR_PASSWORD" in words(app)


def unlock(app):
    return next(button for button in app.sidebar.button if button.label == "Unlock actions")


def test_the_password_unlocks_the_actions(open_page, demo_file, monkeypatch):
    monkeypatch.setenv("OPERATOR_PASSWORD", "correct horse")
    app = open_page("overview", demo_file)
    assert app.sidebar.button(key="run_aggregation").disabled
    app.sidebar.text_input[0].set_value("wrong").run()
    unlock(app).click().run()
    assert "not the password" in words(app)
    app.sidebar.text_input[0].set_value("correct horse")
    unlock(app).click().run()
    assert not app.sidebar.button(key="run_aggregation").disabled


@pytest.mark.parametrize("name", PAGES)
def test_a_second_look_at_unchanged_data_reads_no_aggregated_table(name, open_page, demo_file, engine):
    app = open_page(name, demo_file)
    statements: list[str] = []
    listener = lambda *event: statements.append(event[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", listener)
    app.run()
    event.remove(engine, "before_cursor_execute", listener)
    assert statements, "the data version is asked for"
    newest_row = "SELECT max(model_evaluations.id)"  # one step down the primary key
    assert not [
        one
        for one in statements
        if "daily_model_performance" in one
        or ("FROM model_evaluations" in one and not one.startswith(newest_row))
    ]


def test_nothing_highlighted_stays_so_also_in_a_new_tab(open_page, demo_file):
    app = open_page("models", demo_file)
    app.button_group(key="models").set_value([]).run()
    assert app.query_params["models"] == "-"
    app.run()
    assert app.button_group(key="models").value == []
    assert open_page("models", demo_file, models="-").button_group(key="models").value == []


def test_a_default_is_no_choice(open_page, demo_file):
    """Another period may highlight other models: what nobody picked is not in the address."""
    app = open_page("models", demo_file)
    app.selectbox(key="period").set_value("7d").run()
    assert "models" not in app.query_params
    assert (
        app.button_group(key="models").value
        == open_page("models", demo_file, period="7d").button_group(key="models").value
    )


def test_a_point_of_another_period_shows_no_rows(open_page, demo_file):
    app = open_page("models", demo_file, period="12w")
    point = {"subject": "cirrus-l", "period": "2020-01-06"}
    app.session_state["trend_final_score_week"] = {"selection": {"point": [point]}}
    app.run()
    assert not app.exception
    assert "Evaluations of" not in words(app)


def unevaluated(path):
    engine = filled.upgraded(path)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO models (name) VALUES ('lonely')"))
        connection.execute(
            text(
                "INSERT INTO model_evaluations (prediction_id, model_id, predicted_at, final_score) "
                "VALUES ('p', 1, '2026-01-05 03:00:00', 80)"
            )
        )
    assert filled.aggregate(engine) == "succeeded"
    return engine


@pytest.fixture(scope="session")
def unevaluated_file(built):
    """Predictions that nobody has evaluated yet."""
    return built("unevaluated", unevaluated)


@pytest.mark.parametrize("name", PAGES)
def test_predictions_without_any_evaluation(name, open_page, unevaluated_file):
    app = open_page(name, unevaluated_file)
    assert not app.exception


def test_the_log_of_a_run_is_for_operators(open_page, demo_file, monkeypatch, engine):
    for password in ("", "correct horse"):
        monkeypatch.setenv("OPERATOR_PASSWORD", password)
        app = open_page("operations", demo_file)
        app.session_state[newest_runs_key(engine)] = {"selection": {"rows": [0], "columns": [], "cells": []}}
        app.run()
        assert ("Log (times in UTC)" in words(app)) == (not password)


def test_a_page_that_could_not_be_shown_comes_back_by_itself(open_page, demo_file, monkeypatch):
    open_page("overview", demo_file)
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    app = open_page("overview", demo_file)
    assert app.title[0].value == "Not ready yet"
    monkeypatch.setenv("TIMEZONE", "Asia/Seoul")
    assert app.run().title[0].value.startswith("Week")
