"""A message as Block Kit. Limits are met by splitting; what fits one message no more goes on in its thread.

Pictures are no blocks: they are uploaded into the thread. The models of slack_sdk validate what is made.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models import blocks as kit

from language import _, speaking
from reports import blocks
from reports.blocks import Block, Line, Message, Picture, Span
from reports.lines import heading_spans, linkable, plain, spans
from reports.monospace import lines_of
from reports.slack_text import BLOCK_LIMIT, calm, escaped, mrkdwn, sections, size
from reports.splitting import pieces, units

# A message holds 50 blocks; one is kept for the line that says where it goes on.
MOST_BLOCKS, MOST_FIELDS, MOST_BUTTONS = 49, 10, 5
# Slack refuses (msg_blocks_too_long) from about 13,000 characters of all blocks with what holds them.
MESSAGE_LIMIT = 11_500
HEADER_LIMIT, LABEL_LIMIT, FIELD_LIMIT, NOTE_LIMIT = 150, 75, 2_000, 2_000
SUMMARY_LIMIT = 600
Kit = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """`text` is what notifications show; `posts` the blocks of the message and of those that go on in its thread."""

    text: str
    posts: tuple[tuple[Kit, ...], ...]
    pictures: tuple[Picture, ...]


def render(message: Message, key: str) -> Rendered:
    """The message in Slack's terms; each post's first block has a block_id that begins with the key (≤ 200)."""
    made = [one.to_dict() for block in message.blocks for one in _made(block)]
    if not any(one["type"] != "divider" for one in made):
        made = [one.to_dict() for one in _text([message.summary or "–"])]
    posts = _posts(made)
    if len(posts) > 1:
        with speaking(message.language):
            posts[0].append(_note(_("It goes on in the thread.")).to_dict())
    for n, post in enumerate(posts):
        post[0]["block_id"] = f"{key}/{n}"
    pictures = tuple(block for block in message.blocks if isinstance(block, Picture))
    words = (pieces(plain(message.summary), SUMMARY_LIMIT) or ["–"])[0]
    return Rendered(escaped(words), tuple(map(tuple, posts)), pictures)


def _posts(made: Sequence[Kit]) -> list[list[Kit]]:
    """Blocks in as few messages as hold them; none begins with a line between parts."""
    posts: list[list[Kit]] = [[]]
    room = MESSAGE_LIMIT
    for one in made:
        takes = units(json.dumps(one, ensure_ascii=False)) + 2
        if len(posts[-1]) == MOST_BLOCKS or takes > room:
            posts.append([])
            room = MESSAGE_LIMIT
        if one["type"] != "divider" or posts[-1]:
            posts[-1].append(one)
            room -= takes
    return [post for post in posts if post]


def _made(block: Block) -> Iterator[kit.Block]:
    make: Callable[[Any], Iterator[kit.Block]] | None = _MAKERS.get(type(block))
    return make(block) if make else iter(())


def _header(block: blocks.Header) -> Iterator[kit.Block]:
    first, *more = pieces(plain(block.text).strip(), HEADER_LIMIT, size) or [""]
    if first.strip():
        yield kit.HeaderBlock(text=_literal(first.strip()))
    yield from _rich([[Span("".join(more), bold=True)]] if more else [])


def _heading(block: blocks.Heading) -> Iterator[kit.Block]:
    return _rich([heading_spans(block.line)])


def _text(lines: Sequence[Line]) -> Iterator[kit.Block]:
    return _rich([spans(line) for line in lines])


def _rich(lines: Sequence[Sequence[Span]]) -> Iterator[kit.Block]:
    if any(one.text.strip() for line in lines for one in line):
        for section in sections(lines):
            yield kit.RichTextBlock(elements=[section])


def _item(block: blocks.Item) -> Iterator[kit.Block]:
    """The button beside the line, or below it where the line is no mrkdwn."""
    line, button = spans(block.line), block.button
    told = mrkdwn(line, BLOCK_LIMIT) or ""
    pressed = _button(button) if button else None
    if pressed and told.strip():
        yield kit.SectionBlock(text=_marked(told), accessory=pressed)
        return
    yield from _rich([line])
    if button and linkable(button.url):
        yield from _buttons(blocks.Buttons([button]))


def _buttons(block: blocks.Buttons) -> Iterator[kit.Block]:
    """Rows of five. What cannot be a button, its label or address too long, becomes a line."""
    made = [(one, _button(one)) for one in block.buttons]
    pressed = [button for _one, button in made if button]
    for n, button in enumerate(pressed):
        button.action_id = f"open-{n}"
    for start in range(0, len(pressed), MOST_BUTTONS):
        yield kit.ActionsBlock(elements=pressed[start : start + MOST_BUTTONS])
    yield from _rich([spans([Span(one.label, url=one.url)]) for one, button in made if not button])


def _button(button: blocks.Button) -> kit.LinkButtonElement | None:
    [one] = spans([Span(button.label, url=button.url)]) or [Span("")]
    if not one.url or not one.text.strip() or size(one.text) > LABEL_LIMIT:
        return None
    style = "primary" if button.main else None
    return kit.LinkButtonElement(text=_literal(one.text), url=one.url, action_id="open", style=style)


def _facts(block: blocks.Facts) -> Iterator[kit.Block]:
    told = [
        [line for line in (heading_spans(fact.label), spans(fact.value), spans(fact.second)) if line]
        for fact in block.facts
    ]
    told = [fact for fact in told if any(one.text.strip() for line in fact for one in line)]
    fields = [[mrkdwn(line, FIELD_LIMIT // 3 - 1) for line in fact] for fact in told]
    if any(line is None for field in fields for line in field):
        yield from _rich([line for fact in told for line in fact])
        return
    for start in range(0, len(fields), MOST_FIELDS):
        row = ["\n".join(line for line in field if line) for field in fields[start : start + MOST_FIELDS]]
        yield kit.SectionBlock(fields=[_marked(text) for text in row])


def _table(block: blocks.Table) -> Iterator[kit.Block]:
    """In as many blocks as it takes, each with the head, unless that is too long itself."""
    head, rows = lines_of(block)
    repeated = head if sum(map(size, head)) < BLOCK_LIMIT // 2 else []
    group, takes = list[str](), 0
    for line in [*head, *(line for lines in rows for line in lines)]:
        if takes + size(line) + 1 > BLOCK_LIMIT:
            yield _preformatted(group)
            group, takes = list(repeated), sum(size(one) + 1 for one in repeated)
        group.append(line)
        takes += size(line) + 1
    if any(line.strip() for line in group):
        yield _preformatted(group)


def _preformatted(lines: Sequence[str]) -> kit.Block:
    text = kit.RichTextElementParts.Text(text="\n".join(calm(line) for line in lines))
    return kit.RichTextBlock(elements=[kit.RichTextPreformattedElement(elements=[text])])


def _small_print(block: blocks.Note) -> Iterator[kit.Block]:
    line = spans(block.line)
    told = mrkdwn(line, NOTE_LIMIT)
    if told and told.strip():
        yield _note(told)
    elif any(one.bold or one.url for one in line) or size(plain(block.line)) > NOTE_LIMIT:
        yield from _rich([line])
    elif words := plain(block.line).strip():
        yield kit.ContextBlock(elements=[_literal(words)])


def _note(text: str) -> kit.ContextBlock:
    return kit.ContextBlock(elements=[_marked(text)])


def _divider(_block: blocks.Divider) -> Iterator[kit.Block]:
    yield kit.DividerBlock()


def _marked(text: str) -> kit.MarkdownTextObject:
    """Verbatim: addresses and names of channels in it do not become links by themselves."""
    return kit.MarkdownTextObject(text=text, verbatim=True)


def _literal(text: str) -> kit.PlainTextObject:
    return kit.PlainTextObject(text=calm(text), emoji=False)


_MAKERS: dict[type, Callable[[Any], Iterator[kit.Block]]] = {
    blocks.Header: _header,
    blocks.Heading: _heading,
    blocks.Text: lambda block: _text(block.lines),
    blocks.Item: _item,
    blocks.Facts: _facts,
    blocks.Table: _table,
    blocks.Buttons: _buttons,
    blocks.Divider: _divider,
    blocks.Note: _small_print,
}
