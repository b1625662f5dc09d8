"""The HTML document: whole by itself, harmless, and the same as its golden file."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import settings as how

from reports import render_html
from reports.blocks import Message
from reports.splitting import NUMBER
from tests import messages
from tests.strategies import MESSAGES
from tests.unit.test_render_slack import numbers

TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "body",
        "div",
        "h1",
        "h2",
        "br",
        "hr",
        "b",
        "bdi",
        "a",
        "span",
        "pre",
        "img",
    ),
    *("table", "tr", "th", "td"),
}
ATTRIBUTES = {
    *(
        "lang",
        "dir",
        "charset",
        "name",
        "content",
        "http-equiv",
        "style",
        "href",
        "rel",
        "target",
        "src",
        "alt",
    ),
    *("title", "role", "width", "cellpadding", "cellspacing", "align", "valign", "scope"),
}


class Reader(HTMLParser):
    """Tags, attributes and text as a browser finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.text += "\n" if tag in ("td", "th", "div", "br") else ""
        if tag not in ("meta", "br", "hr", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@how(max_examples=60)
@given(MESSAGES)
def test_nothing_is_run_or_fetched_and_no_number_is_lost(message: Message) -> None:
    reader = Reader()
    reader.feed(render_html.render(message))
    reader.close()
    assert reader.open == []
    for tag, attributes in reader.found:
        assert tag in TAGS and set(attributes) <= ATTRIBUTES
        assert re.match(r"https?://", attributes.get("href") or "https://")
        assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/png;base64,")
        assert "url(" not in (attributes.get("style") or "")
    assert set(numbers(message)) <= set(NUMBER.findall(reader.text))
    assert dict(reader.found)["html"]["lang"] == message.language


def test_simulated_data_are_marked() -> None:
    assert "Simulated data" in render_html.render(Message("x", (), demo=True))
    assert "Simulated data" not in render_html.render(Message("x", ()))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_golden_files(language: str) -> None:
    """`python -m tests.messages` renews them."""
    wanted = (messages.GOLDEN / f"digest-{language}.html").read_text(encoding="utf-8")
    assert render_html.render(messages.BOTH[language]) == wanted
