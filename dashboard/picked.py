"""What somebody clicked: points and cells of charts, rows of tables."""

from datetime import date, timedelta
from typing import Any


def point(event: Any) -> tuple[str, date] | None:
    """The model and period of the chart point that was clicked."""
    points = event["selection"].get("point") or []
    if not points or "subject" not in points[0]:
        return None
    return points[0]["subject"], _day(points[0]["period"])


def cells(event: Any) -> tuple[list[str], date, date] | None:
    """The models, first and last day of the cells over which somebody dragged, or of the one that was clicked."""
    dragged = event["selection"].get("range") or {}
    if dragged.get("period") and dragged.get("subject"):
        found = sorted(_day(value) for value in dragged["period"])
        return list(dragged["subject"]), found[0], found[-1]
    one = point(event)
    return ([one[0]], one[1], one[1]) if one else None


def row(event: Any) -> int | None:
    """The position of the table row that was selected."""
    rows = event["selection"]["rows"]
    return rows[0] if rows else None


def _day(value: Any) -> date:
    if isinstance(value, int | float):  # Vega gives dates as UTC milliseconds
        return date(1970, 1, 1) + timedelta(milliseconds=value)
    return date.fromisoformat(str(value)[:10])
