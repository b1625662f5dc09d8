"""Mean and spread in SQL, the same to the last digits on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import ColumnElement, Double, Integer, case, cast, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.functions import GenericFunction


class sample_std(GenericFunction[float]):  # noqa: N801 - it stands in a statement like func.avg
    """Sample standard deviation (n − 1) of `x`; null under 2 values, exactly 0 for equal ones.

    `anchor` is any value of the group: where the spread is small against the mean, the digits of plain values
    are lost in it, on both engines, and those of distances from a value of the group are not (Chan, Golub,
    LeVeque: Algorithms for computing the sample variance, 1983, "shifted data").
    """

    type = Double()
    inherit_cache = True

    def __init__(self, x: ColumnElement[Any], anchor: ColumnElement[Any]) -> None:
        super().__init__(x, anchor)


@compiles(sample_std, "sqlite")
def _on_sqlite(element: sample_std, compiler: Any, **options: Any) -> str:
    x, anchor = (compiler.process(clause, **options) for clause in element.clauses)
    d = f"({x} - {anchor})"
    return (
        f"CASE WHEN count({x}) > 1 THEN sqrt(max(0.0, sum({d} * {d}) - sum({d}) * sum({d}) / count({x})) "
        f"/ (count({x}) - 1)) END"
    )


@compiles(sample_std, "postgresql")
def _on_postgresql(element: sample_std, compiler: Any, **options: Any) -> str:
    x, anchor = (compiler.process(clause, **options) for clause in element.clauses)
    return f"stddev_samp({x} - {anchor})"


def sample_mean(x: Any, anchor: ColumnElement[Any]) -> ColumnElement[Any]:
    """Mean of `x` by the sums that the spread needs anyway; null without values."""
    return anchor + func.sum(x - anchor) / func.count(x)


def percentage(part: ColumnElement[Any], whole: ColumnElement[Any]) -> ColumnElement[Any]:
    """100 × part / whole, null where whole is 0."""
    return case((whole > 0, 100.0 * part / whole))


def true_count(column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """How many rows have the flag set; null is not counted."""
    return func.coalesce(func.sum(cast(column, Integer)), 0)
