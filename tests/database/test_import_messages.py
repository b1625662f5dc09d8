"""What an import says: of broken files, of many rows with one fault, of nothing to import, of a busy database."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from settings import ROOT

HEADER = "prediction_id,model_name,predicted_at,final_score\n"
Tell = Callable[..., tuple[int, list[str], str]]


def row(number: int, score: object = 70, model: str = "atlas-2") -> str:
    return f"p{number},{model},2026-11-16T00:00:00Z,{score}\n"


GOOD = "".join(row(i) for i in range(30_000)).encode()  # more than a batch
BROKEN = [
    (HEADER.encode() + row(1).encode() + b"p2,caf\xe9,2026-11-16,\n", "rows.csv", "line 3: "),
    (HEADER.encode() + GOOD + b"z,caf\xe9,2026-11-16,\n", "rows.csv", "line 30,002: "),
    (HEADER.encode("utf-16"), "rows.csv", "line 1: "),
    (gzip.compress(HEADER.encode() + b"p2,caf\xe9,,\n"), "rows.csv.gz", "line 2: "),
    (b'{"a": 1}\n{"a": "\xff"}\n', "rows.jsonl", "line 2: "),
]


@pytest.mark.parametrize(
    ("content", "name", "told"), BROKEN, ids=["soon", "late", "utf16", "compressed", "jsonl"]
)
def test_text_that_is_not_utf8_is_told_with_its_line(
    tell: Tell, content: bytes, name: str, told: str
) -> None:
    status, out, err = tell(content, name=name)
    assert (status, out) == (1, [])
    assert f"{name}, {told}this is not UTF-8 text" in err


def test_compressed_file_that_breaks_off_is_told_with_its_last_good_line(tell: Tell) -> None:
    packed = gzip.compress(HEADER.encode() + GOOD)
    _status, _out, err = tell(packed[: len(packed) // 2], name="rows.csv.gz")
    line = int(err.split("after line ")[1].split(" ")[0].replace(",", ""))
    assert 10_000 < line < 20_000
    assert "after line" not in tell(b"plain text", name="rows.csv.gz")[2]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (row(1) + 'p2,"atlas,2026-11-16,\n' + row(3), 3),  # a quote that is never closed
        (row(1) + 'p2,"multi\nline",2026-11-16,\np3,"a"b,2026-11-16,\n', 5),
    ],
    ids=["open quote", "after a quote"],
)
def test_broken_csv_is_told_with_the_line_where_its_row_begins(tell: Tell, rows: str, line: int) -> None:
    status, _out, err = tell(HEADER + rows)
    assert status == 1
    assert f"rows.csv, line {line}: this is no CSV" in err


def test_one_line_for_each_kind_of_fault(tell: Tell, tmp_path: Path) -> None:
    rows = [row(i, score=f"{i} %") for i in range(1_204)] + [row(2000, 700), row(2001, 800), "short\n"]
    rejects = tmp_path / "rejects.csv"
    status, out, _err = tell(HEADER + row(9999) + "".join(rows), "--rejects", str(rejects))
    assert status == 0
    assert out[-4:] == [
        "  1,204 rows: final_score is not a number (lines 3, 4, 5, …)",
        "  2 rows: final_score is outside 0 to 100 (lines 1207, 1208)",
        "  rows.csv, line 1209: 1 cells, the header has 4",
        f"The rejected rows are in {rejects}: mend them and import it.",
    ]
    kept = rejects.read_text().splitlines()
    assert len(kept) == 1 + 1_207, "the file keeps every row"
    assert kept[1].endswith(",3,final_score: “0 %” is not a number")


def test_single_faults_are_told_with_their_cell(tell: Tell) -> None:
    _status, out, _err = tell(HEADER + row(1, "700") + row(2, "high"))
    assert out[1:] == [
        "  rows.csv, line 2: final_score: 700 is outside 0 to 100",
        "  rows.csv, line 3: final_score: “high” is not a number",
    ]


def test_a_missing_column_is_one_line(tell: Tell) -> None:
    _status, out, _err = tell("prediction_id,model_name\n" + "a,m\nb,m\nc,m\nd,m\n")
    assert out[1:] == ["  4 rows: predicted_at is missing (lines 2, 3, 4, …)"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_a_column_under_another_name_is_told_with_the_way_to_say_so(tell: Tell, name: str) -> None:
    content = "prediction_id,model_name,Zeit\na,m,2026-11-16\n"
    if name == "rows.jsonl":
        content = '{"prediction_id": "a", "model_name": "m", "Zeit": "2026-11-16"}\n'
    _status, out, _err = tell(content, name=name)
    told = (
        "predicted_at is missing; where the file calls it otherwise (it has zeit): --map theirs=predicted_at"
    )
    assert f"  {name}, line {2 - (name != 'rows.csv')}: predicted_at: {told}" in out


def test_many_kinds_of_fault_are_cut_with_their_number(tell: Tell) -> None:
    rows = "".join("x," * n + "x\n" for n in range(4, 40))
    _status, out, _err = tell(HEADER + rows)
    assert len(out) == 1 + 20 + 1
    assert out[-1] == "  … and 16 more reasons"


def test_json_has_the_faults_by_kind_too(tell: Tell) -> None:
    _status, out, _err = tell(HEADER + row(1, "x") + row(2, "y") + row(3, 700), "--json")
    told = json.loads("".join(out))["files"][0]
    assert told["reasons"] == [
        {"reason": "final_score is not a number", "rows": 2, "lines": [2, 3]},
        {"reason": "final_score is outside 0 to 100", "rows": 1, "lines": [4]},
    ]
    assert told["rejects"][0] == {
        "file": "rows.csv",
        "line": 2,
        "column": "final_score",
        "reason": "“x” is not a number",
    }


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (HEADER, "rows.csv", "there is a header in the file and no row below it"),
        (HEADER + "\n\n", "rows.csv", "there is a header in the file and no row below it"),
        ("", "rows.jsonl", "there is no line in the file"),
    ],
    ids=["header", "blank lines", "jsonl"],
)
def test_no_row_is_told_with_its_reason(tell: Tell, content: str, name: str, told: str) -> None:
    status, out, _err = tell(content, name=name)
    assert status == 1
    assert out == [f"{name}: 0 read: 0 new, 0 updated, 0 unchanged, 0 rejected", f"  {told}"]


def test_an_empty_file_is_told(tell: Tell) -> None:
    status, out, err = tell("")
    assert (status, out) == (1, [])
    assert "is empty: there is no header line" in err


def test_new_models_are_cut_with_their_number(tell: Tell) -> None:
    rows = "".join(row(i, model=f"m{i:02}") for i in range(51))
    (line,) = (line for line in tell(HEADER + rows)[1] if "new models" in line)
    assert line.endswith("m18, m19 … and 31 more")
    few = "".join(row(i, model=f"n{i:02}") for i in range(2))
    assert "  new models: n00, n01" in tell(HEADER + few)[1]


@pytest.mark.parametrize("option", [("--set", "day=predicted_at"), ("--map", "final_score=score")])
def test_column_that_cannot_be_set_is_a_wrong_call_that_names_those_that_can(
    tell: Tell, option: tuple[str, str]
) -> None:
    status, out, err = tell(HEADER + row(1), *option)
    assert (status, out) == (2, [])
    assert "cannot set" in err
    assert "prediction_id, model_name, predicted_at, evaluated_at" in err


def test_an_import_that_waits_for_another_writer_says_so_once(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + row(1))
    with sqlite_engine.connect() as other:
        other.execute(text("UPDATE app_facts SET value = value"))
        importing = subprocess.Popen(
            [sys.executable, "-m", "db", "import", "model_evaluations", str(path)],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert importing.stderr is not None
        assert importing.stderr.readline() == "waiting for another writer …\n"
        other.commit()
        out, err = importing.communicate(timeout=60)
    assert (importing.returncode, err) == (0, "")
    assert "1 new" in out
