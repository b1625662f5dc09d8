"""Predictions find their outcomes: holidays, late and corrected prices, what goes again, and twice the same."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, delete, insert, or_, select, text, update
from test_aggregate_models import Here

from db.tables.forecasts import DailyForecast, Prediction, PredictionOutcome, PriceBar
from db.tables.operations import StaleMark
from db.writers import store_outcomes, store_predictions, store_prices
from jobs.aggregate_forecasts import aggregate_forecasts
from jobs.job import DayParameters, Outcome
from jobs.match_outcomes import MatchOutcomesParameters, match_outcomes

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # 11:30 in Seoul
MADE = datetime(2026, 11, 9, 1, tzinfo=UTC)
FRIDAY = date(2026, 11, 13)
o = PredictionOutcome


def match(engine: Engine, now: datetime = NOW, **params: Any) -> Outcome:
    return match_outcomes(engine, MatchOutcomesParameters(**params), Here(now))


def predict(engine: Engine, target: date, value: float = 101, base: float | None = 100, **more: Any) -> None:
    row = {"code": "K", "model": "lgbm", "horizon": 5, "predicted_at": MADE, "target_date": target}
    store_predictions([row | {"predicted_value": value, "base_value": base} | more], engine=engine, now=NOW)


def price(engine: Engine, day: date, close: float, now: datetime = NOW, code: str = "K") -> None:
    store_prices([{"code": code, "date": day, "close": close}], engine=engine, now=now)


def outcomes(engine: Engine, *names: str) -> list[Any]:
    with engine.connect() as connection:
        found = connection.execute(select(*(getattr(o, name) for name in names)).order_by(o.id))
        return [tuple(row) for row in found]


def marks(engine: Engine) -> int:
    with engine.connect() as connection:
        of_sources = or_(*(StaleMark.table_name.startswith(name) for name in ("price_bars", "predictions")))
        return len(connection.execute(select(StaleMark).where(of_sources)).all())


def test_the_close_of_the_target_day_is_the_outcome(engine: Engine) -> None:
    predict(engine, FRIDAY)
    price(engine, FRIDAY, 102)
    found = match(engine)
    assert (found.rows_read, found.rows_written) == (1, 1)
    names = ("actual_value", "abs_error", "direction_hit", "bar_date", "resolved_at", "day")
    assert outcomes(engine, *names) == [(102, 1, True, FRIDAY, NOW, date(2026, 11, 20))]
    assert marks(engine) == 0


def test_on_a_holiday_the_next_bar_counts_and_after_a_week_none(engine: Engine) -> None:
    for k, wait in enumerate((1, 7, 8)):
        predict(engine, FRIDAY, code=f"K{k}")
        price(engine, FRIDAY + timedelta(days=wait), 102, code=f"K{k}")
    price(engine, FRIDAY - timedelta(days=1), 99, code="K2")
    assert match(engine).rows_written == 2
    assert outcomes(engine, "bar_date") == [(FRIDAY + timedelta(days=k),) for k in (1, 7)]


def test_a_second_run_changes_nothing(engine: Engine) -> None:
    predict(engine, FRIDAY)
    price(engine, FRIDAY, 102)
    match(engine)
    before = outcomes(engine, *(column.name for column in o.__table__.columns))
    assert match(engine, NOW + timedelta(days=1)).rows_written == 0
    assert match(engine, NOW + timedelta(days=1), everything=True).rows_written == 0
    assert outcomes(engine, *(column.name for column in o.__table__.columns)) == before


def test_a_corrected_price_changes_the_outcome_but_not_when_it_was_known(engine: Engine) -> None:
    predict(engine, FRIDAY)
    price(engine, FRIDAY, 102)
    match(engine)
    later = NOW + timedelta(days=20)
    price(engine, FRIDAY, 98, later)
    assert match(engine, later).rows_written == 1
    found = outcomes(engine, "actual_value", "abs_error", "direction_hit", "resolved_at", "day")
    assert found == [(98, 3, False, NOW, date(2026, 11, 20))]


def test_a_price_that_is_corrected_while_its_mark_is_in_work_is_not_lost(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K is matched already when it is corrected, and the mark of its first price is still to be taken off."""
    monkeypatch.setattr("jobs.match_outcomes.MATCHED", 1)
    for code in ("K", "L"):
        predict(engine, FRIDAY, code=code)
        price(engine, FRIDAY, 102, code=code)

    def correct(step: int) -> None:
        if step == 2:
            price(engine, FRIDAY, 98)

    match_outcomes(engine, MatchOutcomesParameters(), Here(NOW, at_step=correct))
    match(engine)
    assert outcomes(engine, "code", "actual_value") == [("K", 98), ("L", 102)]
    assert marks(engine) == 0


