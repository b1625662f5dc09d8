"""Mean, spread and a day's name in SQL, the same on SQLite and PostgreSQL, to the last digits."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Double, String, Table, case, func, join, literal, null, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.functions import GenericFunction

# Down to this share of the mean a spread that is computed in one pass has 12 right digits.
ONE_PASS = 0.01


class sample_mean(GenericFunction[float]):  # noqa: N801 - it stands in a statement like func.sum
    """Mean of `x`; null without values. By the sums that the spread needs too: each aggregate costs time."""

    type = Double()
    inherit_cache = True


class one_pass_std(GenericFunction[float]):  # noqa: N801
    """Sample standard deviation (n − 1) by sums alone; null under 2 values."""

    type = Double()
    inherit_cache = True


class day_text(GenericFunction[str]):  # noqa: N801
    """A day as text, 2026-11-15, whatever style of dates a server is set to."""

    type = String()
    inherit_cache = True


@compiles(day_text, "sqlite")
def _day_on_sqlite(element: day_text, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(day_text, "postgresql")
def _day_on_postgresql(element: day_text, compiler: Any, **options: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **options)}, 'YYYY-MM-DD')"


@compiles(sample_mean, "sqlite")
def _mean_on_sqlite(element: sample_mean, compiler: Any, **options: Any) -> str:
    x = compiler.process(element.clauses, **options)
    return f"sum({x}) / count({x})"


@compiles(sample_mean, "postgresql")
def _mean_on_postgresql(element: sample_mean, compiler: Any, **options: Any) -> str:
    return f"avg({compiler.process(element.clauses, **options)})"


@compiles(one_pass_std, "sqlite")
def _std_on_sqlite(element: one_pass_std, compiler: Any, **options: Any) -> str:
    x = compiler.process(element.clauses, **options)
    squares = f"max(0.0, sum({x} * {x}) - sum({x}) * sum({x}) / count({x}))"
    return f"CASE WHEN count({x}) > 1 THEN sqrt({squares} / (count({x}) - 1)) END"


@compiles(one_pass_std, "postgresql")
def _std_on_postgresql(element: one_pass_std, compiler: Any, **options: Any) -> str:
    return f"stddev_samp({compiler.process(element.clauses, **options)})"


def sample_std(x: Any, groups: Table, same_group: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[Any]:
    """Sample standard deviation (n − 1) of a mapped column; null under 2 values, exactly 0 for equal ones.

    Where the spread is small against the mean, one pass loses its digits. Such a group is read again, by the
    condition `same_group` on the statement's `groups`, and measured from one of its values (Chan, Golub,
    LeVeque: Algorithms for computing the sample variance, 1983, "shifted data").
    """
    return case(
        (func.count(x) < 2, null()),
        (one_pass_std(x) > ONE_PASS * func.abs(sample_mean(x)), one_pass_std(x)),
        else_=_shifted_std(x, groups, same_group),
    )


def _shifted_std(
    x: Any, groups: Table, same_group: Callable[[Any], ColumnElement[bool]]
) -> ColumnElement[Any]:
    first, again = aliased(x.class_), aliased(x.class_)
    value = getattr(first, x.key)
    any_row = select(value.label("value")).where(same_group(first), value.is_not(None)).limit(1)
    origin = any_row.correlate(groups).subquery()
    d = getattr(again, x.key) - origin.c.value
    squares = func.sum(d * d) - func.sum(d) * func.sum(d) / func.count(d)
    spread = select(case((squares > 0, func.sqrt(squares / (func.count(d) - 1))), else_=0.0))
    rows = spread.select_from(join(again, origin, literal(True))).where(same_group(again))
    return rows.correlate(groups).scalar_subquery()


def percentage(part: ColumnElement[Any], whole: ColumnElement[Any]) -> ColumnElement[Any]:
    """100 × part / whole, null where whole is 0."""
    return case((whole > 0, 100.0 * part / whole))


def true_count(column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """How many rows have the flag set; null is not counted."""
    return func.count().filter(column)
