"""Prices, predictions and outcomes, from files and programs; also the real files, where they are."""

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from db import writers
from db.__main__ import main
from db.exporting import export_table
from db.importing import Report, import_file
from db.importing.cells import Rejected, Surroundings
from db.importing.day_cells import Date, Horizon
from db.tables.forecasts import Prediction, PredictionOutcome, PriceBar
from db.tables.operations import StaleMark

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Seoul")
WHERE = Surroundings(ZONE, NOW)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
HEAD = "code,model,horizon,predicted_at,target_date,predicted_value,actual_value,base_value,resolved_at\n"
AT, KNOWN = "2026-11-09T12:00:00Z", "2026-11-12T12:00:00Z"
Bring = Callable[[str, str], Report]


@pytest.fixture
def bring(engine: Engine, tmp_path: Path) -> Bring:
    def do(table: str, text: str) -> Report:
        file = tmp_path / "file.csv"
        file.write_text(text)
        return import_file(engine, table, file, zone=ZONE, now=NOW)

    return do


def stored(engine: Engine, table: Any, *names: str) -> list[Any]:
    columns = [getattr(table, name) for name in names]
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(table.id))]


@pytest.mark.parametrize(
    "cell, days", [("5", 5), ("1d", 1), ("0w", 0), ("2w", 14), ("51d", 51), ("3 D", 3), ("1W", 7)]
)
def test_a_horizon_is_days_however_it_is_written(cell: str, days: int) -> None:
    assert Horizon().one(cell, WHERE) == days
    assert Horizon().all([cell, "", cell], WHERE) == [days, None, days]


@pytest.mark.parametrize("cell", ["-1", "1.5", "d", "1m", "", "999999", "٥", "1e3"])
def test_what_is_no_horizon_is_rejected(cell: str) -> None:
    with pytest.raises(Rejected):
        Horizon().one(cell, WHERE)


@pytest.mark.parametrize("cell", ["2026-11-15", "2026-11-15 00:00:00", "2026-11-15T00:00:00Z", "20261115"])
def test_a_day_may_come_with_a_midnight_that_says_nothing(cell: str) -> None:
    assert Date().one(cell, WHERE) == date(2026, 11, 15)


@pytest.mark.parametrize("cell", ["2026-11-15 09:30", "15.11.2026", "2026-02-30", "1799-12-31", "yesterday"])
def test_what_is_no_day_is_rejected(cell: str) -> None:
    with pytest.raises(Rejected):
        Date(date(1800, 1, 1)).one(cell, WHERE)


@settings(max_examples=200)
@given(st.lists(st.text(alphabet="0123456789-dwT:Z ", max_size=12), max_size=6))
def test_a_whole_column_is_read_as_its_cells_are(cells: list[str]) -> None:
    cells = [cell.strip() for cell in cells]
    for kind in (Date(date(1800, 1, 1)), Horizon()):
        together = kind.all(cells, WHERE)
        if together is not None:
            assert together == [kind.one(cell, WHERE) if cell else None for cell in cells]


def test_error_and_direction_come_from_the_values(engine: Engine, bring: Bring) -> None:
    rows = [  # predicted, actual, base → hit
        ("101", "102", "100", True),
        ("99", "102", "100", False),
        ("100", "100", "100", True),
        ("100", "101", "100", False),
        ("101", "100", "100", False),
        ("101", "102", "", None),
    ]
    body = "".join(
        f"K,m{k},5d,{AT},2026-11-11,{predicted},{actual},{base},{KNOWN}\n"
        for k, (predicted, actual, base, _hit) in enumerate(rows)
    )
    assert bring("prediction_outcomes", HEAD + body).new == len(rows)
    found = stored(engine, PredictionOutcome, "abs_error", "direction_hit", "horizon", "day")
    assert found == [(abs(float(p) - float(a)), hit, 5, date(2026, 11, 12)) for p, a, _b, hit in rows]


