"""Addresses of the dashboard's pages, as messages link to them; none without `PUBLIC_URL`."""

from datetime import date, timedelta
from urllib.parse import urlencode

from reports.blocks import Button

WEEKS_SHOWN = 12  # that a linked page shows, the linked one last
PAGES = {
    "overview": "",
    "models": "models",
    "quality": "quality",
    "forecasts": "forecasts",
    "agents": "agents",
    "usage": "usage",
    "operations": "operations",
}


def page_url(public_url: str | None, page: str, week: date | None = None, **query: str) -> str:
    """A page with a week as its last, and whatever else its address takes; '' where no address is known."""
    if not public_url:
        return ""
    if week is not None:
        first, last = week - timedelta(weeks=WEEKS_SHOWN - 1), week + timedelta(days=6)
        query = {"period": "own", "from": first.isoformat(), "to": last.isoformat()} | query
    asked = f"?{urlencode(query)}" if query else ""
    return f"{public_url.rstrip('/')}/{PAGES[page]}{asked}"


def button(label: str, url: str, main: bool = False) -> Button | None:
    """A button, where there is an address that it can open."""
    return Button(label, url, main) if url else None
