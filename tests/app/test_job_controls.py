"""Run now, pause and resume on Operations, and what the health line says then."""

import re
from datetime import date

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from db.clock import utc_now
from db.facts import fact
from db.tables.operations import JobRun
from jobs import queue
from jobs.timetable import JOBS
from tests.app.test_pages import words

NAME = "aggregate_models"


def test_pause_and_resume(open_page, demo_file, engine):
    app = open_page("operations", demo_file)
    app.button(key=f"_pause_{NAME}").click().run()
    told = words(app)
    assert "1 job paused" in told and f":yellow-badge[{NAME}]" in told
    assert "**Aggregate model evaluations** :yellow-badge[paused since " in told
    with engine.connect() as connection:
        assert fact(connection, f"paused:{NAME}")
    app.button(key=f"_resume_{NAME}").click().run()
    assert f"{len(JOBS)} jobs fine" in words(app)


def test_schedule_and_tables_are_lines_that_a_phone_has_room_for(open_page, demo_file):
    app = open_page("operations", demo_file)
    assert not app.table
    told = words(app).replace("\\", "")
    assert "aggregate_models · daily at 17:00]" in told and "[last " in told and " · next " in told
    assert re.search(r"\*\*model_evaluations\*\* :small\[[\d,]+ rows\]", told) and "newest day " in told


def test_run_now(open_page, demo_file, engine):
    app = open_page("operations", demo_file)
    app.button(key=f"_now_{NAME}").click().run()
    with engine.connect() as connection:
        newest = connection.execute(select(JobRun).order_by(JobRun.id.desc()).limit(1)).one()
    assert (newest.status, newest.params, newest.trigger) == ("queued", {}, "manual")


def test_who_may_not_press_changes_nothing(open_page, demo_file, engine, monkeypatch):
    app = open_page("operations", demo_file)
    monkeypatch.setenv("OPERATOR_PASSWORD", "correct horse")
    app.button(key=f"_pause_{NAME}").click().run()
    assert [toast for toast in app.toast if "password" in toast.value.lower()]
    with engine.connect() as connection:
        assert fact(connection, f"paused:{NAME}") is None
    assert app.button(key=f"_pause_{NAME}").disabled


def test_the_size_of_the_database(open_page, demo_file):
    told = words(open_page("operations", demo_file))
    assert "SQLite:" in told and "MB on disk" in told and "job_runs" in told


def asked(engine) -> dict[str, object]:
    """The parameters of the job's newest run."""
    with engine.connect() as connection:
        mine = select(JobRun.params).where(JobRun.job == NAME)
        return connection.scalar(mine.order_by(JobRun.id.desc()).limit(1))


def form() -> None:
    from dashboard import aggregation

    aggregation._form()


@pytest.mark.parametrize("only", ["all", "stale", "missing"])
def test_a_range_and_what_of_it(show, demo_file, engine, only):
    show(demo_file)
    app = AppTest.from_function(form, default_timeout=60).run()
    app.button_group(key="_days").set_value("range").run()
    app.button_group(key="_only").set_value(only).run()
    app.button(key="_preview_button").click().run()
    assert not app.exception
    found = asked(engine)
    assert (found["only"], found["dry_run"]) == (only, True)
    assert {"since", "until"} <= found.keys()


def test_a_range_wants_its_last_day(show, demo_file, engine):
    show(demo_file)
    app = AppTest.from_function(form, default_timeout=60).run()
    app.button_group(key="_days").set_value("range").run()
    app.date_input(key="_range").set_value((date(2026, 1, 5),)).run()
    assert not app.exception
    assert "Choose the last day of the range, too." in [caption.value for caption in app.caption]
    assert app.button(key="_preview_button").disabled and app.button(key="_run_button").disabled


def test_a_preview_goes_with_the_choices_that_it_was_for(show, demo_file, engine):
    show(demo_file)
    app = AppTest.from_function(form, default_timeout=60).run()
    app.button(key="_preview_button").click().run()
    assert [text.value for text in app.text] == ["waiting"] or app.warning
    app.button_group(key="_days").set_value("day").run()
    assert not app.text and not app.warning
    app.button_group(key="_days").set_value("stale").run()
    assert app.text or app.warning


def test_stop_and_resume_in_the_sidebar(open_page, show, demo_file, engine):
    job = JOBS[NAME]
    params = job.read({"since": "2026-01-05", "until": "2026-01-11", "only": "all"})
    show(demo_file)
    run = queue.request(engine, job, params, trigger="manual", by="", now=utc_now())
    app = open_page("overview", demo_file)
    app.session_state["_started"] = (run.id,)
    app.run()
    app.button(key=f"_stop_{run.id}").click().run()
    assert queue.run_row(engine, run.id).status == "cancelled"
    app.button(key=f"_go_on_{run.id}").click().run()
    assert asked(engine) == {"since": "2026-01-05", "until": "2026-01-11", "only": "stale"}


def test_who_may_not_press_cannot_stop(open_page, show, demo_file, engine, monkeypatch):
    show(demo_file)
    run = queue.request(engine, JOBS[NAME], JOBS[NAME].read({}), trigger="manual", by="", now=utc_now())
    monkeypatch.setenv("OPERATOR_PASSWORD", "correct horse")
    app = open_page("overview", demo_file)
    assert not [button for button in app.button if button.key == f"_stop_{run.id}"]
