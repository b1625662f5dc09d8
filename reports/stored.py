"""A message as plain JSON and back: what `reports.content` keeps. Pictures are base64."""

import base64
import dataclasses
from collections.abc import Sequence
from typing import Any

from reports import blocks
from reports.blocks import Block, Button, Fact, Line, Message, Span

KINDS: dict[str, type] = {
    kind.__name__.lower(): kind
    for kind in (
        blocks.Header,
        blocks.Heading,
        blocks.Text,
        blocks.Item,
        blocks.Facts,
        blocks.Table,
        blocks.Picture,
        blocks.Buttons,
        blocks.Divider,
        blocks.Note,
    )
}
# What PostgreSQL keeps in no JSON: NUL, and halves of characters.
_UNSTORABLE = {0: "�", **dict.fromkeys(range(0xD800, 0xE000), "�")}


def to_json(message: Message) -> dict[str, Any]:
    """{summary, language, demo, blocks: [{kind, …the block's own fields}]}."""
    told = [{"kind": type(block).__name__.lower(), **_fields(block)} for block in message.blocks]
    return {
        "summary": _plain(message.summary),
        "language": message.language,
        "demo": message.demo,
        "blocks": told,
    }


def from_json(stored: dict[str, Any]) -> Message:
    """The message that `to_json` made; sequences come back as tuples. Raises KeyError where it is none."""
    return Message(
        stored["summary"], tuple(_block(one) for one in stored["blocks"]), stored["language"], stored["demo"]
    )


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _plain(value: Any) -> Any:
    """Text, truth value or None as it is; pictures as base64, dataclasses as their fields, sequences as lists."""
    if isinstance(value, str):
        return value.translate(_UNSTORABLE)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if dataclasses.is_dataclass(value):
        return _fields(value)
    return [_plain(one) for one in value]


def _block(stored: dict[str, Any]) -> Block:
    fields = {name: value for name, value in stored.items() if name != "kind"}
    for name, read in _READ.items():
        if name in fields:
            fields[name] = read(fields[name])
    made: Block = KINDS[stored["kind"]](**fields)
    return made


def _line(stored: str | list[Any]) -> Line:
    if isinstance(stored, str):
        return stored
    return tuple(part if isinstance(part, str) else Span(**part) for part in stored)


def _row(stored: str | list[str]) -> Sequence[str]:
    return stored if isinstance(stored, str) else tuple(stored)


_READ: dict[str, Any] = {
    "line": _line,
    "lines": lambda lines: tuple(_line(line) for line in lines),
    "button": lambda button: button and Button(**button),
    "buttons": lambda buttons: tuple(Button(**button) for button in buttons),
    "facts": lambda facts: tuple(Fact(**fact) for fact in facts),
    "head": _row,
    "rows": lambda rows: tuple(_row(row) for row in rows),
    "png": base64.b64decode,
}
