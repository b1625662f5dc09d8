"""Judgements of conversations and likes, from files and programs."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from db.exporting import export_table
from db.importing import Report, import_file
from db.tables.quality import ConversationEvaluation, FeedbackLog
from db.writers import store_conversation_evaluations, store_feedback

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
AT = "2026-11-09T12:00:00Z"
Bring = Callable[[str, str], Report]


@pytest.fixture
def bring(engine: Engine, tmp_path: Path) -> Bring:
    def do(table: str, text: str) -> Report:
        file = tmp_path / "file.csv"
        file.write_text(text)
        return import_file(engine, table, file, zone=ZoneInfo("Asia/Seoul"), now=NOW)

    return do


def stored(engine: Engine, table: Any, *names: str) -> list[Any]:
    columns = [getattr(table, name) for name in names]
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(table.id))]


def test_what_is_not_known_of_a_judgement_is_empty_not_null(engine: Engine, bring: Bring) -> None:
    text = f"conversation_id,created_at,score,model_name,topic,sentiment\nc1,{AT},8,,,7\nc2,{AT},0,m,news,\n"
    assert bring("conversation_evaluation", text).new == 2
    assert bring("conversation_evaluation", text).unchanged == 2
    found = stored(
        engine,
        ConversationEvaluation,
        "conversation_id",
        "model",
        "evaluator",
        "channel",
        "topic",
        "sentiment_match",
    )
    assert found == [("c1", "", "", "", "", 7), ("c2", "m", "", "", "news", None)]


def test_two_judges_of_one_conversation_are_two_rows_and_a_correction_changes_one(
    engine: Engine, bring: Bring
) -> None:
    head = "conversation_id,model,evaluator,created_at,score\n"
    assert bring("conversation_evaluation", f"{head}c1,m,ada,{AT},8\nc1,m,gpt,{AT},6\n").new == 2
    report = bring("conversation_evaluation", f"{head}c1,m,gpt,{AT},7\n")
    assert (report.new, report.updated) == (0, 1)
    assert stored(engine, ConversationEvaluation, "evaluator", "score") == [("ada", 8), ("gpt", 7)]


def test_prompts_keep_their_lines(engine: Engine, bring: Bring, tmp_path: Path) -> None:
    text = f'conversation_id,created_at,score,prompt,response\nc1,{AT},8,"Two\nlines","=1+1 is 2"\n'
    assert bring("conversation_evaluation", text).new == 1
    assert stored(engine, ConversationEvaluation, "prompt", "response") == [("Two\nlines", "=1+1 is 2")]
    export_table(engine, "conversation_evaluation", tmp_path / "out.csv")
    assert "'=1+1 is 2" in (tmp_path / "out.csv").read_text()
    assert bring("conversation_evaluation", (tmp_path / "out.csv").read_text()).unchanged == 1


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (f"c1,{AT},11,m", "11 is outside 0 to 10"),
        (f"c1,{AT},,m", "score is missing"),
        ("c1,,5,m", "created_at is missing"),
    ],
)
def test_what_cannot_be_a_judgement_is_rejected(bring: Bring, cells: str, told: str) -> None:
    report = bring("conversation_evaluation", f"conversation_id,created_at,score,model\n{cells}\n")
    assert (report.rejected, report.new) == (1, 0)
    assert told in report.rejects[0].reason


def test_likes_in_several_words_and_equal_ones_are_all_kept(engine: Engine, bring: Bring) -> None:
    text = f"conversation_id,created_at,feedback,model\nc1,{AT},LIKE,m\nc1,{AT},like,m\nc1,{AT},👎,m\nc2,{AT},meh,m\n"
    report = bring("feedback_log", text)
    assert (report.new, report.rejected) == (3, 1)
    assert "“meh” is none of like, dislike" in report.rejects[0].reason
    assert sorted(stored(engine, FeedbackLog, "feedback")) == [("dislike",), ("like",), ("like",)]
    assert bring("feedback_log", text).unchanged == 3


def test_a_program_stores_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 11, 9, 12, tzinfo=UTC)
    judged = {"conversation_id": "c1", "model": "m", "evaluator": "ada", "created_at": at, "score": 8.5}
    liked = {"conversation_id": "c1", "message_id": "1", "created_at": at, "feedback": "like", "model": "m"}
    assert store_conversation_evaluations([judged], engine=engine, now=NOW).new == 1
    assert store_feedback([liked, liked], engine=engine, now=NOW).new == 1
    assert stored(engine, ConversationEvaluation, "score") == [(8.5,)]


def test_an_evaluator_that_stands_for_all_is_rejected_with_its_line(engine: Engine, bring: Bring) -> None:
    lines = f"c1,m,*,{AT},5\nc2,m,human,{AT},6\n"
    report = bring("conversation_evaluation", "conversation_id,model,evaluator,created_at,score\n" + lines)
    assert (report.new, report.rejected) == (1, 1)
    assert "stands for all of them together" in str(report.reasons)
