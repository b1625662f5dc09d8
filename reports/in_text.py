"""A message as plain text, for a terminal."""

from reports.blocks import (
    Block,
    Buttons,
    Divider,
    Facts,
    Header,
    Heading,
    Item,
    Message,
    Note,
    Picture,
    Table,
    Text,
)
from reports.lines import plain
from reports.monospace import lines_of


def in_text(message: Message) -> str:
    """Its blocks one below the other; links with their addresses, pictures by what they show."""
    return "\n".join(line for block in message.blocks for line in _lines(block))


def _lines(block: Block) -> list[str]:
    match block:
        case Header(text):
            return [text, "=" * len(text)]
        case Heading(line) | Note(line):
            return [plain(line)]
        case Text(lines):
            return [plain(line) for line in lines]
        case Item(line, button):
            return [plain(line), *([f"  {button.label}: {button.url}"] if button else [])]
        case Facts(facts):
            return [" ".join(filter(None, (fact.label, fact.value, fact.second))) for fact in facts]
        case Table():
            head, rows = lines_of(block)
            return [*head, *(line for row in rows for line in row)]
        case Picture():
            return [f"[{block.alt}]"]
        case Buttons(buttons):
            return [f"{button.label}: {button.url}" for button in buttons]
        case Divider():
            return [""]
