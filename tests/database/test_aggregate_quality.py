"""Days and weeks of AI quality against pandas, and what a second run does."""

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Engine, delete, select, update
from test_aggregate_models import Here

from db.importing import Report, import_file
from db.tables.operations import StaleMark
from db.tables.quality import (
    CRITERIA,
    ConversationEvaluation,
    DailyAiQuality,
    FeedbackLog,
    WeeklyAiQuality,
)
from jobs.aggregate_quality import aggregate_quality
from jobs.job import DayParameters, Outcome

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
MONDAY = date(2026, 11, 9)
LATER = NOW + timedelta(days=9)
DATA = Path(__file__).parents[3] / "shared" / "data"
HEADER = "conversation_id,model,evaluator,created_at,score,quality,accuracy\n"


def aggregate(engine: Engine, **params: Any) -> Outcome:
    return aggregate_quality(engine, DayParameters(**params), Here(NOW))


def bring(engine: Engine, folder: Path, table: str, text: str) -> Report:
    file = folder / f"{table}.csv"
    file.write_text(text)
    return import_file(engine, table, file, zone=SEOUL, now=NOW)


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.execute(select(table.__table__).order_by(*table.__table__.primary_key.columns))
        return [dict(row) for row in found.mappings()]


def marks(engine: Engine, *tables: str) -> int:
    with engine.connect() as connection:
        return len(connection.execute(select(StaleMark).where(StaleMark.table_name.in_(tables))).all())


@pytest.fixture
def two_weeks(engine: Engine, tmp_path: Path) -> Engine:
    lines = []
    for week, scores in ((0, (6, 8, 7)), (1, (9, 9, 6))):
        for k, score in enumerate(scores):
            day = MONDAY + timedelta(days=7 * week + k)
            lines.append(
                f"c{week}{k},m{k % 2},{('gpt', 'human')[k == 2]},{day}T12:00,{score},{score},{'' if k else 8}"
            )
    bring(engine, tmp_path, "conversation_evaluation", HEADER + "\n".join(lines) + "\n")
    likes = "".join(f"c0{k},{k},{MONDAY}T13:00,{'dislike' if k == 3 else 'like'},m0\n" for k in range(4))
    bring(engine, tmp_path, "feedback_log", "conversation_id,message_id,created_at,feedback,model\n" + likes)
    aggregate(engine)
    return engine


def test_a_week_by_hand(two_weeks: Engine) -> None:
    found = {(row["week_start"], row["evaluator"]): row for row in rows(two_weeks, WeeklyAiQuality)}
    week, after = MONDAY, MONDAY + timedelta(days=7)
    assert set(found) == {(monday, who) for monday in (week, after) for who in ("*", "gpt", "human")}
    everybody = found[week, "*"]
    assert (everybody["evaluation_count"], everybody["avg_score"], everybody["std_score"]) == (3, 7, 1)
    assert (everybody["likes"], everybody["dislikes"], everybody["feedback_score"]) == (3, 1, 0.75)
    assert (everybody["accuracy_count"], everybody["avg_accuracy"]) == (1, 8)
    assert everybody["ai_index"] == pytest.approx((7 + 8 + 7.5) / 3)
    assert everybody["change_pct"] is None
    assert found[after, "*"]["change_pct"] == pytest.approx(100 / 7)
    assert found[after, "*"]["ai_index"] is None, "no likes, so one part is missing"
    assert (found[week, "human"]["avg_score"], found[week, "human"]["std_score"]) == (7, None)
    assert (found[week, "gpt"]["likes"], found[week, "gpt"]["feedback_score"]) == (0, None)


def test_a_second_run_changes_nothing(two_weeks: Engine) -> None:
    before = rows(two_weeks, DailyAiQuality), rows(two_weeks, WeeklyAiQuality)
    assert marks(two_weeks, "conversation_evaluation", "feedback_log") == 0
    assert aggregate(two_weeks, since=MONDAY, until=MONDAY + timedelta(days=20)).rows_written == 0
    assert (rows(two_weeks, DailyAiQuality), rows(two_weeks, WeeklyAiQuality)) == before


def test_what_went_leaves_no_row(two_weeks: Engine) -> None:
    with two_weeks.begin() as connection:
        connection.execute(delete(ConversationEvaluation).where(ConversationEvaluation.day > MONDAY))
    aggregate(two_weeks)
    assert [(row["date"], row["evaluator"]) for row in rows(two_weeks, DailyAiQuality)] == [
        (MONDAY, "*"),
        (MONDAY, "gpt"),
    ]
    assert [row["evaluator"] for row in rows(two_weeks, WeeklyAiQuality)] == ["*", "gpt"]
    with two_weeks.begin() as connection:
        connection.execute(delete(ConversationEvaluation))
    aggregate(two_weeks)
    (week,) = rows(two_weeks, WeeklyAiQuality)
    assert (week["evaluator"], week["evaluation_count"], week["avg_score"], week["likes"]) == (
        "*",
        0,
        None,
        3,
    )


def test_a_changed_week_moves_the_change_of_the_next(two_weeks: Engine) -> None:
    with two_weeks.begin() as connection:
        first = update(ConversationEvaluation).where(ConversationEvaluation.day < MONDAY + timedelta(days=7))
        connection.execute(first.values(score=4))
    aggregate(two_weeks)
    found = {(row["week_start"], row["evaluator"]): row for row in rows(two_weeks, WeeklyAiQuality)}
    assert found[MONDAY + timedelta(days=7), "*"]["change_pct"] == pytest.approx(100)


