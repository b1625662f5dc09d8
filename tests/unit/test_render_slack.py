"""Block Kit: every limit holds, every number arrives whole, nobody is called, and nothing formats but what should."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from slack_sdk.models.blocks import Block

from reports import blocks
from reports.blocks import Button, Message, Span
from reports.lines import linkable
from reports.render_slack import render
from reports.splitting import NUMBER, clean, units
from tests import messages
from tests.strategies import MESSAGES

KEY = "weekly_digest:2026-11-09"
URL = "https://tidemark.example.org/models"


def values(node: Any, name: str = "", kind: str = "") -> Iterator[tuple[str, str, str]]:
    """Every text: the name it stands under, the type of what holds it, the text."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from values(value, key, str(node.get("type", "")))
    elif isinstance(node, list | tuple):
        for value in node:
            yield from values(value, name, kind)
    elif isinstance(node, str):
        yield name, kind, node


def shown(post: Any) -> str:
    """What is read in Slack, without what shows nothing."""
    texts = [
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if kind == "mrkdwn" else text
        for name, kind, text in values(post)
        if name == "text"
    ]
    return re.sub("[\u2060\u2068\u2069]", "", "\n".join(texts))


def check_limits(post: tuple[dict[str, Any], ...]) -> None:
    assert 1 <= len(post) <= 50
    assert units(json.dumps(post, ensure_ascii=False)) <= 12_500
    assert post[0]["block_id"].startswith(KEY) and len(post[0]["block_id"]) <= 255
    assert post[0]["type"] != "divider"
    for parsed in Block.parse_all([dict(one) for one in post]):
        parsed.to_dict()  # slack_sdk's own rules
    for one in post:
        check_block(one)


def check_block(one: dict[str, Any]) -> None:
    elements, text = one.get("elements", []), one.get("text", {}).get("text", "-")
    match one["type"]:
        case "header":
            assert 1 <= units(text) <= 150
        case "section":
            assert 1 <= units(text) <= 3_000
            fields = one.get("fields", [])
            assert len(fields) <= 10 and all(1 <= units(field["text"]) <= 2_000 for field in fields)
        case "context":
            assert len(elements) <= 10 and all(1 <= units(part["text"]) <= 2_000 for part in elements)
        case "rich_text":
            told = [text for name, _kind, text in values(elements) if name == "text"]
            assert all(told) and sum(map(units, told)) <= 3_000
        case "actions":
            assert 1 <= len(elements) <= 25
            assert len({part["action_id"] for part in elements}) == len(elements)
    for part in [*elements, one.get("accessory", {})]:
        if part.get("type") == "button":
            assert 1 <= units(part["text"]["text"]) <= 75 and units(part["url"]) <= 3_000


def numbers(message: Message) -> Iterator[str]:
    """The numbers of everything that becomes a block."""
    for block in message.blocks:
        if not isinstance(block, blocks.Picture):
            yield from _numbers(block)


