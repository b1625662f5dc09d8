"""The vocabulary of a message: what may be said, whoever says it. Plain text everywhere; renderers escape it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A piece of a line."""

    text: str
    bold: bool = False
    url: str = ""


Line = Sequence[str | Span]


@dataclass(frozen=True)
class Button:
    """A link that looks like a button; whatever it offers waits for a press on the page that it opens."""

    label: str
    url: str
    main: bool = False


@dataclass(frozen=True)
class Header:
    """The first words of a message."""

    text: str


@dataclass(frozen=True)
class Heading:
    """The first line of a part."""

    line: Line


@dataclass(frozen=True)
class Text:
    """Lines that belong together."""

    lines: Sequence[Line]


@dataclass(frozen=True)
class Item:
    """A line with something to press beside it; without an address the line stands alone."""

    line: Line
    button: Button | None = None


@dataclass(frozen=True)
class Fact:
    """A headline number: what it is, its value, and a small second line."""

    label: str
    value: str
    second: str = ""


@dataclass(frozen=True)
class Facts:
    """Headline numbers side by side."""

    facts: Sequence[Fact]


@dataclass(frozen=True)
class Table:
    """Short cells in columns, the first aligned left, the others right; at most 40 characters wide."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A chart as PNG."""

    name: str
    title: str
    alt: str
    png: bytes


@dataclass(frozen=True)
class Buttons:
    """Buttons in one row."""

    buttons: Sequence[Button]


@dataclass(frozen=True)
class Divider:
    """A line between parts."""


@dataclass(frozen=True)
class Note:
    """Small print."""

    line: Line


Block = Header | Heading | Text | Item | Facts | Table | Picture | Buttons | Divider | Note


@dataclass(frozen=True)
class Message:
    """Something to tell: `summary` is the one line that notifications show; `demo` marks simulated data."""

    summary: str
    blocks: Sequence[Block]
    language: str = "en"
    demo: bool = False
