"""The page Models: verdicts, what is shown beside the lines, who is best, and two models head to head."""

import json

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
    file.write_text("score: 72\n")
    monkeypatch.setenv("TARGETS_FILE", str(file))
    assert "there is no metric “score”" in words(open_page("models", demo_file)).replace("\\", "")


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
