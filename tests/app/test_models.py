"""The page Models: verdicts, what is shown beside the lines, who is best, and two models head to head."""

import json

import pandas as pd
from sqlalchemy import select

from db.tables.operations import Verdict
from tests.app.test_pages import words


def drawn(app):
    """Whether the trend has a line for a target."""
    charts = app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")
    marks = [layer["mark"] for layer in json.loads(charts[0].proto.spec)["layer"]]
    return any(mark.get("strokeDash") == [6, 4] for mark in marks)


def test_the_verdicts_of_the_page_are_those_of_the_table(open_page, demo_file, engine):
    app = open_page("models", demo_file)
    (table,) = [frame.value for frame in app.dataframe if "verdict" in frame.value]
    with engine.connect() as connection:
        newest = select(Verdict.week_start).order_by(Verdict.week_start.desc()).limit(1)
        mine = Verdict.metric == "avg_final_score", Verdict.week_start == newest.scalar_subquery()
        rows = {row.subject: row for row in connection.execute(select(Verdict).where(*mine))}
    assert set(table["model"]) == set(rows)
    for shown in table.to_dict("records"):
        row = rows[shown["model"]]
        assert list(shown["verdict"]) == [row.verdict]
        assert shown["score"] == row.value and shown["change"] == row.change
        assert shown["n"] == f"{row.n} / {row.n_previous}"
    assert table["model"].iloc[0] == "harbor-mini", "the most surprising change first"


def test_period_before_and_target_are_shown_when_asked_for(open_page, demo_file, tmp_path, monkeypatch):
    file = tmp_path / "targets.yaml"
    file.write_text("final_score: 72.5\n")
    monkeypatch.setenv("TARGETS_FILE", str(file))
    app = open_page("models", demo_file)
    assert drawn(app) and "dotted" not in words(app)
    app = open_page("models", demo_file, also="before")
    assert "dotted: " in words(app)
    assert not drawn(app)
    assert app.query_params["also"] in ("before", ["before"])


def test_a_broken_file_of_targets_is_told(open_page, demo_file, tmp_path, monkeypatch):
    file = tmp_path / "targets.yaml"
    file.write_text("points: 72\n")
    monkeypatch.setenv("TARGETS_FILE", str(file))
    assert "there is no metric “points”" in words(open_page("models", demo_file)).replace("\\", "")


def test_the_best_model_is_named(open_page, demo_file):
    told = words(open_page("models", demo_file, period="26w"))
    assert "Best: **" in told and "clearly behind" in told


def test_two_models_head_to_head(open_page, demo_file):
    app = open_page("models", demo_file)
    assert "Choose two models" in words(app)
    app.multiselect(key="pair").set_value(["cirrus-l", "gale-1"]).run()
    assert not app.exception
    told = words(app)
    assert "**cirrus-l is better**: cirrus-l scores +" in told
    assert "cirrus-l was ahead in " in told
    assert app.query_params["pair"] == ["cirrus-l", "gale-1"]


def test_two_thousand_models_cost_a_rerun_no_look_at_all_rows_for_each(
    open_page, very_many_file, monkeypatch
):
    app = open_page("models", very_many_file, view="all", period="7d").run()
    assert "The first 12 by rank; 1,988 more models are in the table below" in words(app)
    assert len(app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")) <= 16, "12 panels, 3 with rows"
    looks, get = [], pd.DataFrame.__getitem__
    monkeypatch.setattr(
        pd.DataFrame, "__getitem__", lambda frame, key: (looks.append(key), get(frame, key))[1]
    )
    app.run()
    assert not app.exception
    assert 0 < len(looks) < 500


def test_a_source_of_overall_ratings_alone_is_shown_by_them(open_page, ratings_file):
    app = open_page("models", ratings_file)
    assert app.selectbox(key="metric").value == "rating_overall"
    assert len(app.button_group(key="models").value) == 3
    assert "models" not in app.query_params, "what the page picks by itself is no choice"
    (table,) = [frame for frame in app.dataframe if "evaluated" in frame.value]
    assert table.value["score"].notna().all() and table.value["n"].eq(24).all()
    assert table.value["score"].is_monotonic_decreasing
    assert not {"human", "achieved", "breach"} & set(table.value), "columns without any figure"
    assert json.loads(table.proto.columns)["score"]["label"] == "Overall rating, 20–100"


def test_the_overview_names_the_overall_rating_as_what_it_is(open_page, ratings_file):
    app = open_page("overview", ratings_file)
    assert [metric.label for metric in app.metric] == ["Overall rating", "Evaluated"]
    assert "–" not in [metric.value for metric in app.metric]
    assert "Ranked by mean overall rating, 20–100" in words(app)


def test_the_caption_says_all_that_hollow_means(open_page, demo_file):
    app = open_page("models", demo_file)
    assert "hollow: fewer than 3 predictions, or unfinished · " in words(app)
    app = open_page("models", demo_file, **{"period": "own", "from": "2026-01-05", "to": "2026-01-25"})
    assert "hollow: fewer than 3 predictions · " in words(app)


def test_a_single_week_is_no_line(open_page, demo_file):
    app = open_page("models", demo_file, period="7d")
    (table,) = [frame.value for frame in app.dataframe if "evaluated" in frame.value]
    assert "line" not in table or all(line is None or len(line) > 1 for line in table["line"])


def test_a_fifth_model_is_refused_in_words_and_stays_out_of_the_address(open_page, demo_file):
    app = open_page("models", demo_file)
    four = ["cirrus-l", "gale-1", "atlas-2", "ember-3"]
    app.button_group(key="models").set_value(four).run()
    assert "At most 4 models" not in words(app)
    app.button_group(key="models").set_value(["borealis-7b", *four]).run()
    assert "At most 4 models are highlighted" in words(app)
    assert sorted(app.button_group(key="models").value) == sorted(four), "those that were there stay"
    assert sorted(app.query_params["models"]) == sorted(four)
    app.run()
    assert "At most 4 models" not in words(app), "said once"
