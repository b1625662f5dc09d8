"""Text for Slack in which nothing is read as formatting, as a name or as a call to people.

rich_text needs no escaping: its characters are shown as they are, and only elements of their own could ping. mrkdwn,
which sections with a button and small print want, is used for lines in which nothing could mean formatting.
"""

import re
from collections.abc import Sequence

from slack_sdk.models.blocks import RichTextElementParts, RichTextSectionElement
from slack_sdk.models.blocks.block_elements import RichTextElement

from reports.blocks import Span
from reports.splitting import RIGHT_TO_LEFT, clean, pieces, units

BLOCK_LIMIT = 3_000
# Counted beside the text of a span: what its address and its container take of the message.
_CONTAINER = 20
_WORD_JOINER = "\u2060"  # shows nothing
_CALLS = re.compile(r"<(?=[!@#])|@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE)
# Marks of formatting (an underscore only at the edge of a word) and names of emoji, which 02:14:07 holds none of.
_FORMATTING = re.compile(r"[*~`]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?!\d{1,2}:)[^\s:]+:")
_SPACES = re.compile(r"^(\s*)(.*?)(\s*)$", re.DOTALL)


def calm(text: str) -> str:
    """The text with what calls people broken apart, and with letters that run leftwards kept to themselves."""
    text = _CALLS.sub(rf"\g<0>{_WORD_JOINER}", clean(text))
    return f"\u2068{text}\u2069" if RIGHT_TO_LEFT.search(text) else text


def size(text: str) -> int:
    """How long a text is when it is calm."""
    return units(calm(text))


def escaped(text: str) -> str:
    """The text as mrkdwn wants its three special characters."""
    return calm(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mrkdwn(line: Sequence[Span], limit: int) -> str | None:
    """The line in mrkdwn; None where something in it might be read otherwise, or where it is too long."""
    words = "".join(one.text for one in line)
    if _FORMATTING.search(words) or words.lstrip().startswith(">"):
        return None
    told = [_marked(one) for one in line]
    for n, one in enumerate(line):
        before = line[n - 1].text[-1:] if n else ""
        after = line[n + 1].text[:1] if n + 1 < len(line) else ""
        if one.bold and not _stands_alone(one.text, before, after):
            return None
    text = "".join(told)
    return text if units(text) <= limit else None


def _stands_alone(text: str, before: str, after: str) -> bool:
    """Whether stars round a text would be taken for bold: only at the edges of words."""
    left = not before or before.isspace() or text[:1].isspace()
    right = not after or after.isspace() or after in ",.;:!?)" or text[-1:].isspace()
    return left and right


def _marked(one: Span) -> str:
    found = _SPACES.match(one.text)
    left, text, right = found.groups() if found else ("", one.text, "")
    if not text:
        return one.text
    text = escaped(text)
    if one.url:
        text = f"<{one.url.replace('&', '&amp;')}|{text}>"
    return left + (f"*{text}*" if one.bold else text) + right


def sections(lines: Sequence[Sequence[Span]]) -> list[RichTextSectionElement]:
    """Lines as sections of rich text, each within what one block may hold."""
    groups: list[list[Span]] = [[]]
    room = BLOCK_LIMIT
    for n, line in enumerate(lines):
        for one in [*([Span("\n")] if n else []), *(part for whole in line for part in _parts(whole))]:
            if (takes := _takes(one)) > room:
                groups.append([])
                room = BLOCK_LIMIT
                if one.text == "\n":
                    continue
            groups[-1].append(one)
            room -= takes
    return [RichTextSectionElement(elements=[_element(one) for one in group]) for group in groups if group]


def _parts(one: Span) -> list[Span]:
    limit = BLOCK_LIMIT - _CONTAINER - min(units(one.url), BLOCK_LIMIT // 2)
    return [Span(part, one.bold, one.url) for part in pieces(one.text, limit, size)]


def _takes(one: Span) -> int:
    return size(one.text) + units(one.url) + _CONTAINER


def _element(one: Span) -> RichTextElement:
    style = RichTextElementParts.TextStyle(bold=True) if one.bold else None
    text = one.text if one.text == "\n" else calm(one.text)
    if one.url:
        return RichTextElementParts.Link(url=one.url, text=text, style=style)
    return RichTextElementParts.Text(text=text, style=style)
