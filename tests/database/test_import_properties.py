"""What must hold of any import, tried on rows that Hypothesis thinks up."""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from db.exporting import export_table
from db.importing import Report, import_file
from db.spreadsheets import guarded
from db.tables.models import Model, ModelEvaluation

ZONE = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
FEW = settings(max_examples=10)

Row = dict[str, str]

names = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")) | st.sampled_from("'=+-@"),
    min_size=1,
    max_size=20,
)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2026, 11, 20), timezones=st.just(UTC)).map(
    datetime.isoformat
)
scores = st.floats(0, 100).map(repr)
ratings = st.floats(1, 5).map(repr)
flags = st.sampled_from(["0", "1", "true", "FALSE", "yes"])
empty = st.just("")
rubbish = st.sampled_from(["?", "-1", "1e9", "NaN", "2026-13-01", "=1+1", "\x07"])

good_rows = st.fixed_dictionaries(
    {
        "prediction_id": st.one_of(st.sampled_from("abcd"), names, empty),
        "model_name": st.sampled_from(["atlas-2", "Ætlas", "atlas-2 "]) | names.filter(str.strip),
        "predicted_at": moments,
        "evaluated_at": moments | empty,
        "final_score": scores | empty,
        "human_rating_overall": ratings | empty,
        "target_achieved": flags | empty,
    }
)
rows_of_any_kind = good_rows | st.builds(
    lambda row, column, cell: row | {column: cell},
    good_rows,
    st.sampled_from(["predicted_at", "final_score", "target_achieved", "human_rating_overall"]),
    rubbish,
)


@pytest.fixture
def clean(engine: Engine) -> Iterator[Engine]:
    """One database for all examples of a test; `bring_into` empties it for each."""
    yield engine


def empty_out(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(ModelEvaluation))
        connection.execute(delete(Model))


def bring(engine: Engine, rows: list[Row], **options: Any) -> Report:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows({name: guarded(cell) for name, cell in row.items()} for row in rows)
        return import_file(engine, "model_evaluations", path, zone=ZONE, now=NOW, **options)


def stored(engine: Engine) -> list[tuple[Any, ...]]:
    columns = [c for c in ModelEvaluation.__table__.c if c.name not in ("id", "model_id", "updated_at")]
    with engine.connect() as connection:
        found = connection.execute(select(Model.name, *columns).join(Model)).all()
    return sorted((tuple(row) for row in found), key=repr)


@FEW
@given(rows=st.lists(rows_of_any_kind, min_size=1, max_size=12))
def test_every_row_that_was_read_is_accounted_for(clean: Engine, rows: list[Row]) -> None:
    empty_out(clean)
    report = bring(clean, rows)
    assert report.read == len(rows)
    assert report.read == report.written + report.unchanged + report.rejected + report.repeated
    assert report.new == len(stored(clean))
    again = bring(clean, rows)
    assert (again.new, again.updated, again.unchanged) == (0, 0, report.new)


@FEW
@given(rows=st.lists(rows_of_any_kind, min_size=1, max_size=12))
def test_dry_run_tells_what_the_import_then_does(clean: Engine, rows: list[Row]) -> None:
    empty_out(clean)
    bring(clean, rows[: len(rows) // 2] or rows)
    rehearsed, done = bring(clean, rows, dry_run=True), bring(clean, rows)
    assert rehearsed.as_json() | {"dry_run": False} == done.as_json()


@FEW
@given(rows=st.lists(good_rows, min_size=1, max_size=12), seed=st.integers(0, 1_000))
def test_order_of_rows_does_not_matter(clean: Engine, rows: list[Row], seed: int) -> None:
    unique = list(
        {(row["model_name"].strip(), row["prediction_id"].strip() or repr(row)): row for row in rows}.values()
    )
    empty_out(clean)
    bring(clean, unique)
    first = stored(clean)
    empty_out(clean)
    bring(clean, random.Random(seed).sample(unique, len(unique)))
    assert stored(clean) == first


@FEW
@given(
    rows=st.lists(good_rows, min_size=1, max_size=12),
    ending=st.sampled_from([".csv", ".csv.gz", ".jsonl", ".parquet"]),
)
def test_export_comes_back_unchanged(clean: Engine, rows: list[Row], ending: str) -> None:
    empty_out(clean)
    bring(clean, rows)
    before = stored(clean)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"out{ending}"
        assert export_table(clean, "model_evaluations", path) == len(before)
        report = import_file(clean, "model_evaluations", path, zone=ZONE, now=NOW)
        assert (report.new, report.updated, report.unchanged) == (0, 0, len(before))
        assert not [note for note in report.notes if "counts in no score" not in note]
        empty_out(clean)
        import_file(clean, "model_evaluations", path, zone=ZONE, now=NOW)
    assert stored(clean) == before
