"""Parquet: typed cells read by the same rules as text, and files that hold what the table holds."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from db.__main__ import main
from db.engine import engine_for
from db.errors import Refused
from db.exporting import EXPORTS, export_table
from db.importing import Report, import_file
from db.importing.reading import read
from db.importing.rows import BATCH_ROWS
from db.tables import metadata

Stored = Callable[[], list[dict[str, Any]]]
BringColumns = Callable[..., Report]

AT = datetime(2026, 11, 16, 0, 0, 0, 250_000, tzinfo=UTC)
WALL = datetime(2026, 11, 16, 9, 0, 0, 250_000)  # the same in Seoul
ROWS = '''prediction_id,model_name,predicted_at,evaluated_at,final_score,human_rating_overall,target_achieved
b,borealis-7b,2026-11-17T00:00:00Z,,,,
"a, ""quoted""",=atlas-2,2026-11-16T15:00:00.25Z,2026-11-18T00:00:00Z,0.1,4,true
'=1+1,'atlas-2,2026-11-15T15:00:00.123456Z,2026-11-18T00:00:00Z,100,,false
'''


@pytest.fixture
def bring_columns(engine: Engine, zone: ZoneInfo, now: datetime, tmp_path: Path) -> BringColumns:
    """Imports columns (name → Arrow array or list) as a Parquet file; model and time are given where they lack."""

    def do(columns: dict[str, Any], **options: Any) -> Report:
        arrays = {
            name: values if isinstance(values, pa.Array) else pa.array(values)
            for name, values in columns.items()
        }
        n = len(next(iter(arrays.values())))
        given = {
            "prediction_id": pa.array([f"p{k}" for k in range(n)]),
            "model_name": pa.array(["atlas-2"] * n),
            "predicted_at": pa.array([AT] * n),
        }
        path = tmp_path / "rows.parquet"
        pq.write_table(pa.table(given | arrays), path)
        return import_file(engine, "model_evaluations", path, zone=zone, now=now, **options)

    return do


TIMES = {
    "s": pa.array([AT.replace(microsecond=0)], pa.timestamp("s", "UTC")),
    "ms": pa.array([AT], pa.timestamp("ms", "UTC")),
    "us": pa.array([AT], pa.timestamp("us", "UTC")),
    "ns": pa.array([AT], pa.timestamp("ns", "UTC")),
    "a zone of its own": pa.array([AT], pa.timestamp("us", "America/New_York")),
    "an offset": pa.array([AT], pa.timestamp("us", "+05:30")),
    "wall time, s": pa.array([WALL.replace(microsecond=0)], pa.timestamp("s")),
    "wall time, ms": pa.array([WALL], pa.timestamp("ms")),
    "wall time, us": pa.array([WALL], pa.timestamp("us")),
    "wall time, ns": pa.array([WALL], pa.timestamp("ns")),
    "text": pa.array(["2026-11-16T00:00:00.25Z"]),
    "Unix seconds": pa.array([int(AT.timestamp())]),
    "Unix seconds, as a number": pa.array([float(int(AT.timestamp()))]),
    "Unix milliseconds": pa.array([round(AT.timestamp() * 1_000)]),
    "categories": pa.array(["2026-11-16T00:00:00.25Z"]).dictionary_encode(),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times(bring_columns: BringColumns, stored: Stored, kind: str) -> None:
    assert bring_columns({"predicted_at": TIMES[kind]}).new == 1
    assert stored()[0]["predicted_at"] in (AT, AT.replace(microsecond=0))


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_days_begin_at_midnight(bring_columns: BringColumns, stored: Stored, kind: Any) -> None:
    bring_columns({"predicted_at": pa.array([date(2026, 11, 16)], kind)})
    assert stored()[0]["predicted_at"] == datetime(2026, 11, 15, 15, 0, tzinfo=UTC)


NUMBERS = {
    "float64": pa.array([70.5, None, float("nan")]),
    "float32": pa.array([70.5, None, float("nan")], pa.float32()),
    "float16": pa.array(np.array([70.5, np.nan, np.nan], np.float16)),
    "decimal": pa.array([Decimal("70.50"), None, None]),
    "text": pa.array(["70.5", None, ""]),
    "large text": pa.array(["70.5", None, ""], pa.large_string()),
    "categories": pa.array([70.5, None, None]).dictionary_encode(),
    "categories of text": pa.array(["70.5", None, ""]).dictionary_encode(),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_which_null_and_nan_are_none(
    bring_columns: BringColumns, stored: Stored, kind: str
) -> None:
    assert bring_columns({"final_score": NUMBERS[kind]}).new == 3
    assert [row["final_score"] for row in stored()] == [70.5, None, None]


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.int64(), pa.uint64(), pa.float32()])
def test_whole_numbers_and_columns_of_nothing(bring_columns: BringColumns, stored: Stored, kind: Any) -> None:
    whole = pa.array([70], kind)
    bring_columns({"final_score": whole, "prediction_id": whole, "timing_score": pa.nulls(1)})
    assert (stored()[0]["final_score"], stored()[0]["prediction_id"]) == (70.0, "70")
    assert stored()[0]["timing_score"] is None


def test_truth_values_and_names(bring_columns: BringColumns, stored: Stored) -> None:
    key = UUID(int=7)
    names = pa.array(["borealis-7b"] * 3).dictionary_encode()
    keys = pa.array([key.bytes, UUID(int=8).bytes, UUID(int=9).bytes], pa.uuid())
    flags = {"target_achieved": [True, False, None], "support_breached": pa.array([1, 0, None], pa.int8())}
    assert bring_columns({"model_name": names, "prediction_id": keys, **flags}).new == 3
    assert [(row["target_achieved"], row["support_breached"]) for row in stored()] == [
        (True, True),
        (False, False),
        (None, None),
    ]
    assert stored()[0]["prediction_id"] == str(key)


def test_rejected_rows_have_the_number_of_the_row(
    bring_columns: BringColumns, stored: Stored, tmp_path: Path
) -> None:
    far = datetime(2999, 1, 1, tzinfo=UTC)
    columns = {
        "final_score": [1.0, 101.0, float("inf"), 4.0],
        "predicted_at": [AT, AT, AT, far],
        "prompt": ["=x"] * 4,
    }
    report = bring_columns(columns, rejects=tmp_path / "rejects.csv")
    assert [str(row) for row in report.rejects] == [
        "rows.parquet, line 2: final_score: 101 is outside 0 to 100",
        "rows.parquet, line 3: final_score: inf is outside 0 to 100",
        "rows.parquet, line 4: predicted_at: 2999-01-01 00:00:00.000000Z is not between 1970 and tomorrow",
    ]
    assert len(stored()) == 1
    kept = (tmp_path / "rejects.csv").read_text().splitlines()
    assert kept[0] == "prediction_id,model_name,predicted_at,final_score,prompt,_line,_reason"
    assert kept[1].startswith("p1,atlas-2,2026-11-16 00:00:00.250000Z,101,'=x,2,")


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("ms", "UTC"), pa.timestamp("ns", "UTC")])
def test_moments_that_no_calendar_holds(bring_columns: BringColumns, kind: Any) -> None:
    ends = pa.array([2**63 - 1, -(2**63) + 1, 0], pa.int64()).cast(kind)
    assert bring_columns({"predicted_at": ends}).rejected >= 2


def test_columns_of_lists_are_left_out_unless_they_are_wanted(bring_columns: BringColumns) -> None:
    report = bring_columns({"contributions": [{"a": 1.0}], "tags": [["x"]], "picture": [b"\xff"]})
    assert report.notes[:3] == [
        "column contributions holds struct<a: double> and was left out",
        "column tags holds list<element: string> and was left out",
        "column picture holds binary and was left out",
    ]
    with pytest.raises(Refused, match="Column tags of the file holds list"):
        bring_columns({"tags": [["x"]]}, mapping={"tags": "prediction_id"})
    with pytest.raises(Refused, match="Column seen of the file holds duration"):
        bring_columns({"seen": [timedelta(1)]}, filling={"evaluated_at": "seen"})


def test_map_and_set(bring_columns: BringColumns, stored: Stored) -> None:
    bring_columns(
        {"Punkte": [70], "seen": [AT]}, mapping={"Punkte": "final_score"}, filling={"evaluated_at": "seen"}
    )
    assert (stored()[0]["final_score"], stored()[0]["evaluated_at"]) == (70.0, AT)


def test_frame_of_pandas(
    engine: Engine, zone: ZoneInfo, now: datetime, stored: Stored, tmp_path: Path
) -> None:
    frame = pd.DataFrame(
        {
            "model_name": pd.Categorical(["atlas-2", "borealis-7b"]),
            "predicted_at": pd.to_datetime(["2026-11-16T00:00Z", "2026-11-16T01:00Z"]),
            "final_score": [70.5, np.nan],
            "target_achieved": pd.array([True, None], "boolean"),
        }
    )
    frame.to_parquet(tmp_path / "rows.parquet")
    report = import_file(engine, "model_evaluations", tmp_path / "rows.parquet", zone=zone, now=now)
    assert report.new == 2
    assert [(row["final_score"], row["target_achieved"]) for row in stored()] == [(70.5, True), (None, None)]


def test_no_row_is_told(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(pa.table({"model_name": pa.array([], pa.string())}), tmp_path / "rows.parquet")
    assert main(["import", "model_evaluations", str(tmp_path / "rows.parquet")]) == 1
    assert "  there is no row in the file" in capsys.readouterr().out


def test_export_comes_back_into_an_empty_database(
    engine: Engine,
    bring: Callable[..., Report],
    empty_file: Path,
    zone: ZoneInfo,
    now: datetime,
    tmp_path: Path,
) -> None:
    bring(ROWS)
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    assert export_table(engine, "model_evaluations", first) == 3
    (tmp_path / "other.db").write_bytes(empty_file.read_bytes())
    other = engine_for(f"sqlite:///{tmp_path / 'other.db'}")
    report = import_file(other, "model_evaluations", first, zone=zone, now=now)
    assert (report.new, report.rejected) == (3, 0)
    export_table(other, "model_evaluations", second)
    assert same(first) == same(second)
    assert import_file(engine, "model_evaluations", second, zone=zone, now=now).unchanged == 3


def same(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).drop_columns(["id", "model_id", "updated_at"]).to_pylist()


def test_types_of_an_export(engine: Engine, bring: Callable[..., Report], tmp_path: Path) -> None:
    bring(ROWS)
    main(["export", "model_evaluations", str(tmp_path / "out.parquet")])
    schema = pq.read_schema(tmp_path / "out.parquet")
    found = {str(schema.field(name).type) for name in schema.names}
    assert found == {"int64", "string", "timestamp[us, tz=UTC]", "double", "bool", "date32[day]"}
    first = pq.read_table(tmp_path / "out.parquet").to_pylist()[0]
    assert first["predicted_at"] == datetime(2026, 11, 15, 15, 0, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize("table", EXPORTS)
def test_empty_table_is_a_schema(engine: Engine, tmp_path: Path, table: str) -> None:
    assert export_table(engine, table, tmp_path / "out.parquet") == 0
    names = set(pq.read_schema(tmp_path / "out.parquet").names) - {"model_name"}
    assert names == set(metadata.tables[table].columns.keys())


def batches(path: Path) -> Iterator[int]:
    return (len(batch.lines) for batch in read(path))


def test_large_rows_come_in_small_batches(tmp_path: Path) -> None:
    path, n = tmp_path / "rows.parquet", 3_000
    pq.write_table(pa.table({"prediction_id": [f"{k}" + "x" * 100_000 for k in range(n // 10)]}), path)
    assert max(batches(path)) < 100
    pq.write_table(pa.table({f"c{k}": range(n) for k in range(1_000)}), path)
    assert max(batches(path)) <= 400
    pq.write_table(pa.table({"prediction_id": range(3 * BATCH_ROWS)}), path)
    assert list(batches(path)) == [0, BATCH_ROWS, BATCH_ROWS, BATCH_ROWS]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    group = pa.table(
        {"prediction_id": [f"{k:0200}" for k in range(20_000)], "final_score": np.arange(20_000.0)}
    )
    with pq.ParquetWriter(path, group.schema, compression=None) as writer:
        for _group in range(30):
            writer.write_table(group)
    process, seen = psutil.Process(), []
    for number, _batch in enumerate(read(path)):
        if number % 10 == 9:
            seen.append(process.memory_info().rss)
    assert path.stat().st_size > 100_000_000
    assert max(seen) - seen[0] < 40_000_000


def test_offset_of_the_machine_does_not_matter(bring_columns: BringColumns, stored: Stored) -> None:
    there = datetime(2026, 11, 16, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    bring_columns({"predicted_at": [there]})
    assert stored()[0]["predicted_at"] == datetime(2026, 11, 16, tzinfo=UTC)
