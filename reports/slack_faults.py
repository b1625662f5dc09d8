"""A call to Slack that failed: why, in plain words, and whether Slack took what was sent."""

import re
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError

from language import _
from reports import slack_errors
from reports.retries import was_never_connected


class SlackFault(Exception):
    """Slack did not do what was asked, in plain words.

    `taken` False: it surely took nothing; None: nobody knows. `passing`: the same may work later.
    """

    def __init__(
        self, told: str, *, code: str = "", taken: bool | None = False, passing: bool = False
    ) -> None:
        super().__init__(told)
        self.code, self.taken, self.passing = code, taken, passing


def refused(error: SlackApiError, place: str) -> SlackFault:
    response: Any = error.response
    status = getattr(response, "status_code", None)
    data = getattr(response, "data", response)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    code = code if re.fullmatch("[a-z0-9_]+", code) else ""  # a page of somebody in between has none
    if status == 429:
        return SlackFault(
            slack_errors.explain("ratelimited", channel=place), code="ratelimited", passing=True
        )
    if code in slack_errors.PASSING:
        return SlackFault(slack_errors.explain(code, channel=place), code=code, passing=True)
    if not code or code in slack_errors.UNCERTAIN or (status or 0) >= 500:
        return _answered(status, code)
    needed = str(data.get("needed", ""))
    return SlackFault(slack_errors.explain(code, channel=place, needed=needed), code=code)


def _answered(status: int | None, code: str) -> SlackFault:
    if status is not None and 400 <= status < 500:
        told = _(
            "The answer was {status}, which is not Slack's. Check SLACK_API_URL, and proxies in between."
        )
        return SlackFault(told.format(status=status), code=str(status))
    told = _("Slack failed ({status} {code}).").format(status=status or "", code=code).replace(" )", ")")
    return SlackFault(told, code=code, taken=None, passing=True)


def broken(error: Exception) -> SlackFault:
    """The connection failed: before anything was sent, or nobody knows when."""
    reason = getattr(error, "reason", error) if isinstance(error, URLError) else error
    if was_never_connected(error):
        told = _("Slack cannot be reached ({why}).").format(why=type(reason).__name__)
        return SlackFault(told, code="unreachable", passing=True)
    if isinstance(reason, TimeoutError):
        return SlackFault(_("Slack did not answer in time."), code="timeout", taken=None, passing=True)
    told = _("The connection to Slack broke off ({why}).").format(why=type(reason).__name__)
    return SlackFault(told, code="cut", taken=None, passing=True)
