"""Every fault of Slack has words, and says what to do."""

import pytest

from reports import slack_errors
from reports.slack_errors import WORDS, explain


@pytest.mark.parametrize("code", WORDS)
def test_every_error_is_told_in_full(code: str) -> None:
    told = explain(code, channel="ai-weekly", needed="files:write")
    assert "{" not in told and told.endswith(".") and told != code


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("not_in_channel", "invite the bot to #ai-weekly"),
        ("missing_scope", "lacks the scope files:write"),
        ("token_revoked", "The token was revoked"),
        ("something_new", "Slack answered with the error something_new."),
    ],
)
def test_words(code: str, told: str) -> None:
    assert told in explain(code, channel="ai-weekly", needed="files:write")


def test_what_is_uncertain_or_passing_is_not_refused() -> None:
    assert not slack_errors.UNCERTAIN & set(WORDS)