def test_a_dry_run_tells_and_writes_nothing(two_weeks: Engine) -> None:
    before = rows(two_weeks, DailyAiQuality)
    with two_weeks.begin() as connection:
        connection.execute(update(FeedbackLog).values(feedback="like"))
    outcome = aggregate(two_weeks, dry_run=True)
    assert (outcome.result["added"], outcome.result["changed"], outcome.result["removed"]) == (0, 1, 0)
    assert rows(two_weeks, DailyAiQuality) == before


def test_weeks_across_new_year_and_in_a_year_of_53(engine: Engine, tmp_path: Path) -> None:
    days = ("2020-12-27", "2020-12-28", "2021-01-03", "2021-01-04")
    lines = "".join(f"c{k},m,judge,{day}T12:00,{5 + k},,\n" for k, day in enumerate(days))
    bring(engine, tmp_path, "conversation_evaluation", HEADER + lines)
    aggregate(engine)
    found = [row for row in rows(engine, WeeklyAiQuality) if row["evaluator"] == "*"]
    assert [(str(row["week_start"]), row["evaluation_count"]) for row in found] == [
        ("2020-12-21", 1),
        ("2020-12-28", 2),
        ("2021-01-04", 1),
    ]
    assert [row["change_pct"] for row in found] == [None, pytest.approx(30), pytest.approx(100 * 1.5 / 6.5)]


@pytest.mark.skipif(not DATA.exists(), reason="the real files are not here")
def test_real_files_against_pandas(engine: Engine) -> None:
    tables: dict[str, pd.DataFrame] = {}
    for table in ("conversation_evaluation", "feedback_log"):
        files = sorted(DATA.glob(f"D_{table}__*"))
        for file in files:
            report = import_file(engine, table, file, zone=SEOUL, now=NOW)
            assert (report.rejected, import_file(engine, table, file, zone=SEOUL, now=NOW).new) == (0, 0)
        tables[table] = pd.concat(map(pd.read_csv, files))
    aggregate(engine)
    judged, likes = (_by_monday(table) for table in tables.values())
    found = {(row["week_start"], row["evaluator"]): row for row in rows(engine, WeeklyAiQuality)}
    groups: list[tuple[Any, pd.DataFrame]] = [*judged.groupby(["week", "evaluator"])]
    groups += [((week, "*"), some) for week, some in judged.groupby("week")]
    for (week, evaluator), some in groups:
        row = found[week.date(), evaluator]
        assert row["evaluation_count"] == len(some)
        assert math.isclose(row["avg_score"], some["score"].mean(), rel_tol=1e-9)
        for name in CRITERIA:
            values = some.get(name.removesuffix("_match"), pd.Series(dtype=float)).dropna()
            assert row[f"{name}_count"] == len(values)
            if len(values) > 1:
                assert math.isclose(row[f"std_{name}"], values.std(), rel_tol=1e-9, abs_tol=1e-12)
    for week, some in likes.groupby("week"):
        row = found[week.date(), "*"]
        assert (row["likes"], row["dislikes"]) == tuple(
            (some["feedback"] == x).sum() for x in ("like", "dislike")
        )
    assert len(found) == len(groups) + len(set(likes["week"]) - set(judged["week"]))


def _by_monday(table: pd.DataFrame) -> pd.DataFrame:
    at = pd.to_datetime(table["created_at"], utc=True).dt.tz_convert(SEOUL).dt.tz_localize(None)
    return table.assign(week=(at - pd.to_timedelta(at.dt.day_of_week, unit="D")).dt.normalize())


def test_whether_likes_and_scores_agree(engine: Engine, tmp_path: Path) -> None:
    talks = [(f"c{k}", 5 + k % 3 + 2 * (k < 12)) for k in range(24)] + [("unrated", 9)]
    lines = [f"{talk},m,judge,{MONDAY}T12:00,{score},," for talk, score in talks]
    bring(engine, tmp_path, "conversation_evaluation", HEADER + "\n".join(lines) + "\n")
    sunday_after, later = MONDAY + timedelta(days=13), MONDAY + timedelta(days=14)
    likes = [f"c{k},{k},{sunday_after}T12:00,{'like' if k < 12 else 'dislike'},m" for k in range(24)]
    likes += [f"unrated,1,{later}T00:00,like,m", f"c3,x,{MONDAY}T12:00,dislike,m"]
    head = "conversation_id,message_id,created_at,feedback,model\n"
    aggregate_quality(engine, DayParameters(), Here(LATER))
    bring_later = import_file(
        engine, "feedback_log", written(tmp_path, head + "\n".join(likes) + "\n"), zone=SEOUL, now=LATER
    )
    assert bring_later.new == 26
    aggregate_quality(engine, DayParameters(), Here(LATER))
    (row,) = [row for row in rows(engine, WeeklyAiQuality) if row["evaluator"] == "*" and row["avg_score"]]
    counts = ("conversation_count", "rated_count", "liked_count", "disliked_count")
    assert [row[name] for name in counts] == [25, 24, 11, 12], "c3 has one of each, and is neither"
    # Scores 7, 8, 9 of the liked against 5, 6, 7 of the disliked: only 7 against 7 is a tie.
    sevens = sum(1 for k in range(12) if k % 3 == 0 and k != 3)
    assert row["agreement"] == pytest.approx(1 - 0.5 * sevens * 4 / (11 * 12))
    assert row["agreement_low"] < row["agreement"] < row["agreement_high"] <= 1
    assert aggregate(engine).rows_written == 0


def written(folder: Path, text: str) -> Path:
    file = folder / "feedback.csv"
    file.write_text(text)
    return file
