"""The coverage calendar: a worked example, and against plain Python that counts day by day."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert

from db.queries.coverage import coverage_calendar
from db.tables.models import DailyModelPerformance, Model
from db.tables.operations import Restatement, StaleMark

MONDAY = date(2026, 11, 16)
TODAY = MONDAY + timedelta(days=4)
NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
COUNTS = [
    column.name
    for column in DailyModelPerformance.__table__.columns
    if not column.nullable and not column.primary_key and column.name != "updated_at"
]

Day = tuple[int, date]
Held = dict[Day, tuple[int, int]]  # predictions and evaluated


def weeks_before(day: date, *numbers: int) -> list[date]:
    return [day - timedelta(weeks=k) for k in numbers]


def fill(engine: Engine, held: Held, waits: Iterable[Day] = (), restated: Iterable[Day] = ()) -> None:
    """The tables that the calendar reads, and nothing else in them."""
    daily = [
        dict.fromkeys(COUNTS, 0)
        | {"model_id": model, "date": day, "updated_at": NOW}
        | {"total_predictions": whole, "evaluated_count": part}
        for (model, day), (whole, part) in held.items()
    ]
    marks = [{"table_name": "model_evaluations", "day": day, "key": str(model)} for model, day in waits]
    told = [
        {"table_name": "daily_model_performance", "key": f"{model}/{day}", "column": column, "at": NOW}
        for model, day in restated
        for column in ("avg_final_score", "scored_count")
    ]
    with engine.begin() as connection:
        for table, rows in ((DailyModelPerformance, daily), (StaleMark, marks), (Restatement, told)):
            connection.execute(delete(table))
            if rows:
                connection.execute(insert(table), rows)


@pytest.fixture
def models(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.execute(insert(Model), [{"id": k, "name": f"model-{k}"} for k in (1, 2)])
    return engine


def calendar(engine: Engine, since: date, until: date, **more: Any) -> dict[tuple[str, date], str]:
    with engine.connect() as connection:
        table = coverage_calendar(connection, since, until, TODAY, **more)
    return {(row.subject, row.day): row.state for row in table.itertuples()}


def test_worked_example(models: Engine) -> None:
    tuesday, wednesday, thursday, friday = (MONDAY + timedelta(days=k) for k in range(1, 5))
    held = {(1, day): (3, 3) for day in weeks_before(MONDAY, 1, 2, 3, 4, 5, 6)}  # six of eight weeks
    held |= {(1, day): (3, 3) for day in weeks_before(tuesday, 1, 2, 3, 4, 5)}  # five of eight
    held |= {(1, day): (3, 3) for day in weeks_before(tuesday, 9, 10)}  # too long ago
    held |= {(1, wednesday): (3, 3), (1, thursday): (3, 2), (1, friday): (3, 3)}
    held |= {(2, day): (3, 3) for day in weeks_before(MONDAY, 3, 4, 5, 6, 7, 8)}
    held |= {(2, tuesday): (3, 3), (2, wednesday): (3, 3), (2, thursday): (1, 0)}
    held |= {(2, day): (3, 3) for day in weeks_before(friday, 1, 2, 3, 4, 5, 6)}
    fill(models, held, waits=[(2, tuesday), (2, thursday)], restated=[(2, wednesday), (2, thursday)])
    assert calendar(models, MONDAY, TODAY + timedelta(days=3)) == {
        ("model-1", MONDAY): "missing",
        ("model-1", wednesday): "complete",
        ("model-1", thursday): "partial",  # 2 of 3 are evaluated
        ("model-1", friday): "partial",  # it is today
        ("model-2", MONDAY): "missing",
        ("model-2", tuesday): "partial",  # a change is still to be aggregated
        ("model-2", wednesday): "restated",
        ("model-2", thursday): "partial",  # restated too; but it still waits
        ("model-2", friday): "partial",  # expected, and the day is not over
    }
    assert ("model-1", tuesday) not in calendar(models, MONDAY, TODAY)


def test_what_a_row_tells(models: Engine) -> None:
    fill(models, {(1, MONDAY): (9, 7)}, waits=[(1, MONDAY)], restated=[(1, MONDAY)])
    with models.connect() as connection:
        (row,) = coverage_calendar(connection, MONDAY, MONDAY, TODAY).to_dict("records")
    assert row == {"subject": "model-1", "day": MONDAY, "state": "partial"} | {
        "part": 7,
        "whole": 9,
        "waits": True,
        "restated": 2,
    }


def test_day_whose_row_vanished(models: Engine) -> None:
    """No row is left: restated on a day that is not expected, missing on one that is, waiting while it is stale."""
    fill(models, {}, restated=[(1, MONDAY)])
    assert calendar(models, MONDAY, MONDAY) == {("model-1", MONDAY): "restated"}
    fill(models, {(1, day): (3, 3) for day in weeks_before(MONDAY, *range(1, 9))}, restated=[(1, MONDAY)])
    assert calendar(models, MONDAY, MONDAY) == {("model-1", MONDAY): "missing"}
    fill(models, {}, waits=[(1, MONDAY)])
    assert calendar(models, MONDAY, MONDAY) == {("model-1", MONDAY): "partial"}


def test_models_asked_for_and_days_to_come(models: Engine) -> None:
    fill(models, {(model, MONDAY): (1, 1) for model in (1, 2)})
    assert list(calendar(models, MONDAY, MONDAY, models=("model-2",))) == [("model-2", MONDAY)]
    assert calendar(models, TODAY + timedelta(days=1), TODAY + timedelta(days=9)) == {}


def slowly(held: Held, waits: set[Day], restated: set[Day], model: int, day: date) -> str:
    """The state of a day, straight from the definition."""
    whole, part = held.get((model, day), (0, 0))
    seen = [held.get((model, before), (0, 0))[0] > 0 for before in weeks_before(day, *range(1, 9))]
    is_usual = sum(seen) >= 6
    if (model, day) in waits or (day == TODAY and (whole > 0 or is_usual)) or part < whole:
        return "partial"
    if whole == 0 and is_usual:
        return "missing"
    if (model, day) in restated:
        return "restated"
    return "complete" if whole else ""


days = st.integers(0, 80).map(lambda k: TODAY - timedelta(days=k))
model_days = st.tuples(st.sampled_from([1, 2]), days)
mostly = st.sampled_from([(3, 3), (3, 3), (3, 3), (2, 1), (0, 0)])


@settings(max_examples=40)
@given(data=st.data())
def test_any_history_equals_the_definition(models: Engine, data: st.DataObject) -> None:
    held: Held = {}
    for model in (1, 2):
        weekdays = data.draw(st.sets(st.integers(0, 6)))
        usual = [day for k in range(81) if (day := TODAY - timedelta(days=k)).weekday() in weekdays]
        values = data.draw(st.lists(mostly, min_size=len(usual), max_size=len(usual)))
        held |= {(model, day): value for day, value in zip(usual, values, strict=True) if value[0]}
    waits, restated = data.draw(st.sets(model_days, max_size=4)), data.draw(st.sets(model_days, max_size=6))
    since = TODAY - timedelta(days=data.draw(st.integers(0, 24)))
    fill(models, held, waits, restated)
    wanted = {
        (f"model-{model}", day): state
        for model in (1, 2)
        for k in range((TODAY - since).days + 1)
        if (state := slowly(held, waits, restated, model, day := since + timedelta(days=k)))
    }
    assert calendar(models, since, TODAY) == wanted
