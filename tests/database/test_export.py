"""Tables as files: complete, in one order everywhere, and good to import again."""

import csv
import gzip
import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Date, Double, Engine, Integer, String, delete, insert

from db.engine import engine_for
from db.errors import Refused
from db.export_files import rows_into
from db.exporting import BATCH_ROWS, EXPORTS, export_table, first_and_last
from db.importing import Report, import_file
from db.tables import metadata
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation

Stored = Callable[[], list[dict[str, Any]]]

ROWS = '''prediction_id,model_name,predicted_at,evaluated_at,final_score,human_rating_overall,target_achieved
b,borealis-7b,2026-11-17T00:00:00Z,,,,
"a, ""quoted""",atlas-2,2026-11-16T15:00:00.25Z,2026-11-18T00:00:00Z,0.1,4,true
Z,atlas-2,2026-11-15T15:00:00Z,2026-11-18T00:00:00Z,100,,false
'''


@pytest.fixture
def filled(engine: Engine, bring: Callable[..., Report]) -> Engine:
    assert bring(ROWS).new == 3
    return engine


def cells(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return list(csv.DictReader(text.splitlines()))


def test_csv(filled: Engine, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert export_table(filled, "model_evaluations", path) == 3
    first, second, third = cells(path)
    names = list(first)
    assert names.index("model_name") == names.index("model_id") + 1
    assert (first["prediction_id"], first["day"]) == ("Z", "2026-11-16")
    assert (first["target_achieved"], first["final_score"]) == ("false", "100.0")
    assert second["prediction_id"] == 'a, "quoted"'
    assert second["predicted_at"] == "2026-11-16T15:00:00.250000Z"
    assert (second["final_score"], second["target_achieved"]) == ("0.1", "true")
    assert third["evaluated_at"] == third["final_score"] == third["target_achieved"] == ""


def test_json_lines(filled: Engine, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    export_table(filled, "model_evaluations", path)
    first, second, third = (json.loads(line) for line in path.read_text().splitlines())
    assert (first["final_score"], first["target_achieved"]) == (100.0, False)
    assert second["predicted_at"] == "2026-11-16T15:00:00.250000Z"
    assert third["final_score"] is None
    assert third["day"] == "2026-11-17"


def test_compressed_file_holds_the_same_and_is_always_equal(filled: Engine, tmp_path: Path) -> None:
    plain, one, two = (tmp_path / name for name in ("out.csv", "one.csv.gz", "two.csv.gz"))
    for path in (plain, one, two):
        export_table(filled, "model_evaluations", path)
    assert gzip.decompress(one.read_bytes()) == plain.read_bytes()
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (None, None, ["Z", 'a, "quoted"', "b"]),
        (date(2026, 11, 17), None, ['a, "quoted"', "b"]),
        (None, date(2026, 11, 16), ["Z"]),
        (date(2026, 11, 16), date(2026, 11, 16), ["Z"]),
        (date(2026, 11, 18), None, []),
    ],
)
def test_days(
    filled: Engine, tmp_path: Path, since: date | None, until: date | None, found: list[str]
) -> None:
    path = tmp_path / "out.csv"
    export_table(filled, "model_evaluations", path, since=since, until=until)
    assert [row["prediction_id"] for row in cells(path)] == found


def test_days_of_an_aggregated_table(filled: Engine, now: datetime, tmp_path: Path) -> None:
    counts = {
        column.name: 1
        for column in DailyModelPerformance.__table__.c
        if column.name.endswith("_count") or column.name == "total_predictions"
    }
    rows = [{"model_id": 1, "date": date(2026, 11, d), "updated_at": now, **counts} for d in (17, 16)]
    with filled.begin() as connection:
        connection.execute(insert(DailyModelPerformance), rows)
    path = tmp_path / "out.csv"
    assert export_table(filled, "daily_model_performance", path) == 2
    assert [row["date"] for row in cells(path)] == ["2026-11-16", "2026-11-17"]
    assert cells(path)[0]["model_name"] in ("atlas-2", "borealis-7b")
    assert export_table(filled, "daily_model_performance", path, since=date(2026, 11, 17)) == 1


def test_import_of_an_export_changes_nothing(
    filled: Engine, zone: ZoneInfo, now: datetime, tmp_path: Path
) -> None:
    for name in ("out.csv", "out.csv.gz", "out.jsonl", "out.parquet"):
        export_table(filled, "model_evaluations", tmp_path / name)
        report = import_file(filled, "model_evaluations", tmp_path / name, zone=zone, now=now)
        assert (report.read, report.unchanged, report.notes) == (3, 3, [])


RISKY = ("=1+1", "'=1+1", "''=1+1", "'", "'x", "+1", "-1", "'-1", "@x", "'@x", "a=1", "x")


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.jsonl", "out.parquet"])
def test_text_that_a_spreadsheet_would_run_comes_back_as_it_was(
    engine: Engine, stored: Stored, zone: ZoneInfo, now: datetime, tmp_path: Path, name: str
) -> None:
    row = {"predicted_at": now, "day": date(2026, 11, 20)}
    with engine.begin() as connection:
        connection.execute(insert(Model), [{"id": k, "name": text} for k, text in enumerate(RISKY, start=1)])
        rows = [row | {"prediction_id": text, "model_id": k} for k, text in enumerate(RISKY, start=1)]
        connection.execute(insert(ModelEvaluation), rows)
    before, path = stored(), tmp_path / name
    export_table(engine, "model_evaluations", path)
    report = import_file(engine, "model_evaluations", path, zone=zone, now=now)
    assert (report.unchanged, report.notes) == (len(RISKY), [])
    with engine.begin() as connection:
        connection.execute(delete(ModelEvaluation))
        connection.execute(delete(Model))
    assert import_file(engine, "model_evaluations", path, zone=zone, now=now).new == len(RISKY)
    assert stored() == before


def test_csv_guards_text_and_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    columns = [("name", String()), ("change", Double()), ("number", Integer()), ("day", Date())]
    with rows_into(path, columns) as write:
        write([("=1+1", -0.5, -3, date(2026, 11, 16)), ("'-1", -math.inf, None, None)])
    assert path.read_text() == "name,change,number,day\n'=1+1,-0.5,-3,2026-11-16\n''-1,-inf,,\n"


def test_other_database_exports_an_equal_file(
    filled: Engine, empty_file: Path, zone: ZoneInfo, now: datetime, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    export_table(filled, "model_evaluations", first)
    (tmp_path / "other.db").write_bytes(empty_file.read_bytes())
    other = engine_for(f"sqlite:///{tmp_path / 'other.db'}")
    import_file(other, "model_evaluations", first, zone=zone, now=now)
    export_table(other, "model_evaluations", second)
    assert without_ids(second) == without_ids(first)


def without_ids(path: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: row[name] for name in row if name not in ("id", "model_id")} for row in rows]


def test_more_rows_than_a_batch(filled: Engine, bring: Callable[..., Report], tmp_path: Path) -> None:
    header = "prediction_id,model_name,predicted_at\n"
    bring(header + "".join(f"n{i},atlas-2,2026-11-16\n" for i in range(BATCH_ROWS + 10)))
    seen: list[int] = []
    path = tmp_path / "out.csv"
    assert export_table(filled, "model_evaluations", path, progress=seen.append) == BATCH_ROWS + 13
    assert len(cells(path)) == BATCH_ROWS + 13
    assert seen == [BATCH_ROWS, BATCH_ROWS + 13]


@pytest.mark.parametrize("table", EXPORTS)
def test_empty_table_is_a_header(engine: Engine, tmp_path: Path, table: str) -> None:
    path = tmp_path / "out.csv"
    assert export_table(engine, table, path) == 0
    (header,) = path.read_text().splitlines()
    assert set(header.split(",")) - {"model_name"} == set(metadata.tables[table].columns.keys())


@pytest.mark.parametrize(
    ("table", "name", "since", "told"),
    [
        ("job_runs", "out.csv", None, "cannot be exported; these can: models"),
        ("models", "out.csv", date(2026, 11, 1), "models has no days"),
        ("models", "out.xlsx", None, "ending must be one of"),
    ],
)
def test_what_cannot_be_exported(
    engine: Engine, tmp_path: Path, table: str, name: str, since: date | None, told: str
) -> None:
    with pytest.raises(Refused, match=told) as refused:
        export_table(engine, table, tmp_path / name, since=since)
    assert refused.value.status == 2
    assert not (tmp_path / name).exists()


def test_folder_that_is_not_there(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written: No such file or directory"):
        export_table(engine, "models", tmp_path / "nowhere" / "out.csv")


def test_export_that_fails_leaves_the_file_of_before(filled: Engine, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("of before")

    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_table(filled, "model_evaluations", path, progress=stop)
    assert path.read_text() == "of before"
    assert not list(tmp_path.glob("*.part"))


def test_days_as_they_are_typed() -> None:
    assert first_and_last("2026-11-15", None) == (date(2026, 11, 15), None)
    for since, until in (("15.11.2026", None), ("2026-11-16", "2026-11-15")):
        with pytest.raises(Refused) as refused:
            first_and_last(since, until)
        assert refused.value.status == 2


def test_restated_figures_are_in_the_order_in_which_they_changed(engine: Engine, tmp_path: Path) -> None:
    table = metadata.tables["restatements"]
    same = {"table_name": "daily_model_performance", "key": "2026-11-16/1", "old": 1.0, "new": 2.0, "run": 1}
    rows = [
        same | {"column": column, "at": datetime(2026, 11, day, tzinfo=UTC)}
        for day, column in ((19, "scored_count"), (18, "scored_count"), (18, "avg_final_score"))
    ]
    with engine.begin() as connection:
        connection.execute(insert(table), rows)
    assert export_table(engine, "restatements", tmp_path / "out.csv") == 3
    found = [(row["at"][:10], row["column"]) for row in cells(tmp_path / "out.csv")]
    assert found == [
        ("2026-11-18", "avg_final_score"),
        ("2026-11-18", "scored_count"),
        ("2026-11-19", "scored_count"),
    ]
