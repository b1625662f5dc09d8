"""Whether the digest can be sent: token, scopes, channel, links; each finding with what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from language import _
from reports.deliver import PATIENT
from reports.slack import Patience, Slack, is_channel_id
from reports.slack_faults import SlackFault
from settings import Settings


@dataclass(frozen=True)
class Finding:
    """One line: good; a hint, where less can be done; or wrong, where nothing can be sent."""

    grade: Literal["good", "hint", "wrong"]
    told: str


def check(settings: Settings, patience: Patience = PATIENT) -> Iterator[Finding]:
    """What stands for and against sending; asks Slack where there is a token, and posts nothing."""
    if settings.slack_bot_token:
        token = settings.slack_bot_token.get_secret_value()
        yield from _bot(settings, Slack(token, settings.slack_api_url, patience))
    elif settings.slack_webhook_url:
        told = _(
            "Digests go through the incoming webhook, without pictures. It cannot be tried without a post."
        )
        yield Finding("good", told)
        told = _(
            "After a failure only people can see whether it arrived. A bot token can: set SLACK_BOT_TOKEN."
        )
        yield Finding("hint", told)
    else:
        told = _(
            "No Slack is set: digests are written to {folder}. For Slack set SLACK_BOT_TOKEN, SLACK_CHANNEL."
        )
        yield Finding("hint", told.format(folder=settings.reports_dir))
        yield from _folder(settings.reports_dir)
    if settings.public_url:
        yield Finding("good", _("Links lead to {url}.").format(url=settings.public_url))
    else:
        told = _("Messages name pages without links: set PUBLIC_URL to the dashboard's address.")
        yield Finding("hint", told)


def _folder(folder: Path) -> Iterator[Finding]:
    """Where a file cannot be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        told = _("The report could not be written to {folder}: {why}. Check REPORTS_DIR.")
        yield Finding("wrong", told.format(folder=folder, why=error.strerror))


def _bot(settings: Settings, slack: Slack) -> Iterator[Finding]:
    try:
        who, scopes = slack.who()
    except SlackFault as fault:
        yield Finding("wrong", str(fault))
        return
    told = _("The token is valid: {user} in the workspace {team}.")
    yield Finding("good", told.format(user=who.get("user", "?"), team=who.get("team", "?")))
    if not settings.slack_channel:
        yield Finding("wrong", _("SLACK_CHANNEL is not set: name the channel that the digest goes to."))
        yield from _scopes(scopes, private=False)
        return
    channel, is_private, finding = _channel(slack, settings.slack_channel, scopes)
    yield from _scopes(scopes, is_private)
    yield finding
    if channel and not is_channel_id(settings.slack_channel):
        told = _("The channel's ID is {id}. SLACK_CHANNEL={id} is sturdier: names change.")
        yield Finding("hint", told.format(id=channel))


def _scopes(scopes: frozenset[str], private: bool) -> Iterator[Finding]:
    """What each scope is for, where it is missing; a token's scopes are not told by every gateway."""
    if not scopes:
        yield Finding("hint", _("The scopes of the token are not told, so they cannot be compared."))
        return
    history = "groups:history" if private else "channels:history"
    reading = "groups:read" if private else "channels:read"
    wanted: dict[str, tuple[Literal["hint", "wrong"], str]] = {
        "chat:write": ("wrong", _("nothing can be posted")),
        "files:write": ("hint", _("there will be no pictures")),
        history: ("hint", _("after a failure nobody knows whether the digest arrived")),
        reading: ("hint", _("the channel cannot be looked up by its name")),
    }
    has = [scope for scope in wanted if scope in scopes]
    if has:
        yield Finding("good", _("The token has the scopes {scopes}.").format(scopes=", ".join(has)))
    for scope, (grade, without) in wanted.items():
        if scope not in scopes:
            told = _(
                "The scope {scope} is missing: {without}. Add it under OAuth & Permissions, install again."
            )
            yield Finding(grade, told.format(scope=scope, without=without))


def _channel(slack: Slack, named: str, scopes: frozenset[str]) -> tuple[str | None, bool, Finding]:
    """The channel's ID where it is found, whether it is private, and what there is to say of it."""
    try:
        found = named if is_channel_id(named) else slack.channel_named(named)
        if found is None:
            told = _(
                "There is no channel {channel} that the bot can see. Check SLACK_CHANNEL, invite the bot."
            )
            return None, False, Finding("wrong", told.format(channel=named))
        about = slack.channel(found)
    except SlackFault as fault:
        if fault.code == "missing_scope":
            told = _("Whether the bot is in {channel} cannot be seen: {why}").format(channel=named, why=fault)
            return None, False, Finding("hint", told)
        return None, False, Finding("wrong", str(fault))
    name, private = about.get("name", named), bool(about.get("is_private"))
    if about.get("is_archived"):
        told = _("The channel #{channel} is archived. Name another one in SLACK_CHANNEL.")
        return found, private, Finding("wrong", told.format(channel=name))
    if not about.get("is_member", True) and "chat:write.public" not in scopes:
        told = _("The bot is not in #{channel}: invite it there (/invite).").format(channel=name)
        return found, private, Finding("wrong", told)
    return found, private, Finding("good", _("The bot is in #{channel}.").format(channel=name))
