"""What Slack refuses, in plain words with what to do."""

from collections.abc import Mapping

from language import N_, _

# Whether something was taken is not known after these: Slack says so itself.
UNCERTAIN = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
PASSING = frozenset({"ratelimited", "rate_limited", "team_added_to_org", "accesslimited"})
# History cannot be asked, now or later, until a person changes something.
_CHANNEL = N_(
    "Slack knows no channel {channel}. Check SLACK_CHANNEL; a private channel needs the bot invited."
)
_TOKEN = N_("Slack does not know the token. Copy the Bot User OAuth Token (xoxb-…) into SLACK_BOT_TOKEN.")
_GONE = N_("The token was revoked. Install the app again and copy its new token into SLACK_BOT_TOKEN.")
_SCOPE = N_("The token lacks the scope {needed}. Add it under OAuth & Permissions and install the app again.")
_HOOK = N_("The incoming webhook is gone. Make a new one and copy its address into SLACK_WEBHOOK_URL.")
_ARCHIVED = N_("The channel {channel} is archived. Name another one in SLACK_CHANNEL.")
_LONG = N_("Slack finds the message too long ({code}). Please report this: messages are meant to be split.")
_BLOCKS = N_("Slack does not take the message's form ({code}). Please report this.")
_FORBIDDEN = N_("The workspace's rules forbid it ({code}). Ask an administrator of the workspace.")
_FILES = N_("Slack did not take the file ({code}).")

WORDS: Mapping[str, str] = {
    "not_in_channel": N_("The bot is not in the channel: invite the bot to {channel}."),
    "channel_not_found": _CHANNEL,
    "no_permission": _CHANNEL,
    "is_archived": _ARCHIVED,
    "channel_is_archived": _ARCHIVED,
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "token_expired": _GONE,
    "token_revoked": _GONE,
    "account_inactive": _GONE,
    "missing_scope": _SCOPE,
    "not_allowed_token_type": _TOKEN,
    "ekm_access_denied": _FORBIDDEN,
    "restricted_action": _FORBIDDEN,
    "restricted_action_read_only_channel": _FORBIDDEN,
    "restricted_action_thread_only_channel": _FORBIDDEN,
    "access_denied": _FORBIDDEN,
    "action_prohibited": _FORBIDDEN,
    "posting_to_general_channel_denied": _FORBIDDEN,
    "msg_too_long": _LONG,
    "msg_blocks_too_long": _LONG,
    "too_many_attachments": _LONG,
    "invalid_blocks": _BLOCKS,
    "invalid_blocks_format": _BLOCKS,
    "invalid_payload": _BLOCKS,
    "no_text": _BLOCKS,
    "message_not_found": N_("The message is not in the channel any more."),
    "cant_update_message": N_("The message is another app's, so this token cannot change it."),
    "edit_window_closed": N_("The workspace allows no change of messages that old."),
    "message_limit_exceeded": _FORBIDDEN,
    "no_service": _HOOK,
    "no_service_id": _HOOK,
    "no_team": _HOOK,
    "team_disabled": _HOOK,
    "invalid_token": _HOOK,
    "file_upload_size_restricted": _FILES,
    "file_uploads_disabled": _FILES,
    "storage_limit_reached": _FILES,
    "ratelimited": N_("Slack asks to wait: too much was posted. It is tried again later."),
    "rate_limited": N_("Slack asks to wait: too much was posted. It is tried again later."),
}


def explain(code: str, *, channel: str, needed: str = "") -> str:
    """What went wrong, in words; an error that is not known by its name in Slack."""
    pattern = WORDS.get(code)
    if pattern is None:
        return _("Slack answered with the error {code}.").format(code=code)
    place = _named(channel)
    return _(pattern).format(channel=place, needed=needed or "chat:write", code=code)


def _named(channel: str) -> str:
    return channel if channel[:1] in ("C", "G", "D", "#") else f"#{channel}"
