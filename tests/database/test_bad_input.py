"""Files of every bad kind through the real command: what is said, the exit status, and a database that stays sound."""

import gzip
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from db.__main__ import main
from db.check import check

Tell = Callable[..., tuple[int, list[str], str]]
Stored = Callable[[], list[dict[str, Any]]]

HEADER = "prediction_id,model_name,predicted_at,final_score\n"
ROW = "a,atlas-2,2026-11-16T00:00:00Z,70\n"
GOOD = HEADER + ROW + ROW.replace("a,", "b,", 1)


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    """These faults are found before any database sees them."""
    return sqlite_engine


def parquet(columns: dict[str, Any]) -> bytes:
    good = {"model_name": ["atlas-2"], "predicted_at": ["2026-11-16"]}
    stream = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(cells) for name, cells in (good | columns).items()}), stream)
    return stream.getvalue()


PARQUET = parquet({})
REFUSED = {
    "not utf-8": (
        HEADER.encode() + ROW.encode() + b"b,caf\xe9,2026-11-16,\n",
        "rows.csv",
        "rows.csv, line 3: this is not UTF-8 text (byte 0xe9, number 6 of the line). Save it as UTF-8",
    ),
    "not utf-8, without end": (
        HEADER.encode() + b"caf\xc3",
        "rows.csv",
        "line 2: this is not UTF-8 text (byte 0xc3, number 4",
    ),
    "not utf-8, packed": (
        gzip.compress(HEADER.encode() + b"\xff"),
        "rows.csv.gz",
        "line 2: this is not UTF-8 text (byte 0xff, number 1",
    ),
    "utf-16": (
        GOOD.encode("utf-16"),
        "rows.csv",
        "line 1: this is not UTF-8 text but UTF-16. Save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 rows.csv",
    ),
    "utf-16, other order": (b"\xfe\xff" + GOOD.encode("utf-16-be"), "rows.csv", "not UTF-8 text but UTF-16"),
    "utf-16 without mark": (GOOD.encode("utf-16-le"), "rows.csv", "it holds NUL characters (UTF-16?)"),
    "utf-32": (GOOD.encode("utf-32"), "rows.csv", "not UTF-8 text but UTF-32"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0", "rows.csv", "rows.csv is a PNG picture, whatever its name says"),
    "spreadsheet": (
        b"PK\x03\x04 and more",
        "rows.csv",
        "is a spreadsheet or another zip archive, whatever its name says. Save it as CSV",
    ),
    "gzip called csv": (gzip.compress(GOOD.encode()), "rows.csv", "Let its name end in .gz"),
    "parquet called csv": (PARQUET, "rows.csv", "Let its name end in .parquet"),
    "picture in gzip": (gzip.compress(b"\x89PNG"), "rows.csv.gz", "is a PNG picture"),
    "empty": (b"", "rows.csv", "rows.csv is empty: there is no header line"),
    "empty, packed": (gzip.compress(b""), "rows.csv.gz", "is empty"),
    "blank first line": ("\n" + GOOD, "rows.csv", "line 1 is blank; the first line must name the columns"),
    "no header": (
        ROW,
        "rows.csv",
        "it has a, atlas-2, 2026-11-16T00:00:00Z, 70. Needed are model_name, predicted_at; other names",
    ),
    "other delimiter": (
        GOOD.replace(",", ":"),
        "rows.csv",
        "The first line of a CSV file names the columns, separated by comma, semicolon, tab or bar",
    ),
    "doubled header": ("a,b,a,b\n1,2,3,4\n", "rows.csv", "the header names a, b twice; rename or remove"),
    "truncated gzip": (
        gzip.compress(GOOD.encode())[:-9],
        "rows.csv.gz",
        "is damaged: the gzip data end or break",
    ),
    "no gzip": (GOOD, "rows.csv.gz", "is damaged: it is no gzip file"),
    "open quote": (
        HEADER + 'a,"atlas-2,2026-11-16,\n',
        "rows.csv",
        "line 2: this is no CSV (unexpected end of data). Mend the quotes",
    ),
    "open quote, much below": (
        HEADER + 'a,"' + "x\n" * 1_100_000,
        "rows.csv",
        "line 2: a cell has more than 2,000,000 characters; is a quote left open?",
    ),
    "empty parquet": (b"", "rows.parquet", "rows.parquet is no Parquet file, or is damaged"),
    "csv called parquet": (GOOD, "rows.parquet", "is no Parquet file, or is damaged"),
    "truncated parquet": (PARQUET[:-20], "rows.parquet", "is no Parquet file, or is damaged"),
    "broken parquet": (
        PARQUET[:40] + b"\xff" * 40 + PARQUET[80:],
        "rows.parquet",
        "is no Parquet file, or is damaged",
    ),
    "unknown parquet": (
        parquet({}).replace(b"model_name", b"model_nome").replace(b"predicted_at", b"predicted_on"),
        "rows.parquet",
        "No column of the file is known",
    ),
    "nested parquet": (
        parquet({"final_score": [[70.0]]}),
        "rows.parquet",
        "Column final_score of the file holds list<element: double>; write it as one",
    ),
    "bytes in parquet": (
        parquet({"prediction_id": [b"\xff"]}),
        "rows.parquet",
        "Column prediction_id of the file holds binary",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_file_that_is_refused_changes_nothing(
    engine: Engine, tell: Tell, stored: Stored, zone: ZoneInfo, kind: str
) -> None:
    tell(GOOD)
    before = stored()
    content, name, told = REFUSED[kind]
    status, out, err = tell(content, name=name)
    assert (status, out) == (1, [])
    assert told in err
    assert (stored(), check(engine, zone).wrong) == (before, [])


LONG = {
    "csv": (HEADER + "x", "rows.csv", "line 2"),
    "header": ("x", "rows.csv", "line 1"),
    "jsonl": ("{}\n\n", "rows.jsonl", "line 3"),
    "gz": (HEADER + ROW + "x", "rows.csv.gz", "line 3"),
}


@pytest.mark.parametrize("kind", LONG)
def test_line_of_100_mb_is_refused_in_little_memory(tell: Tell, tmp_path: Path, kind: str) -> None:
    begin, name, line = LONG[kind]
    path = tmp_path / name
    with gzip.open(path, "wb", 1) if name.endswith(".gz") else path.open("wb") as stream:
        stream.write(begin.encode())
        for _megabyte in range(100):
            stream.write(b"x" * 1_000_000)
    tracemalloc.start()
    try:
        status = main(["import", "model_evaluations", str(path)])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert status == 1
    assert peak < 30_000_000
    _status, _out, err = tell(path.read_bytes(), name=name)
    assert f"{name}, {line} has more than 1,000,000 bytes" in err


CELLS = {
    "score of 101": ({"final_score": "101"}, "final_score: 101 is outside 0 to 100"),
    "text in a number": ({"final_score": "good"}, "final_score: “good” is not a number"),
    "decimal comma": ({"final_score": '"70,5"'}, "final_score: “70,5” is not a number"),
    "nan": ({"final_score": "NaN"}, "final_score: “NaN” is not a number"),
    "inf": ({"final_score": "-inf"}, "final_score: -inf is outside 0 to 100"),
    "formula": ({"final_score": "=1+1"}, "final_score: “=1+1” is not a number"),
    "year 1": ({"predicted_at": "0001-01-01"}, "predicted_at: 0001-01-01 is not between 1970 and tomorrow"),
    "year 1 in UTC": (
        {"predicted_at": "0001-01-01T00:00:00+01:00"},
        "+01:00 is not between 1970 and tomorrow",
    ),
    "year 2999": ({"predicted_at": "2999-01-01T00:00:00Z"}, "Z is not between 1970 and tomorrow"),
    "year 9999": ({"predicted_at": "9999-12-31T23:59:59-09:00"}, "-09:00 is not between 1970 and tomorrow"),
    "no time": (
        {"predicted_at": "16.11.2026"},
        "“16.11.2026” is not a time; write it as 2026-11-15T09:30:00Z",
    ),
    "a terminal's command": ({"final_score": "\x1b[2J"}, "final_score: “\\x1b[2J” is not a number"),
}


@pytest.mark.parametrize("kind", CELLS)
def test_cell_that_is_rejected_leaves_the_other_rows(tell: Tell, stored: Stored, kind: str) -> None:
    cells, told = CELLS[kind]
    row = {
        "prediction_id": "bad",
        "model_name": "m",
        "predicted_at": "2026-11-16",
        "final_score": "1",
    } | cells
    status, out, _err = tell(HEADER + ",".join(row.values()) + "\n" + ROW)
    assert status == 0
    assert out[-1].startswith("  rows.csv, line 2: ")
    assert told in out[-1]
    assert [row["prediction_id"] for row in stored()] == ["a"]
    assert tell(HEADER + ",".join(row.values()) + "\n")[0] == 1, "no row was good"


ACCEPTED = {
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "semicolons": GOOD.replace(",", ";"),
    "tabs": GOOD.replace(",", "\t"),
    "bars": GOOD.replace(",", "|"),
    "CR LF": GOOD.replace("\n", "\r\n"),
    "CR": GOOD.replace("\n", "\r"),
    "no line end": GOOD.rstrip("\n"),
    "blank lines": GOOD.replace("\n", "\n\n"),
    "time without offset": GOOD.replace("T00:00:00Z", " 09:00"),
    "columns without a name": "".join(line + ",,\n" for line in GOOD.splitlines()),
    "apostrophe of a spreadsheet": GOOD.replace(",70", ",'+70"),
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_file_that_is_odd_but_good(tell: Tell, stored: Stored, kind: str) -> None:
    status, _out, err = tell(ACCEPTED[kind])
    assert (status, err) == (0, "")
    assert [(row["prediction_id"], row["predicted_at"].hour, row["final_score"]) for row in stored()] == [
        ("a", 0, 70.0),
        ("b", 0, 70.0),
    ]


def test_rows_with_too_few_and_too_many_cells(tell: Tell) -> None:
    status, out, _err = tell(GOOD + "c,atlas-2\n" + ROW.rstrip("\n") + ",1,2\n")
    assert status == 0
    assert out[-2:] == [
        "  rows.csv, line 4: 2 cells, the header has 4",
        "  rows.csv, line 5: 6 cells, the header has 4",
    ]


def test_time_that_the_clocks_skip(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    main(["timezone", "Europe/Berlin"])
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    status, out, _err = tell(HEADER + "a,atlas-2,2026-03-29 02:30,\n")
    assert status == 1
    assert "2026-03-29 02:30 does not exist in Europe/Berlin: the clocks skip it" in out[-1]


def test_ten_thousand_columns(tell: Tell, stored: Stored) -> None:
    names = "".join(f",column_{n}" for n in range(10_000))
    lines = [
        HEADER.rstrip("\n") + names,
        *(ROW.rstrip("\n").replace("a,", f"{n},", 1) + ",1" * 10_000 for n in range(3)),
    ]
    status, out, _err = tell("\n".join(lines))
    assert (status, len(stored())) == (0, 3)
    assert len([note for note in out if "left out" in note]) == 20 + 1
    assert "  column column_19 is not known here and was left out" in out
    assert "  … and more columns that are not known here were left out" in out


BROKEN_LINES = {
    "no json": ("{", "not a JSON object"),
    "a list": ("[1]", "not a JSON object"),
    "deep": ("[" * 100_000, "not a JSON object"),
    "long number": ('{"final_score": ' + "9" * 5_000 + "}", "not a JSON object"),
    "nested": ('{"final_score": {"a": 1}}', "final_score holds a list or an object"),
    "infinity": ('{"model_name": "m", "predicted_at": "2026-11-16", "final_score": 1e999}', "inf is outside"),
    "half a character": (
        '{"model_name": "\\ud800", "predicted_at": "2026-11-16"}',
        "holds a character that cannot be seen",
    ),
    "half a character in a number": (
        '{"model_name": "m", "predicted_at": "2026-11-16", "final_score": "\\ud800"}',
        "“\\ud800” is not a number",
    ),
}


@pytest.mark.parametrize("kind", BROKEN_LINES)
def test_broken_json_lines(tell: Tell, tmp_path: Path, kind: str) -> None:
    line, told = BROKEN_LINES[kind]
    good = json.dumps({"prediction_id": "a", "model_name": "atlas-2", "predicted_at": "2026-11-16"})
    status, out, err = tell(f"{good}\n{line}\n", "--rejects", str(tmp_path / "kept.csv"), name="rows.jsonl")
    assert (status, err) == (0, "")
    assert any(f"rows.jsonl, line 2: {told}" in text or told in text for text in out)
    assert (tmp_path / "kept.csv").exists()


def test_name_of_a_json_column_that_no_terminal_shows(tell: Tell) -> None:
    line = '{"model_name": "m", "predicted_at": "2026-11-16", "\\ud800": 1, "\\u001b[2J": [1]}'
    status, out, _err = tell(line, name="rows.jsonl")
    assert status == 1
    assert "\\x1b[2J holds a list or an object" in out[-1]
