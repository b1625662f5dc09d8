"""Rows that come by plain SQL get their day, and every change leaves its marks."""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, delete, select, text
from sqlalchemy.exc import DBAPIError

from db.calendar import change_timezone
from db.check import check
from db.tables.models import ModelEvaluation
from db.tables.operations import StaleMark

Marks = set[tuple[date, str]]

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
# 23:59:59.5 and 00:00 in Seoul.
LATE_MONDAY, EARLY_TUESDAY = "2026-11-16 14:59:59.500000", "2026-11-16 15:00:00"


@pytest.fixture
def sql(engine: Engine) -> Callable[[str], None]:
    """Runs a statement as a user's own program would."""

    def run(statement: str) -> None:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET TIME ZONE 'UTC'"))
            connection.execute(text(statement))

    run("INSERT INTO models (id, name) VALUES (1, 'atlas-2'), (2, 'borealis-7b')")
    return run


def insert(prediction_id: str, at: str, model_id: int = 1, **more: object) -> str:
    names = "".join(f", {name}" for name in more)
    values = "".join(f", {value}" for value in more.values())
    return (
        f"INSERT INTO model_evaluations (prediction_id, model_id, predicted_at{names}) "
        f"VALUES ('{prediction_id}', {model_id}, '{at}'{values})"
    )


def days(engine: Engine) -> dict[str, date | None]:
    with engine.connect() as connection:
        rows = connection.execute(select(ModelEvaluation.prediction_id, ModelEvaluation.day))
        return {row.prediction_id: row.day for row in rows}


def marks(engine: Engine) -> Marks:
    """The marks since the last look."""
    with engine.begin() as connection:
        found = {tuple(row) for row in connection.execute(select(StaleMark.day, StaleMark.key))}
        connection.execute(delete(StaleMark))
    return found


def test_insert_gets_its_business_day_and_a_mark(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    sql(insert("b", EARLY_TUESDAY, model_id=2))
    assert days(engine) == {"a": MONDAY, "b": TUESDAY}
    assert marks(engine) == {(MONDAY, "1"), (TUESDAY, "2")}


def test_day_that_comes_with_the_row_is_kept(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY, day="'2026-11-16'"))
    assert marks(engine) == {(MONDAY, "1")}


def test_update_marks_its_day(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    marks(engine)
    sql("UPDATE model_evaluations SET final_score = 50")
    assert marks(engine) == {(MONDAY, "1")}


def test_moved_row_marks_both_days(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    marks(engine)
    sql(f"UPDATE model_evaluations SET predicted_at = '{EARLY_TUESDAY}'")
    assert days(engine) == {"a": TUESDAY}
    assert marks(engine) == {(MONDAY, "1"), (TUESDAY, "1")}


def test_row_given_to_another_model_marks_both(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    marks(engine)
    sql("UPDATE model_evaluations SET model_id = 2")
    assert marks(engine) == {(MONDAY, "1"), (MONDAY, "2")}


def test_delete_marks_its_day(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    sql(insert("b", EARLY_TUESDAY))
    marks(engine)
    sql("DELETE FROM model_evaluations WHERE prediction_id = 'a'")
    assert marks(engine) == {(MONDAY, "1")}
    sql("DELETE FROM model_evaluations")
    assert marks(engine) == {(TUESDAY, "1")}


def test_mark_id_is_never_used_again(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    with engine.connect() as connection:
        first = connection.scalar(select(StaleMark.id))
    marks(engine)
    sql(insert("b", LATE_MONDAY))
    with engine.connect() as connection:
        assert connection.scalar(select(StaleMark.id)) > first


def test_rolled_back_change_leaves_no_mark(engine: Engine, sql: Callable[[str], None]) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text(insert("a", LATE_MONDAY)))
        transaction.rollback()
    assert marks(engine) == set()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("final_score", "100.1"),
        ("final_score", "-0.1"),
        ("timing_score", "'NaN'"),
        ("risk_management_score", "'Infinity'"),
        ("human_rating_overall", "0.9"),
        ("human_rating_quality", "5.5"),
        ("prediction_id", "''"),
        ("model_id", "3"),
        ("predicted_at", "'soon'"),
        ("target_achieved", "2"),
    ],
)
def test_rules_hold_for_plain_sql(
    engine: Engine, sql: Callable[[str], None], column: str, value: str
) -> None:
    sql(insert("a", LATE_MONDAY))
    with pytest.raises(DBAPIError):
        sql(f"UPDATE model_evaluations SET {column} = {value}")


def test_key_is_unique(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    sql(insert("a", LATE_MONDAY, model_id=2))
    with pytest.raises(DBAPIError):
        sql(insert("a", EARLY_TUESDAY))


def test_other_timezone_moves_rows_and_marks_both_days(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    sql(insert("b", EARLY_TUESDAY))
    marks(engine)
    berlin = ZoneInfo("Europe/Berlin")
    assert change_timezone(engine, berlin) == 1
    assert days(engine) == {"a": MONDAY, "b": MONDAY}
    assert marks(engine) == {(MONDAY, "1"), (TUESDAY, "1")}
    assert check(engine, berlin).wrong == []
    assert change_timezone(engine, berlin) == 0


def test_check_finds_a_wrong_day(engine: Engine, zone: ZoneInfo, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY, day="'2026-11-17'"))
    assert check(engine, zone).wrong == ["model_evaluations: 1 row has another day than that of predicted_at"]


def test_row_beyond_the_calendar_has_no_day(
    engine: Engine, zone: ZoneInfo, sql: Callable[[str], None]
) -> None:
    sql(insert("a", "2150-01-01 00:00:00"))
    assert days(engine) == {"a": None}
    assert len(check(engine, zone).wrong) == 1


def test_default_of_updated_at_is_now(engine: Engine, sql: Callable[[str], None]) -> None:
    sql(insert("a", LATE_MONDAY))
    with engine.connect() as connection:
        at = connection.scalar(select(ModelEvaluation.updated_at))
    assert isinstance(at, datetime)
    assert at.tzinfo is not None
