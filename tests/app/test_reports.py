"""The weekly report on the page: as it will look, asked for, and how each stands that was sent."""

import base64
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from db.clock import business_day, utc_now
from db.engine import bookkeeping, engine_for
from db.tables.operations import JobRun, Report
from reports.blocks import Header, Message
from reports.digest import KIND, last_finished_week
from reports.stored import to_json
from tests import filled
from tests.app.test_pages import words


def last_week() -> date:
    return last_finished_week(business_day(utc_now(), filled.SEOUL))


def framed(app) -> str:
    """The page in the frame."""
    (frame,) = app.get("iframe")
    kind, content = frame.proto.src.split(",", 1)
    assert kind == "data:text/html;charset=utf-8;base64"
    return base64.b64decode(content).decode()


def runs(path) -> list[dict[str, object]]:
    engine = engine_for(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = connection.scalars(select(JobRun.params).where(JobRun.job == "send_digest")).all()
    engine.dispose()
    return list(found)


@pytest.fixture
def keep(tmp_path, own_copy):
    """Adds a report with this status to the copy of the database that a page reads."""

    def do(status: str, **more: object) -> None:
        engine = engine_for(f"sqlite:///{tmp_path / 'tidemark.db'}")
        content = to_json(Message("told", [Header("Kept <b>as it was</b>")]))
        row = {"kind": KIND, "week_start": last_week(), "language": "en", "channel": "ai-weekly"}
        row |= {"content": content, "status": status, "sent_at": datetime(2026, 11, 16, tzinfo=UTC)} | more
        with engine.begin() as connection:
            connection.execute(insert(Report), row)
        engine.dispose()

    return do


def test_the_report_as_it_will_look(open_page, demo_file):
    app = open_page("reports", demo_file)
    assert not app.exception
    page = framed(app)
    assert f"week {last_week().isocalendar().week}" in page and "AI performance report" in page
    assert page.count("data:image/png;base64,") == 4
    assert "Nothing was sent yet" in words(app) and "written as an HTML file" in words(app)
    app.selectbox(key="_week_page").set_value(last_week() - timedelta(weeks=1)).run()
    assert f"week {(last_week() - timedelta(weeks=1)).isocalendar().week}" in framed(app)


def test_a_job_that_failed_meanwhile_is_in_the_preview_as_it_will_be_told(open_page, demo_file, engine):
    """A failed run changes no data, and so no version of them."""
    app = open_page("reports", demo_file)
    assert "Aggregate model evaluations failed" not in framed(app)
    ended = {"status": "failed", "finished_at": utc_now(), "error": "no disk"}
    with bookkeeping(engine) as connection:
        last = connection.scalar(select(func.max(JobRun.id)).where(JobRun.job == "aggregate_models"))
        connection.execute(update(JobRun).where(JobRun.id == last).values(ended))
    app.run()
    assert "Aggregate model evaluations failed" in framed(app) and "no disk" in framed(app)


def test_sending_queues_the_job_with_what_was_chosen(open_page, demo_file, tmp_path, own_copy):
    app = open_page("reports", demo_file)
    app.selectbox(key="_in_page").set_value("ko").run()
    app.button(key="_send_page").click().run()
    assert not app.exception
    (params,) = runs(tmp_path / "tidemark.db")
    assert (params["week"], params["language"]) == (str(last_week()), "ko")


@pytest.mark.parametrize(("status", "badge"), [("sent", "green"), ("failed", "red"), ("unknown", "yellow")])
def test_how_a_report_stands(open_page, show, demo_file, keep, status, badge):
    show(demo_file)
    keep(status, error="Invite the bot to #ai-weekly." if status == "failed" else None)
    app = open_page("reports", demo_file)
    assert f":{badge}-badge[" in words(app)
    assert ("Invite the bot" in words(app)) == (status == "failed")
    assert bool([button for button in app.button if button.label == "It is there"]) == (status == "unknown")


def test_it_is_there(open_page, show, demo_file, keep, tmp_path):
    show(demo_file)
    keep("unknown")
    app = open_page("reports", demo_file)
    next(button for button in app.button if button.label == "It is there").click().run()
    assert ":green-badge[" in words(app)
    assert runs(tmp_path / "tidemark.db") == []


def test_a_failed_one_is_sent_again(open_page, show, demo_file, keep, tmp_path):
    show(demo_file)
    keep("failed", error="no")
    app = open_page("reports", demo_file)
    next(button for button in app.button if button.key.startswith("_again_")).click().run()
    (params,) = runs(tmp_path / "tidemark.db")
    assert (params["channel"], params["week"], params.get("again", False)) == (
        "ai-weekly",
        str(last_week()),
        False,
    )


def test_who_may_not_press_can_look(open_page, show, demo_file, keep, monkeypatch, tmp_path):
    show(demo_file)
    keep("failed", error="no")
    monkeypatch.setenv("OPERATOR_PASSWORD", "correct horse")
    app = open_page("reports", demo_file)
    assert "AI performance report" in framed(app)
    assert all(
        button.disabled for button in app.button if button.key.startswith(("_again_", "_send_", "send_"))
    )


def test_only_some_reports_have_an_address(open_page, show, demo_file, keep):
    show(demo_file)
    keep("sent", permalink="https://slack.example/archives/1")
    keep("failed", channel="other", sent_at=None, claimed_at=datetime(2026, 11, 16, tzinfo=UTC))
    app = open_page("reports", demo_file)
    assert [link.proto.url for link in app.get("link_button")] == ["https://slack.example/archives/1"]


def test_an_empty_database_has_a_report_too(open_page, empty_file):
    app = open_page("reports", empty_file)
    assert not app.exception and "No data came in this week" in framed(app)


def test_a_link_opens_the_form_of_an_action_and_no_more(open_page, demo_file, tmp_path, own_copy):
    app = open_page("overview", demo_file, do="send")
    assert not app.exception
    assert [button.key for button in app.button if button.key == "_send_dialog"]
    assert "do" not in app.query_params and runs(tmp_path / "tidemark.db") == []
    app.run()
    assert not [button.key for button in app.button if button.key == "_send_dialog"]


def test_the_result_leads_to_the_message(open_page, demo_file, tmp_path, own_copy):
    app = open_page("reports", demo_file)
    app.button(key="_send_page").click().run()
    engine = engine_for(f"sqlite:///{tmp_path / 'tidemark.db'}")
    done = {
        "status": "succeeded",
        "finished_at": utc_now(),
        "result": {"url": "https://slack.example/archives/1"},
    }
    with engine.begin() as connection:
        connection.execute(update(JobRun).where(JobRun.job == "send_digest").values(done))
    engine.dispose()
    app.run()
    assert [link.proto.url for link in app.get("link_button")] == ["https://slack.example/archives/1"]
