"""A statement's rows as a DataFrame, with the types of our columns."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Float, Integer, Numeric, Select


def frame(connection: Connection, statement: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    """All rows; timestamps aware, dates as `datetime.date`, missing numbers NaN."""
    result = connection.execute(statement)
    found = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
    for column, told in zip(found.columns, statement.selected_columns, strict=True):
        # pandas cannot know that a column in which every value is missing is one of numbers.
        if isinstance(told.type, (Float, Integer, Numeric)) and len(found) and found[column].isna().all():
            found[column] = found[column].astype(float)
    return found
