"""An incoming webhook: the same blocks without pictures, and no way to ask what has arrived."""

from collections.abc import Sequence
from http.client import HTTPException

from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from language import _
from reports import slack_errors
from reports.render_slack import Kit
from reports.retries import careful
from reports.slack import Patience, silent
from reports.slack_faults import SlackFault, broken


def post(url: str, text: str, blocks: Sequence[Kit], patience: Patience) -> None:
    """Posts once. Raises SlackFault; the address is in no message, as who knows it may post."""
    client = WebhookClient(url, timeout=patience.answer, logger=silent, retry_handlers=careful(patience.wait))
    try:
        answer = client.send(text=text, blocks=list(blocks), unfurl_links=False, unfurl_media=False)
    except (SlackClientError, HTTPException, OSError, ValueError) as error:
        raise broken(error) from None
    if answer.status_code != 200 or str(answer.body).strip() != "ok":
        raise _fault(answer.status_code, str(answer.body).strip())


def _fault(status: int, code: str) -> SlackFault:
    if status == 429:
        return SlackFault(slack_errors.explain("ratelimited", channel=""), code="ratelimited", passing=True)
    if code in slack_errors.WORDS:
        return SlackFault(slack_errors.explain(code, channel=_("of the webhook")), code=code)
    if 400 <= status < 500:  # somebody in between, perhaps
        told = _("The webhook answered {status}. Check SLACK_WEBHOOK_URL.").format(status=status)
        return SlackFault(told, code=str(status))
    told = _("Slack failed ({status}).").format(status=status)
    return SlackFault(told, code=str(status), taken=None, passing=True)
