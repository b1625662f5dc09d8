"""Lines of a message as their spans, cleaned; and which addresses may be linked."""

from urllib.parse import urlsplit

from reports.blocks import Line, Span
from reports.splitting import clean, units

LONGEST_URL = 3_000


def spans(line: Line) -> list[Span]:
    """The pieces of a line: cleaned, without empty ones, and with addresses only where they can be linked."""
    parts = [line] if isinstance(line, str) else line
    found = [Span(part) if isinstance(part, str) else part for part in parts]
    return [Span(clean(one.text), one.bold, linkable(one.url)) for one in found if one.text]


def heading_spans(line: Line) -> list[Span]:
    """The pieces of a part's first line: all of it is bold where nothing in it is."""
    found = spans(line)
    if any(one.bold for one in found):
        return found
    return [Span(one.text, True, one.url) for one in found]


def plain(line: Line) -> str:
    """The words of a line."""
    return "".join(one.text for one in spans(line))


def linkable(url: str) -> str:
    """The address where it is one of the web that can be linked as it stands; empty otherwise."""
    try:
        parts = urlsplit(url)
        web = parts.scheme in ("http", "https") and bool(parts.hostname) and not _odd(url)
    except ValueError:  # half of an IPv6 address
        return ""
    return url if web and units(url) <= LONGEST_URL else ""


def _odd(url: str) -> bool:
    return any(one.isspace() or not one.isprintable() or one in '<>|"`\\' for one in url)