def _numbers(value: Any) -> Iterator[str]:
    if isinstance(value, Button) and not linkable(value.url):
        return  # beside a line it is left out
    if isinstance(value, str):
        yield from NUMBER.findall(clean(value))
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            if name != "url":
                yield from _numbers(getattr(value, name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)


@how(max_examples=60)
@given(MESSAGES)
def test_limits_hold_and_numbers_arrive_whole(message: Message) -> None:
    made = render(message, KEY)
    for post in made.posts:
        check_limits(post)
    text = "\n".join(shown(post) for post in made.posts)
    assert set(numbers(message)) <= set(NUMBER.findall(text)) | {""}
    assert 1 <= units(made.text) <= 3_000
    assert [one.name for one in made.pictures] == [
        one.name for one in message.blocks if isinstance(one, blocks.Picture)
    ]


@how(max_examples=60)
@given(MESSAGES)
def test_nobody_is_called_and_nothing_is_linked_by_itself(message: Message) -> None:
    made = render(message, KEY)
    assert not re.search(r"[<>]|@here", made.text)
    for name, kind, text in values(made.posts):
        if name == "text":
            assert not re.search(r"<[!@#]", text)
            assert not re.search(r"@(here|channel|everyone)\b", text, re.IGNORECASE)
        if kind == "mrkdwn" and name == "text":
            unlinked = re.sub(r"<https?://[^|>\s]+\|[^<>]*>", "", text)
            assert not re.search(r"[<>`~]|^&gt;", unlinked)
            assert unlinked.count("*") % 2 == 0
        if name == "url":
            assert text.startswith(("http://", "https://"))
    told = json.dumps(made.posts)
    assert not re.search(r'"type": "(user|usergroup|broadcast|channel|team)"', told)
    assert told.count('"mrkdwn"') == told.count('"verbatim": true')


def test_two_hundred_models_go_on_in_the_thread() -> None:
    items = [
        blocks.Item((Span(f"model-{n}", bold=True), f" fell by {n}.5"), Button("Show", f"{URL}?m={n}"))
        for n in range(200)
    ]
    made = render(Message("200 models", items), KEY)
    assert len(made.posts) > 4
    assert made.posts[0][-1]["elements"][0]["text"] == "It goes on in the thread."
    assert [post[0]["block_id"] for post in made.posts[:2]] == [f"{KEY}/0", f"{KEY}/1"]
    text = "\n".join(shown(post) for post in made.posts)
    assert all(f"fell by {n}.5" in text for n in range(200))


@pytest.mark.parametrize("text", ["match_outcomes failed", "P&L < 0", "at 02:14:07", "a_b_c", "65 → 60"])
def test_usual_words_have_their_button_beside_them(text: str) -> None:
    message = Message("x", [blocks.Item((Span(text, bold=True), " today"), Button("Show", URL))])
    [[section]] = render(message, KEY).posts
    assert section["type"] == "section" and section["accessory"]["url"] == URL
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    assert section["text"]["text"] == f"*{escaped}* today"


@pytest.mark.parametrize("text", ["*a*", "_a_", "~a~", "`a`", "```", ":tada:", "> a", "a *", "_"])
def test_what_could_format_is_shown_as_it_is_and_stays_bold(text: str) -> None:
    message = Message("x", [blocks.Item((Span(text, bold=True), " today"), Button("Show", URL))])
    [[line, row]] = render(message, KEY).posts
    assert line["elements"][0]["elements"][0] == {"type": "text", "text": text, "style": {"bold": True}}
    assert row["elements"][0]["url"] == URL


def test_bold_before_a_korean_particle_stays_bold() -> None:
    made = render(Message("x", [blocks.Note((Span("news", bold=True), "가 되돌려짐"))]), KEY)
    [[line]] = made.posts
    assert line["elements"][0]["elements"][0]["style"] == {"bold": True}


def test_an_empty_message_says_its_summary() -> None:
    [[block]] = render(Message("Nothing today", [blocks.Divider(), blocks.Text([" "])]), KEY).posts
    assert shown([block]) == "Nothing today"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_golden_files(language: str) -> None:
    """`python -m tests.messages` renews them."""
    wanted = (messages.GOLDEN / f"digest-{language}.json").read_text(encoding="utf-8")
    assert messages.slack(messages.BOTH[language]) == wanted


@pytest.mark.parametrize("text", ["@here ", "نموذج ", "👍", "<!channel>&", "가나다 "])
def test_limits_count_what_is_added_to_calm_a_text(text: str) -> None:
    long = text * (5_000 // len(text))
    table = blocks.Table((long, "n"), [(long[:30], "1")] * 200)
    every = (blocks.Header(long), blocks.Heading(long), blocks.Text([long]), blocks.Note(long), table)
    for post in render(Message(long, every), KEY).posts:
        check_limits(post)
