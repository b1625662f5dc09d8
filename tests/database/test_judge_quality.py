"""Verdicts on AI quality: what they stand on, and that rows of one conversation are no evidence each."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sqlalchemy import Engine, select, update
from test_aggregate_models import Here
from test_aggregate_quality import DATA, SEOUL, bring

from db.engine import reading
from db.importing import import_file
from db.queries.quality import trend
from db.queries.quality_weeks import estimated, weekly
from db.tables.operations import Verdict
from db.tables.quality import ConversationEvaluation
from jobs import judge_week
from jobs.aggregate_quality import aggregate_quality
from jobs.comparisons import judged
from jobs.comparisons import weekly as weekly_figures
from jobs.job import DayParameters

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
WEEK, BEFORE = date(2026, 11, 9), date(2026, 11, 2)
EVALUATIONS = "conversation_id,model,evaluator,created_at,score\n"
FEEDBACKS = "conversation_id,message_id,created_at,feedback,model\n"
Rows = list[tuple[date, str, str, Any]]  # a day, a conversation, a model, a score or like


def fill(engine: Engine, folder: Path, scores: Rows = (), likes: Rows = ()) -> None:  # type: ignore[assignment]
    """Evaluations and feedbacks at noon, each a second later than the one before."""
    for table, header, rows in (
        ("conversation_evaluation", EVALUATIONS, scores),
        ("feedback_log", FEEDBACKS, likes),
    ):
        lines = [
            f"{talk},{model},judge,{at},{value}"
            if table == "conversation_evaluation"
            else f"{talk},{k},{at},{value},{model}"
            for k, (day, talk, model, value) in enumerate(rows)
            for at in [datetime.combine(day, datetime.min.time()) + timedelta(hours=12, seconds=k)]
        ]
        if lines:
            bring(engine, folder, table, header + "\n".join(lines) + "\n")
    aggregate_quality(engine, DayParameters(), Here(NOW))


def verdicts(engine: Engine, monday: date = WEEK) -> dict[tuple[str, str], dict[str, Any]]:
    judge_week.judge_week(engine, judge_week.JudgeWeekParameters(), Here(NOW))
    with reading(engine) as connection:
        rows = connection.execute(select(Verdict).where(Verdict.week_start == monday)).mappings().all()
    return {(row["subject"], row["metric"]): dict(row) for row in rows}


def week(monday: date, scores: list[float], model: str = "m") -> Rows:
    return [(monday + timedelta(days=k % 7), f"{monday}-{k}", model, score) for k, score in enumerate(scores)]


def test_with_a_row_a_conversation_it_is_welch(engine: Engine, tmp_path: Path) -> None:
    now, before = [7 + k % 4 for k in range(16)], [5 + k % 5 for k in range(14)]
    fill(engine, tmp_path, week(BEFORE, before) + week(WEEK, now))
    found = verdicts(engine)
    assert list(found) == [("*", "avg_score")], "one model is all there is"
    (row,) = found.values()
    welch = stats.ttest_ind(now, before, equal_var=False)
    assert (row["word"], row["n"], row["n_previous"], row["verdict"]) == ("quality", 16, 14, "improved")
    assert row["p"] == pytest.approx(welch.pvalue)
    assert row["low"] == pytest.approx(welch.confidence_interval().low)
    assert row["value"] == pytest.approx(np.mean(now))


def test_models_and_likes_are_judged_too(engine: Engine, tmp_path: Path) -> None:
    scores = [
        row for model in "ab" for monday in (BEFORE, WEEK) for row in week(monday, [5, 6, 7] * 4, model)
    ]
    likes = [
        (monday, f"{monday}{k}", "a", "like" if k < good else "dislike")
        for monday, good in ((BEFORE, 4), (WEEK, 15))
        for k in range(16)
    ]
    fill(engine, tmp_path, scores, likes)
    found = verdicts(engine)
    assert set(found) == {(who, "avg_score") for who in ("*", "a", "b")} | {("*", "feedback_score")}
    liked = found["*", "feedback_score"]
    assert (liked["value"], liked["previous"], liked["n"]) == (93.75, 25, 16)
    assert liked["verdict"] == "improved" and liked["comparisons"] == 4
    assert found["b", "avg_score"]["verdict"] == "no clear change"


def test_a_model_named_like_all_of_them_is_not_all_of_them(engine: Engine, tmp_path: Path) -> None:
    scores = [row for model, score in (("*", 2.0), ("b", 8.0)) for row in week(WEEK, [score] * 12, model)]
    fill(engine, tmp_path, scores)
    found = verdicts(engine)
    assert {subject: row["value"] for (subject, _metric), row in found.items()} == {"*": 5, "b": 8}


def test_other_conversations_with_the_same_scores_are_judged_again(engine: Engine, tmp_path: Path) -> None:
    mondays = [BEFORE - timedelta(weeks=1), BEFORE, WEEK]
    fill(engine, tmp_path, [row for monday in mondays for row in week(monday, [5.0, 6.0] * 6)])
    assert verdicts(engine, BEFORE)["*", "avg_score"]["n"] == 12
    days = ConversationEvaluation.day.between(BEFORE, WEEK - timedelta(days=1))
    with engine.begin() as connection:
        connection.execute(update(ConversationEvaluation).where(days).values(conversation_id="one"))
    aggregate_quality(engine, DayParameters(), Here(NOW))
    row = verdicts(engine, BEFORE)["*", "avg_score"]
    assert (row["n"], row["verdict"]) == (1, "too little data")


def test_many_rows_of_few_conversations_are_too_little(engine: Engine, tmp_path: Path) -> None:
    rows = [
        (monday, f"{monday}-{k % 9}", "m", score)
        for monday, score in ((BEFORE, 5), (WEEK, 8))
        for k in range(90)
    ]
    fill(engine, tmp_path, rows, [(day, talk, model, "like") for day, talk, model, _score in rows])
    found = verdicts(engine)
    assert {row["verdict"] for row in found.values()} == {"too little data"}
    assert {row["n"] for row in found.values()} == {9}


def test_a_mean_of_clusters_by_hand(engine: Engine, tmp_path: Path) -> None:
    talks = {f"t{k}": [float(4 + (k + j) % 5) for j in range(1 + k % 3)] for k in range(12)}
    rows = [(WEEK, talk, "m", score) for talk, scores in talks.items() for score in scores]
    fill(engine, tmp_path, rows)
    with reading(engine) as connection:
        (found,) = weekly(connection, "score", WEEK, WEEK).to_dict("records")
    every = [score for scores in talks.values() for score in scores]
    mean = np.mean(every)
    residuals = [sum(scores) - len(scores) * mean for scores in talks.values()]
    variance = len(talks) / (len(talks) - 1) * np.sum(np.square(residuals)) / len(every) ** 2
    assert found["value"] == pytest.approx(mean) and found["n"] == 12
    assert found["std"] ** 2 / 12 == pytest.approx(variance)


def false_alarms(rate: bool, weeks: int, draws: int) -> float:
    """How often two weeks without any change get a verdict, with conversations of 1 to 12 rows that are much alike."""
    random, alarms = np.random.default_rng(7), 0
    for _draw in range(draws):
        rows = []
        for k in range(weeks):
            m = random.integers(1, 13, 40)
            own = random.normal(0, 1, 40)
            if rate:
                y = random.binomial(m, 1 / (1 + np.exp(-(0.7 + 1.5 * own)))).astype(float)
                yy = y * y
            else:
                y = m * (6 + own) + np.sqrt(m) * random.normal(0, 1, 40)
                yy = y * y
            sums = {"n": 40, "m": m.sum(), "y": y.sum(), "mm": (m * m).sum(), "my": (m * y).sum()}
            rows.append(sums | {"yy": yy.sum(), "subject": "*", "week": BEFORE + k * timedelta(weeks=1)})
        frame = estimated(pd.DataFrame(rows), rate)
        metric = "feedback_score" if rate else "score"
        figures = weekly_figures(metric, frame, BEFORE, BEFORE + (weeks - 1) * timedelta(weeks=1))
        last = BEFORE + (weeks - 1) * timedelta(weeks=1)
        (row,) = judged({"quality": [figures]}, last, NOW)
        alarms += row["verdict"] in ("improved", "declined")
    return alarms / draws


@pytest.mark.parametrize("rate", [False, True], ids=["scores", "likes"])
def test_repeated_rows_raise_no_more_false_alarms_than_said(rate: bool) -> None:
    draws = 800
    error = np.sqrt(0.05 * 0.95 / draws)
    assert false_alarms(rate, 2, draws) <= 0.05 + 3 * error


def test_the_pages_week_is_the_verdicts_week(engine: Engine, tmp_path: Path) -> None:
    files = sorted(DATA.glob("D_*eval*")) if DATA.exists() else []
    if not files:
        pytest.skip("the real data are not here")
    for file in files:
        import_file(engine, "conversation_evaluation", file, zone=SEOUL, now=NOW)
    aggregate_quality(engine, DayParameters(), Here(NOW))
    with reading(engine) as connection:
        pages = trend(connection, "score", date(1990, 1, 1), WEEK, "week", WEEK)
        judges = weekly(connection, "score", pages["period"].min(), pages["period"].max())
    mine = judges[judges["subject"] == "*"].set_index("week")
    pages = pages.set_index("period")
    assert len(pages) == len(mine) > 3
    np.testing.assert_allclose(mine["value"], pages["value"], rtol=1e-9)
    assert (mine["n"] <= pages["n"]).all()
