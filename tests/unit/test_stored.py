"""A message that is kept comes back as it was."""

import json

import pytest
from hypothesis import given

from reports.blocks import Message, Text
from reports.stored import from_json, to_json
from tests import messages
from tests.strategies import MESSAGES


@given(MESSAGES)
def test_round_trip(message: Message) -> None:
    stored = json.loads(json.dumps(to_json(message)))
    again = from_json(stored)
    assert to_json(again) == stored
    if "\\x00" not in repr(message):
        assert again == message


@pytest.mark.parametrize("message", messages.BOTH.values(), ids=messages.BOTH)
def test_a_digest_comes_back_whole(message: Message) -> None:
    assert from_json(to_json(message)) == message


def test_what_no_database_keeps_is_replaced() -> None:
    assert from_json(to_json(Message("a\0b\ud800", (Text(("c\0",)),)))) == Message("a�b�", (Text(("c�",)),))
