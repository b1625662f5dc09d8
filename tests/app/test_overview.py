"""The overview: what needs a person, what changed and how clear it is, and the way to the rest."""

import re
from datetime import date, timedelta

import pandas as pd
import pytest
from sqlalchemy import delete, select, update

from dashboard import lineup
from dashboard.lineup import SCORE
from db.engine import engine_for, raise_data_version
from db.queries.attention import went_silent
from db.tables.models import DailyModelPerformance, Model
from db.tables.operations import JobRun, Verdict
from tests.app.test_pages import words


def clear_ones(file):
    clear = Verdict.verdict.in_(("improved", "declined"))
    newest = select(Verdict.week_start).order_by(Verdict.week_start.desc()).limit(1).scalar_subquery()
    with engine_for(f"sqlite:///{file}").connect() as connection:
        rows = connection.execute(select(Verdict).where(clear, Verdict.week_start == newest)).all()
        week = connection.scalar(select(newest))
    return week, rows


def test_the_title_is_the_week_that_was_judged(open_page, demo_file):
    week, _rows = clear_ones(demo_file)
    app = open_page("overview", demo_file)
    assert app.title[0].value == f"Week {week.isocalendar().week}"
    before = (week - timedelta(days=7)).isocalendar().week
    assert f"compared with week {before}" in words(app)


def test_an_older_period_has_the_verdicts_of_its_last_week(open_page, demo_file):
    week, _rows = clear_ones(demo_file)
    last = week - timedelta(days=15)
    asked = {"period": "own", "from": str(last - timedelta(days=40)), "to": str(last)}
    app = open_page("overview", demo_file, **asked)
    assert app.title[0].value == f"Week {last.isocalendar().week}"


def test_every_clear_change_has_a_row_with_the_figures_of_the_table(open_page, demo_file):
    _week, rows = clear_ones(demo_file)
    app = open_page("overview", demo_file)
    told = words(app)
    assert rows, "the demo has a real decline"
    for row in rows:
        assert f"{row.subject}" in told.replace("\\", "")
        assert f"n = {row.n:,} / {row.n_previous:,} · {row.surprise:.1f} σ" in told
    assert told.count("-badge[:material/priority_high: declined]") == sum(
        row.verdict == "declined" for row in rows
    )


def test_what_is_quiet_is_one_line(open_page, demo_file):
    told = words(open_page("overview", demo_file))
    assert "comparisons are within their noise" in told


def test_where_nothing_could_be_compared_the_best_models_and_the_way_to_the_others(open_page, many_file):
    app = open_page("overview", many_file, period="26w")
    assert f"Ranked by mean score, 0–100; models with fewer than {SCORE.enough} scores" in words(app)
    (link,) = [link for link in app.get("page_link") if "more models" in link.proto.label]
    assert (link.proto.label, link.proto.page) == ("188 more models", "models")
    assert "period=26w" in link.proto.query_string


def test_before_the_first_verdict_the_best_models_stand_there(open_page, show, demo_file, engine, tmp_path):
    show(demo_file)
    with engine.begin() as connection:
        connection.execute(delete(Verdict))
        raise_data_version(connection)
    told = words(open_page("overview", demo_file))
    assert f"Ranked by mean score, 0–100; models with fewer than {SCORE.enough} scores come after" in told


def test_a_failed_job_comes_first_and_can_be_run_again(open_page, show, demo_file, engine):
    show(demo_file)
    with engine.begin() as connection:
        failed = update(JobRun).where(JobRun.job == "aggregate_models")
        connection.execute(failed.values(status="failed", error="price *list* is gone"))
    app = open_page("overview", demo_file)
    assert "**aggregate\\_models stopped" in words(app)
    assert "price \\*list\\* is gone" in words(app)
    app.button(key="item_0").click().run()
    with engine.connect() as connection:
        newest = connection.execute(select(JobRun).order_by(JobRun.id.desc()).limit(1)).one()
    assert (newest.job, newest.status) == ("aggregate_models", "queued")


def test_a_model_that_sent_nothing_needs_a_person(open_page, show, demo_file, engine):
    week, _rows = clear_ones(demo_file)
    show(demo_file)
    with engine.begin() as connection:
        mine = DailyModelPerformance.model_id.in_(select(Model.id).where(Model.name == "atlas-2"))
        gone = delete(DailyModelPerformance).where(mine, DailyModelPerformance.date >= week)
        assert connection.execute(gone).rowcount
        raise_data_version(connection)
    assert "**atlas-2 sent nothing**" in words(open_page("overview", demo_file))


def test_when_nothing_comes_at_all_that_needs_a_person(open_page, show, demo_file, engine):
    week, _rows = clear_ones(demo_file)
    show(demo_file)
    with engine.begin() as connection:
        connection.execute(delete(DailyModelPerformance).where(DailyModelPerformance.date >= week))
        raise_data_version(connection)
    assert "**No model sent anything**" in words(open_page("overview", demo_file))


LAST = date(2026, 11, 9)


@pytest.mark.parametrize(
    ("weeks_ago", "silent"),
    [
        (range(1, 9), True),
        (range(4, 12), True),
        ((8, 9, 10, 12, 13, 15), True),
        (range(9, 20), False),
        (range(9), False),
        (range(-1, 9), False),
        ((1, 2, 3, 4, 5), False),
        ((1, 3, 5, 7, 9, 11), False),
    ],
)
def test_a_model_is_missed_that_was_there_week_after_week(weeks_ago, silent):
    seen = sorted(LAST - timedelta(weeks=ago) for ago in weeks_ago)
    assert went_silent(seen, LAST) is silent


def answering(monkeypatch, known, totals):
    answers = {"totals": totals, "coverage": totals.assign(subject=["lucky", "good", "unscored"])}
    answers["metrics_with_data"] = known
    monkeypatch.setattr(lineup, "ask", lambda query, **asked: answers[query.__name__])


TOTALS = pd.DataFrame(
    {
        "subject": ["lucky", "good", "poor"],
        "n": [SCORE.enough - 1, SCORE.enough, 50],
        "value": [99.0, 80.0, 20.0],
    }
)
DAYS = {"since": date(2026, 1, 1), "until": date(2026, 2, 1)}


def test_models_with_few_scores_come_after(monkeypatch):
    answering(monkeypatch, ["final_score", "coverage"], TOTALS)
    assert lineup.ranked(DAYS) == ["good", "poor", "lucky", "unscored"]
    assert lineup.noteworthy(SCORE, DAYS) == ["good", "poor"]


def test_where_less_is_better_the_least_comes_first(monkeypatch):
    answering(monkeypatch, ["support_breach_rate", "coverage"], TOTALS)
    assert lineup.headline(DAYS).name == "support_breach_rate"
    assert lineup.ranked(DAYS) == ["poor", "good", "lucky", "unscored"]


def test_what_every_prediction_has_is_no_headline(monkeypatch):
    answering(monkeypatch, ["coverage"], TOTALS)
    assert lineup.headline(DAYS) is SCORE


def test_headline_cards_say_on_how_much_and_how_sure_they_are(open_page, demo_file):
    told = words(open_page("overview", demo_file))
    assert len(re.findall(r"^n = [\d,]+ · 95%:\s[\d.]+%?\s…\s[\d.]+%?$", told, re.M)) == 9
