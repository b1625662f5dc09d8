"""The gate in front of the jobs: asked again on the server, whatever the browser says; and how often one may guess."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from dashboard import access
from db.clock import utc_now
from db.tables.operations import JobRun
from jobs import queue
from jobs.aggregate_models import JOB

PASSWORD = "correct horse"
OUTSIDE = {"ADDRESS": "0.0.0.0", "ALLOWED_HOSTS": "tidemark.example"}
SHUT = [OUTSIDE, OUTSIDE | {"OPERATOR_PASSWORD": PASSWORD}, {"OPERATOR_PASSWORD": PASSWORD}]


def runs(engine: Engine) -> list[tuple[int, str, bool]]:
    with engine.connect() as connection:
        found = select(JobRun.id, JobRun.status, JobRun.cancel_requested).order_by(JobRun.id)
        return [tuple(row) for row in connection.execute(found)]


def unlock(app: AppTest, password: str) -> None:
    """Types the password into the sidebar's form and sends it."""
    app.sidebar.text_input[0].set_value(password)
    next(button for button in app.sidebar.button if button.label == "Unlock actions").click().run()


def choose_newest_run(app: AppTest, engine: Engine) -> None:
    key = f"runs_{runs(engine)[-1][0]}"
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()


def press(app: AppTest, label: str) -> None:
    """What a browser sends for a button; one that was tampered with sends it also where the button is off."""
    button = next(button for button in app.main.button if button.label == label)
    button.proto.disabled = False
    button.click().run()
    assert not app.exception


def told(app: AppTest) -> str:
    kinds = (app.toast, app.error, app.markdown, app.caption)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.fixture(params=["Cancel", "Run again"])
def label(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(open_page, show, demo_file, engine, label, monkeypatch) -> Callable[[dict[str, str]], AppTest]:
    """Operations with a run chosen that the button is for: one that waits, or one that ended."""

    def do(settings: dict[str, str]) -> AppTest:
        show(demo_file)
        if label == "Cancel":
            queue.request(engine, JOB, JOB.read({}), trigger="manual", by="", now=utc_now())
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        app = open_page("operations", demo_file)
        choose_newest_run(app, engine)
        return app

    return do


shut = pytest.mark.parametrize("settings", SHUT, ids=["outside", "outside with password", "password"])


@shut
def test_a_button_that_is_off_does_nothing_also_when_pressed(opened, engine, label, settings):
    app = opened(settings)
    before = runs(engine)
    assert next(button for button in app.main.button if button.label == label).disabled
    press(app, label)
    assert runs(engine) == before


@shut
def test_a_press_after_the_gate_was_shut_is_refused_by_the_server(
    opened, engine, label, settings, monkeypatch
):
    """The page was drawn when it was open, so that nothing but the callback itself stands in the way."""
    app = opened({})
    before = runs(engine)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    press(app, label)
    assert runs(engine) == before
    assert [toast for toast in app.toast if "password" in toast.value.lower()]


@pytest.mark.parametrize("settings", [{}, OUTSIDE | {"OPERATOR_PASSWORD": PASSWORD}], ids=["here", "outside"])
def test_an_operator_may(opened, engine, label, settings):
    app = opened(settings)
    if settings:
        unlock(app, PASSWORD)
        choose_newest_run(app, engine)
    before = runs(engine)
    press(app, label)
    if label == "Cancel":
        assert runs(engine) == [*before[:-1], (before[-1][0], "cancelled", False)]
    else:
        assert [run[1] for run in runs(engine)] == [*(run[1] for run in before), "queued"]


def test_wrong_passwords_are_counted_over_all_sessions_and_soon_no_more_are_taken(
    open_page, demo_file, monkeypatch
):
    monkeypatch.setenv("OPERATOR_PASSWORD", PASSWORD)
    app = open_page("overview", demo_file)
    for _guess in range(access.WRONG_TRIES):
        unlock(app, "wrong")
        assert "not the password" in told(app)
    other = AppTest.from_file(app._script_path, default_timeout=60).run()
    for session in (app, other):
        unlock(session, PASSWORD)
        assert "Too many wrong passwords" in told(session)
        assert session.sidebar.button(key="run_aggregation").disabled

    monkeypatch.setattr(access, "PER_SECONDS", 0)  # as if that time had gone by
    unlock(other, PASSWORD)
    assert not other.sidebar.button(key="run_aggregation").disabled


def test_many_sessions_at_once_have_no_more_guesses_than_one():
    guesses = access.Guesses()
    typed = [f"guess {n}" for n in range(200)]
    with ThreadPoolExecutor(20) as threads:
        compared = list(threads.map(lambda guess: guesses.is_right(guess, typed[-1]), typed))
    assert not any(compared)
    assert len(guesses._wrong) == access.WRONG_TRIES
    assert guesses.too_many()
