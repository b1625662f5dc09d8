"""A statement's rows as a DataFrame, with the types of our columns."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select


def frame(connection: Connection, statement: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    """All rows; timestamps aware, dates as `datetime.date`, missing numbers NaN."""
    result = connection.execute(statement)
    return pd.DataFrame(result.fetchall(), columns=list(result.keys()))
