"""Verdicts on models are kept by name: a model that is renamed while weeks are judged."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from db.tables.models import Model


def model_ids(connection: Connection) -> dict[str, int]:
    """The models by the names that the figures were read with."""
    return {row.name: row.id for row in connection.execute(select(Model.name, Model.id))}


def under_todays_names(
    connection: Connection, ids: Mapping[str, int], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rows with the names that the models have now, and keep until the transaction ends; none of models gone."""
    kept = select(Model.id, Model.name).with_for_update(read=True)  # a rename waits, then renames these, too
    today = {row.id: row.name for row in connection.execute(kept)}
    named = []
    for row in rows:
        if row["word"] != "models":
            named.append(row)
        elif subject := today.get(ids.get(row["subject"], 0)):
            named.append(row | {"subject": subject})
    return named