def test_a_corrected_value_carries_error_and_direction_along(engine: Engine, bring: Bring) -> None:
    bring("prediction_outcomes", f"{HEAD}K,m,1,{AT},2026-11-11,101,102,100,{KNOWN}\n")
    assert bring("prediction_outcomes", f"{HEAD}K,m,1,{AT},2026-11-11,101,98,100,{KNOWN}\n").updated == 1
    assert stored(engine, PredictionOutcome, "abs_error", "direction_hit") == [(3, False)]


def test_an_outcome_that_is_not_there_yet_is_none(engine: Engine, bring: Bring) -> None:
    report = bring("prediction_outcomes", f"{HEAD}K,m,1,{AT},2026-11-11,101,,100,\n")
    assert [str(row) for row in report.rejects] == ["file.csv, line 2: actual_value: not resolved yet"]
    assert stored(engine, PredictionOutcome, "id") == []


def test_unresolved_rows_become_predictions_where_asked(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("TIMEZONE", ZONE.key)
    file = tmp_path / "mixed.csv"
    head = HEAD.replace("actual_value", "truth")
    lines = [f"K,m,1,{AT},2026-11-11,101,102,100,{KNOWN}", f"K,m,1,{AT},2026-11-30,101,,100,"]
    file.write_text(head + "\n".join(lines) + "\nK,m,x,,,,,,\n")
    call = ["import", "prediction_outcomes", str(file), "--as-predictions", "--map", "truth=actual_value"]
    assert main(call) == 0
    told = capsys.readouterr().out
    assert "mixed.csv: 1 read: 1 new" in told
    assert "mixed.csv → predictions: 2 read: 1 new, 0 updated, 0 unchanged, 1 rejected" in told
    assert "not known here" not in told
    assert stored(engine, Prediction, "target_date", "user_triggered") == [(date(2026, 11, 30), False)]
    assert main(call) == 0
    assert "0 new, 0 updated, 1 unchanged" in capsys.readouterr().out
    assert main(["import", "predictions", str(file), "--as-predictions"]) == 2


def test_a_bar_may_be_negative_but_not_upside_down(engine: Engine, bring: Bring) -> None:
    head = "date,ticker,open,high,low,close\n"
    rows = ["2020-04-20,WTI,17.7,17.8,-40.3,-37.6", "2020-04-21,WTI,1,2,3,2", "2020-04-22,WTI,9,8,7,7.5"]
    report = bring("price_bars", head + "\n".join(rows) + "\n")
    assert (report.new, report.rejected) == (2, 1)
    assert [str(row) for row in report.rejects] == ["file.csv, line 3: low: low is above high"]
    assert report.notes == ["1 row stored although open is not between low and high"]
    assert stored(engine, PriceBar, "code", "close") == [("WTI", -37.6), ("WTI", 7.5)]


def test_a_correction_leaves_when_a_bar_became_known(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    for close, hour in (("10", 1), ("11", 5)):
        file.write_text(f"code,date,close\nK,2026-11-19,{close}\n")
        import_file(engine, "price_bars", file, zone=ZONE, now=NOW.replace(hour=hour))
    found = stored(engine, PriceBar, "close", "imported_at", "updated_at")
    assert found == [(11, NOW.replace(hour=1), NOW.replace(hour=5))]


def test_triggers_mark_what_a_bar_or_a_prediction_concerns(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(PriceBar).values(code="K", date=date(2026, 11, 19), close=1))
        values = {"code": "L", "model": "m", "horizon": 1, "predicted_at": NOW, "predicted_value": 1}
        connection.execute(insert(Prediction).values(**values, target_date=date(2026, 11, 23)))
        connection.execute(update(Prediction).values(target_date=date(2026, 11, 24)))
        connection.execute(text("DELETE FROM price_bars"))
        marks = connection.execute(select(StaleMark.table_name, StaleMark.day, StaleMark.key).distinct())
        assert {tuple(mark) for mark in marks} == {
            ("price_bars", date(2026, 11, 19), "K"),
            ("predictions", date(2026, 11, 23), "L"),
            ("predictions", date(2026, 11, 24), "L"),
        }
        assert connection.scalar(select(Prediction.day)) == date(2026, 11, 20)


@pytest.mark.parametrize(
    "values",
    [{"low": 3, "high": 2}, {"close": float("inf")}, {"close": float("nan")}, {"code": ""}, {"volume": -1}],
)
def test_the_database_keeps_the_rules_of_bars_by_itself(engine: Engine, values: dict[str, Any]) -> None:
    row = {"code": "K", "date": date(2026, 11, 19), "close": 1.0} | values
    with pytest.raises(DatabaseError), engine.begin() as connection:
        connection.execute(insert(PriceBar).values(**row))


def test_programs_store_prices_predictions_and_outcomes(engine: Engine, tmp_path: Path) -> None:
    common = {"code": "K", "model": "m", "horizon": 5, "predicted_at": NOW.replace(day=9), "base_value": 10.0}
    prediction = common | {"target_date": date(2026, 11, 14), "predicted_value": 11.0}
    outcome = prediction | {"actual_value": 12.5, "resolved_at": NOW.replace(day=14)}
    bar = {"code": "K", "date": date(2026, 11, 14), "close": 12.5}
    for store, row in (
        (writers.store_prices, bar),
        (writers.store_predictions, prediction),
        (writers.store_outcomes, outcome),
    ):
        assert store([row], engine=engine, now=NOW).new == 1
        assert store([row], engine=engine, now=NOW).unchanged == 1
    file = tmp_path / "outcomes.csv"
    assert export_table(engine, "prediction_outcomes", file) == 1
    again = import_file(engine, "prediction_outcomes", file, zone=ZONE, now=NOW)
    assert (again.unchanged, again.rejected, again.notes) == (1, 0, [])


REAL = {
    "A_prediction_outcomes__epf_be_de.csv.gz": 139_776,
    "A_prediction_outcomes__epf_fr_10models.csv.gz": 174_720,
    "A_prediction_outcomes__flusight_2023_2025.csv.gz": 71_856,
    "A_prediction_outcomes__fte_governors_2022.csv": 13_749,
}


@pytest.mark.skipif(not DATA.exists(), reason="the real data are not here")
@pytest.mark.parametrize("name, rows", REAL.items())
def test_real_outcomes_come_in_as_they_are(engine: Engine, name: str, rows: int) -> None:
    if engine.dialect.name == "postgresql" and rows > 100_000:
        pytest.skip("one engine is enough for the large ones")
    report = import_file(engine, "prediction_outcomes", DATA / name, zone=ZONE, now=NOW)
    assert (report.new, report.read - rows) == (rows, report.rejected)
    given = pd.read_csv(DATA / name).dropna(subset=["actual_value"])
    o = PredictionOutcome
    with engine.connect() as connection:
        hits, directed, error = connection.execute(
            select(
                func.count().filter(o.direction_hit),
                func.count(o.direction_hit),
                func.sum(o.abs_error),
            )
        ).one()
    assert (hits, directed) == (given["direction_hit"].sum(), given["direction_hit"].notna().sum())
    assert error == pytest.approx(given["abs_error"].sum(), rel=1e-6)  # the file's are rounded


@pytest.mark.skipif(not DATA.exists(), reason="the real data are not here")
def test_real_prices_come_in_as_they_are(engine: Engine) -> None:
    for path in sorted(DATA.glob("E_prices__*.csv")):
        report = import_file(engine, "price_bars", path, zone=ZONE, now=NOW)
        with path.open() as lines:
            assert report.new == sum(1 for _line in lines) - 1
    with engine.connect() as connection:
        lowest = connection.scalar(select(func.min(PriceBar.close)))
        assert lowest == -36.98  # oil, 20 April 2020
        assert connection.scalar(select(func.min(PriceBar.date))) == date(1871, 1, 1)


def test_gzip_is_read_too(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "bars.csv.gz"
    file.write_bytes(gzip.compress(b"code,date,close\nK,2026-11-19,1\n"))
    assert import_file(engine, "price_bars", file, zone=ZONE, now=NOW).new == 1
