"""A week as a parameter: typed as 2026-W46 or as a day of it, kept as its Monday."""

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

from db.clock import parse_monday, week_start


def _monday(value: Any) -> Any:
    if isinstance(value, str):
        value = parse_monday(value)
    return week_start(value) if isinstance(value, date) else value


Monday = Annotated[date, BeforeValidator(_monday)]
