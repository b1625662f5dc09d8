"""The types of PostgreSQL's COPY."""

from typing import Any

from sqlalchemy import Column


def copy_type(column: Column[Any]) -> str:
    """What COPY calls the type of a column."""
    name = str(column.type.compile()).split("(")[0].lower()
    known = {
        "datetime": "timestamptz",
        "varchar": "text",
        "double": "float8",
        "bigint": "int8",
        "integer": "int4",
        "json": "jsonb",
    }
    return "bool" if name == "boolean" else known.get(name, name)
