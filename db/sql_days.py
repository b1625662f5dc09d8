"""Arithmetic with days and moments in SQL, the same on SQLite and PostgreSQL."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from db.base import Day, Timestamp


class days_after(GenericFunction[date]):  # noqa: N801 - it stands in a statement like func.sum
    """A day so many days later; the number is a literal or a bound parameter."""

    type = Day()
    inherit_cache = True


class a_second_before(GenericFunction[datetime]):  # noqa: N801
    """The moment a second earlier: the last one of a business day, given the first one after it."""

    type = Timestamp()
    inherit_cache = True


class day_number(GenericFunction[int]):  # noqa: N801
    """A day as date.toordinal() counts it."""

    type = Integer()
    inherit_cache = True


@compiles(day_number, "sqlite")
def _number_on_sqlite(element: day_number, compiler: Any, **options: Any) -> str:
    return f"CAST(julianday({compiler.process(element.clauses, **options)}) - 1721424.5 AS INTEGER)"


@compiles(day_number, "postgresql")
def _number_on_postgresql(element: day_number, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} - DATE '0001-01-01' + 1)"


@compiles(days_after, "sqlite")
def _days_on_sqlite(element: days_after, compiler: Any, **options: Any) -> str:
    day, days = (compiler.process(clause, **options) for clause in element.clauses)
    return f"date({day}, {days} || ' days')"


@compiles(days_after, "postgresql")
def _days_on_postgresql(element: days_after, compiler: Any, **options: Any) -> str:
    day, days = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({day} + {days})"


@compiles(a_second_before, "sqlite")
def _second_on_sqlite(element: a_second_before, compiler: Any, **options: Any) -> str:
    return f"datetime({compiler.process(element.clauses, **options)}, '-1 second')"


@compiles(a_second_before, "postgresql")
def _second_on_postgresql(element: a_second_before, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} - interval '1 second')"
