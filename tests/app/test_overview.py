"""The overview's rows: how they are ranked, and the way to the others."""

from datetime import date

import pandas as pd

from dashboard import lineup
from dashboard.lineup import SCORE
from tests.app.test_pages import words


def test_the_rule_of_the_ranking_stands_above_the_rows(open_page, demo_file):
    told = words(open_page("overview", demo_file))
    assert f"Ranked by mean score, 0–100; models with fewer than {SCORE.enough} scores come after" in told


def test_those_that_are_not_shown_are_a_link_that_keeps_the_choices(open_page, many_file):
    app = open_page("overview", many_file, period="26w")
    (link,) = app.get("page_link")
    assert link.proto.label == "188 more models"
    assert link.proto.page == "models"
    assert "period=26w" in link.proto.query_string


def test_models_with_few_scores_come_after(monkeypatch):
    totals = pd.DataFrame({"subject": ["lucky", "good", "poor"], "n": [SCORE.enough - 1, SCORE.enough, 50]})
    totals["value"] = [99.0, 80.0, 20.0]
    answers = {"totals": totals, "coverage": totals.assign(subject=["lucky", "good", "unscored"])}
    monkeypatch.setattr(lineup, "ask", lambda query, **days: answers[query.__name__])
    days = {"since": date(2026, 1, 1), "until": date(2026, 2, 1)}
    assert lineup.by_score(days) == ["good", "poor", "lucky", "unscored"]
    assert lineup.noteworthy(days) == ["good", "poor"]
