"""A day among a job's parameters: typed as 2026-11-15."""

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

from db.clock import parse_day
from db.errors import Refused


def _typed(value: Any) -> Any:
    try:
        return parse_day(value) if isinstance(value, str) else value
    except Refused as refused:
        raise ValueError(str(refused)) from None


TypedDay = Annotated[date, BeforeValidator(_typed)]
