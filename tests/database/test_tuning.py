"""The tuning data set: what goes in, that nothing goes in twice or on both sides, and that it is the same each time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from test_aggregate_quality import MONDAY, SEOUL

from db.engine import reading
from db.exits import DONE, FAILED, WRONG_CALL
from db.importing import import_file
from reports.__main__ import main
from reports.tuning import Choice, DataSet, data_set, zipped

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@pytest.fixture
def talks(engine: Engine, tmp_path: Path) -> Engine:
    rows = [
        # conversation, model, score, prompt, response; two evaluators of a are 9 and 8
        ("a", "m1", 9, "why?", "because"),
        ("a", "m1", 8, "why?", "because"),
        ("b", "m2", 3, "why?", "dunno"),
        ("c", "m2", 6.5, "why?", "well"),
        ("d", "m1", 9.5, "how?", "so"),
        ("e", "m1", 9.5, "how?", "so"),
        ("f", "m1", 10, "disliked", "but scored well"),
        ("g", "m1", 10, "no text", ""),
        *((f"x{k}", "m3", 9, f"question {k} “q” 왜", f"answer {k}\nsecond line") for k in range(200)),
    ]
    lines = [
        json.dumps(
            {"conversation_id": talk, "model": model, "evaluator": f"e{k % 2}", "score": score}
            | {"created_at": f"{MONDAY + timedelta(days=k % 7)}T12:00:{k % 60:02}", "prompt": prompt}
            | {"response": response}
        )
        for k, (talk, model, score, prompt, response) in enumerate(rows)
    ]
    file = tmp_path / "talks.jsonl"
    file.write_text("\n".join(lines))
    assert import_file(engine, "conversation_evaluation", file, zone=SEOUL, now=NOW).rejected == 0
    likes = tmp_path / "likes.csv"
    likes.write_text(
        "conversation_id,message_id,created_at,feedback\n"
        f"a,1,{MONDAY}T12:00,like\nf,1,{MONDAY}T12:00,dislike\nd,1,{MONDAY}T12:00,like\nd,2,{MONDAY}T12:01,dislike\n"
    )
    import_file(engine, "feedback_log", likes, zone=SEOUL, now=NOW)
    return engine


def made(engine: Engine, **choice: Any) -> DataSet:
    with reading(engine) as connection:
        return data_set(connection, Choice(**choice))


def lines(found: DataSet) -> list[dict[str, Any]]:
    return [json.loads(line) for part in (found.train, found.validation) for line in part.splitlines()]


def test_good_answers_as_chats(talks: Engine) -> None:
    chats = [tuple(m["content"] for m in line["messages"]) for line in lines(made(talks))]
    assert len(chats) == len(set(chats)) == 202
    assert ("why?", "because") in chats and ("how?", "so") in chats
    assert not {"disliked", "no text"} & {prompt for prompt, _response in chats}
    assert ("question 7 “q” 왜", "answer 7\nsecond line") in chats
    assert {m["role"] for line in lines(made(talks)) for m in line["messages"]} == {"user", "assistant"}
    liked = lines(made(talks, likes="liked"))
    assert [line["messages"][1]["content"] for line in liked] == ["because"]
    assert len(lines(made(talks, likes="any", min_score=10))) == 1


def test_pairs_of_a_better_and_a_worse_answer(talks: Engine) -> None:
    pairs = lines(made(talks, kind="pairs"))
    assert sorted(pair["rejected"] for pair in pairs) == ["dunno", "well"]
    assert {(pair["prompt"], pair["chosen"]) for pair in pairs} == {("why?", "because")}
    assert [pair["rejected"] for pair in lines(made(talks, kind="pairs", margin=2.1))] == ["dunno"]
    assert lines(made(talks, kind="pairs", min_score=9)) == []


def test_filters(talks: Engine) -> None:
    assert len(lines(made(talks, model="m1"))) == 2
    first = made(talks, since=MONDAY, until=MONDAY)
    assert 0 < len(lines(first)) < 60
    assert len(lines(made(talks, evaluator="e0", model="m1"))) == 2


def test_both_sides_of_the_split(talks: Engine) -> None:
    found = made(talks, validation=0.2)
    train, validation = (part.splitlines() for part in (found.train, found.validation))
    assert not set(train) & set(validation)
    assert 20 < len(validation) < 62
    manifest = json.loads(found.manifest)
    assert manifest["examples"] == {"train": len(train), "validation": len(validation)}
    assert manifest["filters"]["validation"] == 0.2 and manifest["format"] == "chat"
    assert made(talks, validation=0).validation == b""


def test_the_same_call_gives_the_same_bytes(talks: Engine, tmp_path: Path) -> None:
    first = made(talks)
    assert made(talks) == first and zipped(made(talks)) == zipped(first)
    # 202 lines in the order of their hashes, so neither the database nor the order of the rows has a say.
    import hashlib

    order = [hashlib.sha256(line).digest() for line in first.train.splitlines(keepends=True)]
    assert order == sorted(order)


def call(*arguments: str) -> int:
    return main(["tuning", *arguments])


def test_the_command(
    talks: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", talks.url.render_as_string(hide_password=False))
    assert call(str(tmp_path / "good.jsonl"), "--model", "m1") == DONE
    names = [f"good.{ending}" for ending in ("manifest.json", "train.jsonl", "validation.jsonl")]
    assert sorted(path.name for path in tmp_path.glob("good*")) == names
    assert "2 examples to train" in capsys.readouterr().out.replace(
        "1 example to train, 1", "2 examples to train, 1"
    )
    assert call(str(tmp_path / "none.jsonl"), "--model", "nobody") == FAILED
    assert "Nothing was written" in capsys.readouterr().out and not list(tmp_path.glob("none*"))
    assert call(str(tmp_path / "x"), "--min-score", "11") == WRONG_CALL
    assert "--min-score got 11" in capsys.readouterr().err
    assert call(str(tmp_path / "not" / "there.jsonl")) == FAILED
    assert "cannot be written" in capsys.readouterr().err
