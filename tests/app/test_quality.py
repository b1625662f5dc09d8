"""AI quality: what the page says of the demo's answers, and that their text is shown as it is."""

import json
import shutil
from datetime import datetime, time, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import text

from db.clock import business_day, utc_now, week_start
from db.engine import engine_for
from db.importing import import_file
from tests import filled
from tests.app.test_pages import words

ATTACK = "<script>alert(1)</script> **bold** ![x](https://evil.example/x.png) $1^2$ :red[no]"


def test_the_week_its_verdict_and_what_it_is_made_of(open_page, demo_file):
    app = open_page("quality", demo_file)
    assert not app.exception
    score, likes, rated, agree = app.metric
    assert score.label.startswith("Answer score, week") and likes.value.endswith("%")
    assert (float(score.value) > 7, score.delta[0]) == (True, "+")
    assert " of " in rated.value and agree.value.endswith("%")
    told = words(app)
    assert "come from the answers themselves" in told and "Worst conversations" in told


def test_split_by_topic(open_page, demo_file):
    app = open_page("quality", demo_file, by="topic", answers="accuracy", period="26w")
    assert not app.exception
    assert "by topic" in words(app) and "Accuracy by week" in words(app)


def test_by_day(open_page, demo_file):
    app = open_page("quality", demo_file, period="30d", by="model")
    assert not app.exception and "Answer score by day" in words(app)


def test_what_people_typed_is_shown_as_it_is(open_page, tmp_path):
    file, path = tmp_path / "talks.csv", tmp_path / "own.db"
    rows = [
        {"conversation_id": f"c{k}", "model": "m:red[x]", "evaluator": "e", "created_at": utc_now()}
        | {"score": k % 10, "prompt": ATTACK, "response": ATTACK}
        for k in range(12)
    ]
    pd.DataFrame(rows).to_csv(file, index=False)
    engine = filled.upgraded(path)
    assert import_file(engine, "conversation_evaluation", file, zone=filled.SEOUL, now=utc_now()).new == 12
    assert filled.aggregate(engine) == "succeeded"
    with engine.connect() as connection:
        first = connection.scalar(
            text("SELECT id FROM conversation_evaluation ORDER BY score, created_at, id")
        )
    engine.dispose()
    app = open_page("quality", path)
    assert not app.exception
    assert [metric.value for metric in app.metric][:2] == ["3.8", "–"], "the first week, which is not over"
    monday = week_start(business_day(utc_now(), filled.SEOUL))
    key = f"worst_{monday}_{monday + timedelta(days=6)}__"
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert not app.exception and first
    assert [code.value for code in app.code] == [ATTACK, ATTACK]
    assert ATTACK not in "\n".join(element.value for element in app.markdown)


def test_only_answers_and_no_models(open_page, demo_file, tmp_path):
    """Somebody who watches answers only gets an overview without empty cards and without alarm."""
    path = tmp_path / "answers.db"
    shutil.copy(demo_file, path)
    engine = engine_for(f"sqlite:///{path}")
    with engine.begin() as connection:
        tables = ("model_evaluations", "daily_model_performance", "models", "daily_forecasts", "verdicts")
        of_agents = ("agent_performance", "daily_confidence", "system_metrics", "daily_llm_usage")
        for table in (*tables, *of_agents, "stale_marks"):
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()
    app = open_page("overview", path)
    assert not app.exception
    told = words(app)
    assert "No model sent anything" not in told and "Nothing has been aggregated" not in told
    assert [metric.label for metric in app.metric] == ["Answer score", "Likes"]


def spec(app, told: str) -> dict[str, Any]:
    """The chart whose specification holds this."""
    specs = [one.proto.spec for one in app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")]
    (found,) = (json.loads(one) for one in specs if told in one)
    return dict(found)


def test_odd_names_stay_apart_and_one_mark_for_all_has_an_axis(open_page, tmp_path):
    """A source that says “unknown” itself beside one that says nothing, and a model named like all of them."""
    file, path = tmp_path / "talks.csv", tmp_path / "own.db"
    monday = week_start(business_day(utc_now(), filled.SEOUL)) - timedelta(weeks=1)
    rows = [
        {"conversation_id": f"c{k}", "model": ("", "unknown", "*")[k % 3], "evaluator": "e", "score": 10}
        | {"created_at": datetime.combine(monday - timedelta(weeks=k % 2), time(12))}
        for k in range(30)
    ]
    pd.DataFrame(rows).to_csv(file, index=False)
    engine = filled.upgraded(path)
    assert import_file(engine, "conversation_evaluation", file, zone=filled.SEOUL, now=utc_now()).new == 30
    assert filled.aggregate(engine) == "succeeded"
    engine.dispose()
    app = open_page("quality", path, by="model")
    made_of, marks = spec(app, "points of the mean score"), spec(app, '"field": "rate"')
    shown = made_of["layer"][1]["encoding"]["y"]["sort"]
    assert sorted(shown) == ["(unknown)", "*", "all together", "unknown"]
    assert marks["layer"][0]["encoding"]["x"]["scale"]["domain"] == [9, 10]


def test_a_point_of_a_period_that_is_not_shown_any_more(open_page, demo_file):
    app = open_page("quality", demo_file)
    shown = "\n".join(element.value for element in app.markdown)
    old = {"subject": "all answers", "period": "2020-01-06"}
    app.session_state["answers_score_"] = {"selection": {"point": [old]}}
    app.run()
    assert not app.exception
    assert "\n".join(element.value for element in app.markdown) == shown
