"""A message as one HTML document for mail and browsers: inline styles, no script, nothing from elsewhere.

It looks like the message in Slack, on a light ground, so it is the preview too.
"""

import base64
from collections.abc import Callable
from html import escape
from typing import Any

from language import _, speaking
from reports import blocks
from reports.blocks import Block, Line, Message, Span
from reports.lines import heading_spans, linkable, plain, spans
from reports.splitting import RIGHT_TO_LEFT, clean

FONT = "-apple-system,'Segoe UI',Roboto,'Noto Sans','Noto Sans KR','Apple SD Gothic Neo','Malgun Gothic',sans-serif"
MONO = "'D2Coding','Noto Sans Mono CJK KR',Menlo,Consolas,'DejaVu Sans Mono',monospace"
INK, SMALL, RULE, BRAND, MAIN = "#1d1c1d", "#5f6368", "#dddddd", "#1264a3", "#007a5a"
UNBROKEN = 24  # characters of a button that stay on one line
_TABLE = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse">'

_DOCUMENT = """<!DOCTYPE html>
<html lang="{language}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
</head>
<body style="margin:0;padding:16px;background:#ffffff;color:{ink};font:15px/1.47 {font}">
<div style="max-width:640px;margin:0 auto;overflow-wrap:anywhere;word-break:keep-all">
{body}
</div>
</body>
</html>
"""


def render(message: Message) -> str:
    """The document; every text is escaped, links lead to http and https only, pictures stand inside."""
    parts = [_made(block) for block in message.blocks]
    if message.demo:
        with speaking(message.language):
            parts.insert(0, _part(escape(_("Simulated data")), f"color:{SMALL};font-size:13px"))
    return _DOCUMENT.format(
        language=escape(message.language),
        title=escape(plain(message.summary)),
        ink=INK,
        font=FONT,
        body="\n".join(part for part in parts if part),
    )


def _made(block: Block) -> str:
    make: Callable[[Any], str] = _MAKERS[type(block)]
    return make(block)


def _part(inside: str, style: str = "", tag: str = "div") -> str:
    return f'<{tag} style="margin:0 0 10px;{style}">{inside}</{tag}>' if inside else ""


def _header(block: blocks.Header) -> str:
    return _part(_bidi(plain(block.text)), "font-size:20px;line-height:1.3;font-weight:700", "h1")


def _heading(block: blocks.Heading) -> str:
    return _part(_spans(heading_spans(block.line)), "font-size:15px;font-weight:400", "h2")


def _text(block: blocks.Text) -> str:
    return _part("<br>\n".join(_line(line) for line in block.lines))


def _item(block: blocks.Item) -> str:
    words = _line(block.line)
    button = _button(block.button) if block.button else ""
    if not button:
        return _part(words)
    cells = f'<td style="padding:0 12px 0 0">{words}</td><td align="right" style="width:1%">{button}</td>'
    return _part(f"{_TABLE}<tr>{cells}</tr></table>")


def _facts(block: blocks.Facts) -> str:
    cells = [_fact(fact) for fact in block.facts]
    rows = [cells[n : n + 2] for n in range(0, len(cells), 2)]
    told = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return _part(f"{_TABLE}{told}</table>") if told else ""


def _fact(fact: blocks.Fact) -> str:
    second = (
        f'<br><span style="color:{SMALL};font-size:13px">{_line(fact.second)}</span>' if fact.second else ""
    )
    label = _spans(heading_spans(fact.label))
    return (
        f'<td valign="top" style="width:50%;padding:0 12px 8px 0">{label}<br>{_line(fact.value)}{second}</td>'
    )


def _table(block: blocks.Table) -> str:
    """A real table: fonts of mail programs make wide letters not always twice as wide."""
    head = "".join(_cell(cell, n, "th") for n, cell in enumerate(block.head))
    rows = ["".join(_cell(cell, n, "td") for n, cell in enumerate(row)) for row in block.rows]
    told = "".join(f"<tr>{row}</tr>" for row in [head, *rows] if row)
    style = f"border-collapse:collapse;font:12px/1.5 {MONO}"
    table = f'<table cellpadding="0" cellspacing="0" style="{style}">{told}</table>' if told else ""
    ground = f"background:#f8f8f8;border:1px solid {RULE};border-radius:4px;padding:6px 8px;overflow-x:auto"
    return _part(table, ground)


def _cell(text: str, n: int, tag: str) -> str:
    align = "left" if n == 0 else "right"
    scope = ' scope="col"' if tag == "th" else ""
    style = f"padding:0 {0 if n else 12}px 0 {12 if n else 0}px;font-weight:400"
    return f'<{tag}{scope} align="{align}" style="{style}">{_bidi(clean(text))}</{tag}>'


def _picture(block: blocks.Picture) -> str:
    data = base64.b64encode(block.png).decode()
    style = f"display:block;width:100%;max-width:560px;height:auto;border:1px solid {RULE};border-radius:8px"
    alt, title = (escape(clean(text)) for text in (block.alt, block.title))
    return _part(f'<img src="data:image/png;base64,{data}" alt="{alt}" title="{title}" style="{style}">')


def _buttons(block: blocks.Buttons) -> str:
    made = [_button(one) or _bidi(clean(one.label)) for one in block.buttons]
    return _part(
        "\n".join(f'<span style="display:inline-block;margin:0 6px 6px 0">{one}</span>' for one in made)
    )


def _button(button: blocks.Button) -> str:
    """A link in the shape of a button; empty where there is nowhere to go."""
    url, label = linkable(button.url), clean(button.label)
    if not url or not label.strip():
        return ""
    colours = f"background:{MAIN};color:#ffffff" if button.main else f"background:#ffffff;color:{INK}"
    edge = MAIN if button.main else "#bbbbbb"
    wraps = "nowrap" if len(label) <= UNBROKEN else "normal"
    return (
        f'<a href="{escape(url)}" rel="noopener noreferrer" target="_blank" style="display:inline-block;{colours};'
        f"border:1px solid {edge};border-radius:4px;padding:4px 12px;font-weight:700;font-size:14px;"
        f'text-decoration:none;white-space:{wraps}">{_bidi(label)}</a>'
    )


def _divider(_block: blocks.Divider) -> str:
    return f'<hr style="border:0;border-top:1px solid {RULE};margin:14px 0">'


def _note(block: blocks.Note) -> str:
    return _part(_line(block.line), f"color:{SMALL};font-size:13px")


def _line(line: Line) -> str:
    return _spans(spans(line))


def _spans(line: list[Span]) -> str:
    return "".join(_span(one) for one in line)


def _span(one: Span) -> str:
    text = _bidi(one.text)
    if one.url:
        text = (
            f'<a href="{escape(one.url)}" rel="noopener noreferrer" target="_blank" '
            f'style="color:{BRAND}">{text}</a>'
        )
    return f"<b>{text}</b>" if one.bold else text


def _bidi(text: str) -> str:
    """Letters that run leftwards are kept to themselves."""
    return f"<bdi>{escape(text)}</bdi>" if RIGHT_TO_LEFT.search(text) else escape(text)


_MAKERS: dict[type, Callable[[Any], str]] = {
    blocks.Header: _header,
    blocks.Heading: _heading,
    blocks.Text: _text,
    blocks.Item: _item,
    blocks.Facts: _facts,
    blocks.Table: _table,
    blocks.Picture: _picture,
    blocks.Buttons: _buttons,
    blocks.Divider: _divider,
    blocks.Note: _note,
}
