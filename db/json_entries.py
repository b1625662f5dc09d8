"""The entries of a JSON object in SQL, the same on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import Double, TableValuedAlias
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class each_entry(GenericFunction[Any]):  # noqa: N801 - it stands in a statement like func.sum
    """The entries of an object as rows; see `entries`."""

    inherit_cache = True


class entry_number(GenericFunction[float]):  # noqa: N801
    """An entry's value where it is a number, else null."""

    type = Double()
    inherit_cache = True


def entries(column: Any, name: str) -> TableValuedAlias:
    """A column's objects taken apart: a table with columns key, and value and type for `number`."""
    return each_entry(column).table_valued("key", "value", "type", name=name)


def number(alias: TableValuedAlias) -> Any:
    """The entry's value where it is a number, else null."""
    return entry_number(alias.c.value, alias.c.type)


@compiles(each_entry, "sqlite")
def _each_on_sqlite(element: each_entry, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(each_entry, "postgresql")
def _each_on_postgresql(element: each_entry, compiler: Any, **options: Any) -> str:
    return f"jsonb_each({compiler.process(element.clauses, **options)})"


@compiles(entry_number, "sqlite")
def _number_on_sqlite(element: entry_number, compiler: Any, **options: Any) -> str:
    value, kind = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CASE WHEN {kind} IN ('integer', 'real') THEN CAST({value} AS REAL) END"


@compiles(entry_number, "postgresql")
def _number_on_postgresql(element: entry_number, compiler: Any, **options: Any) -> str:
    value, _kind = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CASE WHEN jsonb_typeof({value}) = 'number' THEN ({value})::float8 END"