def test_marks_of_a_run_that_was_killed_are_those_of_the_next(engine: Engine) -> None:
    predict(engine, FRIDAY)
    price(engine, FRIDAY, 102)

    def kill(_step: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        match_outcomes(engine, MatchOutcomesParameters(), Here(NOW, at_step=kill))
    assert match(engine, dry_run=True).result["added"] == 1
    assert match(engine).rows_written == 1 and marks(engine) == 0


def test_a_price_that_came_late_counts_as_known_on_its_own_day(engine: Engine) -> None:
    known = {}
    for k, days in enumerate((7, 8, 60)):  # Seoul is nine hours ahead
        predict(engine, FRIDAY, code=f"K{k}")
        came = datetime(2026, 11, 13, 14, 59, 59, tzinfo=UTC) + timedelta(days=days)
        price(engine, FRIDAY, 102, came, code=f"K{k}")
        known[days] = came
    match(engine, NOW + timedelta(days=90))
    end = datetime(2026, 11, 13, 14, 59, 59, tzinfo=UTC)
    assert outcomes(engine, "resolved_at", "day") == [
        (known[7], date(2026, 11, 20)),
        (end, FRIDAY),
        (end, FRIDAY),
    ]


def test_who_knew_the_price_already_forecast_nothing(engine: Engine) -> None:
    price(engine, FRIDAY, 102)
    predict(engine, FRIDAY, predicted_at=NOW + timedelta(minutes=1))
    predict(engine, FRIDAY, code="L", predicted_at=NOW - timedelta(minutes=1))
    price(engine, FRIDAY, 102, code="L")
    match(engine, NOW + timedelta(hours=1))
    assert outcomes(engine, "code") == [("L",)]


def test_a_bar_that_comes_between_takes_over(engine: Engine) -> None:
    predict(engine, FRIDAY)
    price(engine, FRIDAY + timedelta(days=3), 105)
    match(engine)
    price(engine, FRIDAY, 99, NOW + timedelta(hours=1))
    match(engine, NOW + timedelta(days=1))
    assert outcomes(engine, "actual_value", "bar_date", "resolved_at") == [(99, FRIDAY, NOW)]


@pytest.mark.parametrize("table", [PriceBar, Prediction])
def test_what_lost_its_bar_or_its_prediction_goes(engine: Engine, table: Any) -> None:
    predict(engine, FRIDAY)
    price(engine, FRIDAY, 102)
    match(engine)
    with engine.begin() as connection:
        connection.execute(delete(table))
    assert match(engine).rows_written == 1
    assert outcomes(engine, "id") == []


def test_a_bar_by_plain_sql_counts_too_and_a_moved_target_finds_another(engine: Engine) -> None:
    predict(engine, FRIDAY)
    with engine.begin() as connection:
        for day, close in ((FRIDAY, 102), (FRIDAY + timedelta(days=3), 90)):
            connection.execute(insert(PriceBar).values(code="K", date=day, close=close, imported_at=NOW))
    match(engine)
    with engine.begin() as connection:
        connection.execute(update(Prediction).values(target_date=FRIDAY + timedelta(days=2)))
    assert match(engine).rows_written == 2  # the old key goes, the new one comes
    assert outcomes(engine, "actual_value", "target_date") == [(90, FRIDAY + timedelta(days=2))]


def test_an_outcome_that_was_imported_is_left_alone(engine: Engine) -> None:
    row = {"code": "K", "model": "lgbm", "horizon": 5, "predicted_at": MADE, "target_date": FRIDAY}
    row |= {"predicted_value": 101, "base_value": 100}
    store_outcomes([row | {"actual_value": 77, "resolved_at": NOW}], engine=engine, now=NOW)
    predict(engine, FRIDAY)
    price(engine, FRIDAY, 102)
    assert match(engine).rows_written == 0
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM price_bars"))
    match(engine)
    assert outcomes(engine, "actual_value", "bar_date") == [(77, None)]


def test_a_dry_run_shows_and_writes_nothing(engine: Engine) -> None:
    predict(engine, FRIDAY)
    price(engine, FRIDAY, 102)
    found = match(engine, dry_run=True)
    assert "1 row would be added" in found.summary
    assert outcomes(engine, "id") == []
    assert marks(engine) == 2
    match(engine)
    price(engine, FRIDAY, 103)
    assert match(engine, dry_run=True).result["changes"][0]["columns"] == {"actual_value": [102, 103]}


def test_user_triggered_or_not_makes_no_difference(engine: Engine) -> None:
    predict(engine, FRIDAY)
    predict(engine, FRIDAY, model="chronos", user_triggered=True)
    price(engine, FRIDAY, 102)
    assert match(engine).rows_written == 2


def test_many_predictions_against_pandas(engine: Engine) -> None:
    """Three codes with gaps in their prices, many targets: the first bar on or after, at most a week later."""
    days = [date(2026, 8, 1) + timedelta(days=k) for k in range(100)]
    bars = [
        {"code": f"C{k}", "date": day, "close": 100.0 + ((n * 7 + k) % 13)}
        for k in range(3)
        for n, day in enumerate(days)
        if day.weekday() < 5 and not (k == 1 and 20 <= n < 35)
    ]
    rows = [
        {
            "code": f"C{k}",
            "model": model,
            "horizon": horizon,
            "predicted_at": datetime(day.year, day.month, day.day, 1, tzinfo=UTC),
            "target_date": day + timedelta(days=horizon),
            "predicted_value": 100.0 + (n + k + horizon) % 9,
            "base_value": 104.0,
        }
        for k in range(3)
        for model in ("chronos", "lgbm")
        for horizon in (1, 3, 5)
        for n, day in enumerate(days)
    ]
    store_prices(bars, engine=engine, now=NOW)
    store_predictions(rows, engine=engine, now=NOW)
    match(engine)
    predictions, prices = pd.DataFrame(rows), pd.DataFrame(bars)
    predictions["target"] = pd.to_datetime(predictions["target_date"])
    prices["bar"] = pd.to_datetime(prices["date"])
    expected = pd.merge_asof(
        predictions.sort_values("target"),
        prices.sort_values("bar"),
        left_on="target",
        right_on="bar",
        by="code",
        direction="forward",
        tolerance=pd.Timedelta(days=7),
    ).dropna(subset=["close"])
    names = ("code", "model", "horizon", "target_date", "actual_value", "bar_date")
    wanted = expected[["code", "model", "horizon", "target_date", "close"]].assign(
        day=expected["bar"].dt.date
    )
    assert sorted(outcomes(engine, *names)) == sorted(wanted.itertuples(index=False, name=None))
    assert len(wanted) < len(rows)


def test_days_of_outcomes_are_counted_over_codes(engine: Engine, tmp_path: Path) -> None:
    rows = [  # code, predicted, base, actual
        ("A", 101, 100, 102),  # hit, closer than no change
        ("B", 99, 100, 102),  # miss, further
        ("C", 101, None, 102),  # no base
    ]
    given = [
        {"code": code, "model": "m", "horizon": 5, "predicted_at": MADE, "target_date": FRIDAY}
        | {"predicted_value": predicted, "base_value": base, "actual_value": actual, "resolved_at": NOW}
        for code, predicted, base, actual in rows
    ]
    store_outcomes(given, engine=engine, now=NOW)
    assert aggregate_forecasts(engine, DayParameters(), Here(NOW)).rows_written == 1
    counts = ("sample_count", "hit_count", "direction_count", "closer_count", "based_count")
    columns = [getattr(DailyForecast, name) for name in counts]
    with engine.begin() as connection:
        assert tuple(connection.execute(select(*columns)).one()) == (3, 1, 2, 1, 2)
        connection.execute(delete(o).where(o.code != "C"))
    aggregate_forecasts(engine, DayParameters(), Here(NOW))
    assert aggregate_forecasts(engine, DayParameters(dry_run=True), Here(NOW)).result["changed"] == 0
    with engine.begin() as connection:
        assert tuple(connection.execute(select(*columns)).one()) == (1, 0, 0, 0, 0)
        connection.execute(delete(o))
    assert aggregate_forecasts(engine, DayParameters(), Here(NOW)).rows_written == 1
    with engine.connect() as connection:
        assert connection.execute(select(*columns)).all() == []
