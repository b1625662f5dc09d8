"""The calendar on Operations: how many days are how, which models are shown, and running some days again."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, text

from db.clock import utc_now
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import JobRun
from jobs import claims
from jobs.runner import execute
from jobs.workers import this_worker
from tests import filled
from tests.app.test_pages import words


def choose(app: Any, subject: str, day: date) -> None:
    point = {"subject": subject, "period": str(day)}
    app.session_state["coverage_calendar"] = {"selection": {"point": [point], "range": {}}}
    app.run()
    assert not app.exception


def drag(app: Any, subjects: list[str], days: list[date]) -> None:
    dragged = {"subject": subjects, "period": [str(day) for day in days]}
    app.session_state["coverage_calendar"] = {"selection": {"point": [], "range": dragged}}
    app.run()
    assert not app.exception


def runs(engine: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(JobRun).order_by(JobRun.id)))


def work(engine: Any) -> None:
    """What a worker would do now."""
    while claimed := claims.claim(engine, this_worker(), utc_now()):
        execute(engine, claimed, filled.SEOUL, utc_now)


@pytest.fixture
def stale_day(show, demo_file, engine) -> date:
    """A day of a model whose evaluations somebody corrected since."""
    show(demo_file)
    with engine.begin() as connection:
        day = connection.scalar(
            text(
                "SELECT max(date) FROM daily_model_performance JOIN models ON id = model_id "
                "WHERE name = 'cirrus-l' AND date < date('now', '-20 days')"
            )
        )
        model = connection.scalar(select(Model.id).where(Model.name == "cirrus-l"))
        mine = ModelEvaluation.__table__.c
        connection.execute(
            delete(ModelEvaluation).where(mine.model_id == model, mine.day == date.fromisoformat(day))
        )
    return date.fromisoformat(day)


def test_the_legend_counts_each_state(open_page, demo_file):
    told = words(open_page("operations", demo_file))
    for state in ("complete", "partial", "missing", "restated", "nothing expected"):
        assert state in told


def test_an_empty_database_has_no_calendar(open_page, empty_file):
    app = open_page("operations", empty_file)
    assert "import a file, then run the aggregation" in words(app)
    assert not app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")


def test_many_models_are_searched_and_the_search_is_in_the_address(open_page, many_file, engine):
    app = open_page("operations", many_file)
    assert "the 24 of 200 models with most missing and partial days" in words(app)
    names = app.multiselect(key="rows").options
    app.multiselect(key="rows").set_value([names[0]]).run()
    assert app.query_params["rows"] == [names[0]] or app.query_params["rows"] == names[0]
    assert "the 24 of 200" not in words(app)


def test_the_calendar_follows_the_period(open_page, demo_file):
    week = words(open_page("operations", demo_file, period="7d"))
    assert week != words(open_page("operations", demo_file, period="26w"))


def test_a_click_previews_the_day_once_and_a_button_runs_it_again(open_page, stale_day, demo_file, engine):
    app = open_page("operations", demo_file)
    for _again in range(2):
        choose(app, "cirrus-l", stale_day)
    (asked,) = [run for run in runs(engine) if run.status == "queued"]
    day = str(stale_day)
    assert asked.params == {"dry_run": True, "since": day, "until": day, "model": "cirrus-l"}
    work(engine)
    app.run()
    assert [text for text in app.text if "1 removed" in text.value]
    app.button(key="_again").click().run()
    asked = runs(engine)[-1]
    assert (asked.status, asked.params) == ("queued", {"since": day, "until": day, "model": "cirrus-l"})
    work(engine)
    app.run()
    newest = runs(engine)[-1]
    assert newest.params.get("dry_run"), "what was just run again is previewed anew"
    work(engine)
    assert "nothing" in runs(engine)[-1].message.lower()


def test_a_drag_over_several_models_is_for_all_models(open_page, demo_file, engine):
    app = open_page("operations", demo_file)
    last = utc_now().date() - timedelta(days=20)
    drag(app, ["cirrus-l", "gale-1"], [last, last - timedelta(days=2)])
    assert runs(engine)[-1].params == {
        "dry_run": True,
        "since": str(last - timedelta(days=2)),
        "until": str(last),
    }
    assert "**All models**" in words(app)


def test_who_may_not_press_starts_no_preview(open_page, stale_day, demo_file, engine, monkeypatch):
    monkeypatch.setenv("OPERATOR_PASSWORD", "correct horse")
    app = open_page("operations", demo_file)
    before = len(runs(engine))
    choose(app, "cirrus-l", stale_day)
    assert app.button(key="_again").disabled
    assert len(runs(engine)) == before


def test_the_table_beside_it_has_all_models(open_page, many_file):
    app = open_page("operations", many_file)
    app.session_state["table_days"] = True
    app.run()
    frame = next(frame.value for frame in app.dataframe if "state" in frame.value)
    assert frame["subject"].nunique() == 200


def test_a_period_that_is_yet_to_come(open_page, demo_file):
    app = open_page("operations", demo_file, period="own", **{"from": "2090-01-01", "to": "2090-02-01"})
    assert "no data in this period" in words(app)
