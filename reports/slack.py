"""Slack's Web API as deliveries need it: each fault says whether Slack took what was sent."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from reports.blocks import Picture
from reports.render_slack import Kit
from reports.retries import careful, patient
from reports.slack_faults import SlackFault, broken, refused
from reports.splitting import pieces

EVENT = "tidemark_report"
ALT_LIMIT, TITLE_LIMIT, PAGE = 2_000, 200, 200
# The SDK logs bodies and addresses; what went wrong is told by us, without them.
silent = logging.getLogger("tidemark.slack_sdk")
silent.setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class Patience:
    """How long to wait: for an answer, and before each look into the channel after a fault. In seconds."""

    answer: int = 15
    looks: Sequence[float] = (0, 2, 5, 10)
    wait: Callable[[float], None] = field(default=time.sleep)


@dataclass(frozen=True)
class Place:
    """Where a message stands: a channel's ID or name, and the message whose thread it is in."""

    channel: str
    thread: str | None = None


@dataclass(frozen=True)
class Tag:
    """What one message carries so that it can be found: the report's key, the row's mark, which part it is."""

    key: str
    mark: str
    part: str

    @property
    def block_id(self) -> str:
        """Of its first block; within Slack's 255."""
        return f"{block_key(self.key, self.mark)}/{self.part}"

    @property
    def metadata(self) -> dict[str, Any]:
        return {"event_type": EVENT, "event_payload": {"key": self.key, "mark": self.mark, "part": self.part}}

    def is_on(self, message: Mapping[str, Any]) -> bool:
        """Whether a message is this one; changed ones have a revision behind their block_id."""
        if ((message.get("metadata") or {}).get("event_payload") or {}) == self.metadata["event_payload"]:
            return True
        ids = [str(block.get("block_id", "")) for block in message.get("blocks") or ()]
        return any(one == self.block_id or one.startswith(f"{self.block_id}/") for one in ids)


class Slack:
    """One token's view. Two clients: one tries again whatever failed, one only what Slack surely did not take."""

    def __init__(self, token: str, url: str, patience: Patience) -> None:
        common: dict[str, Any] = {
            "token": token,
            "base_url": url,
            "timeout": patience.answer,
            "logger": silent,
        }
        self._free = WebClient(**common, retry_handlers=patient(patience.wait))
        self._once = WebClient(**common, retry_handlers=careful(patience.wait))

    def post(self, place: Place, text: str, blocks: Sequence[Kit], tag: Tag) -> tuple[str, str]:
        """Posts once; its time stamp, and the channel's ID. Raises SlackFault."""
        answer = self._call(
            self._once.chat_postMessage,
            place.channel,
            channel=_address(place.channel),
            thread_ts=place.thread,
            metadata=tag.metadata,
            **_content(text, blocks, tag.block_id),
        )
        return str(answer["ts"]), str(answer["channel"])

    def update(
        self, place: Place, ts: str, text: str, blocks: Sequence[Kit], tag: Tag, revision: int
    ) -> None:
        """Gives a message another content, and as Slack wants it another block_id; twice is once. Raises SlackFault."""
        first = {**blocks[0], "block_id": f"{tag.block_id}/r{revision}"}
        told = {"text": text, "blocks": [first, *blocks[1:]], "metadata": tag.metadata}
        self._call(self._free.chat_update, place.channel, channel=place.channel, ts=ts, **told)

    def find(self, place: Place, tag: Tag, since: float) -> str | None:
        """The time stamp of the message that carries the tag; None where there is none. Raises SlackFault."""
        return next((str(one["ts"]) for one in self._messages(place, since) if tag.is_on(one)), None)

    def files_in(self, place: Place, since: float) -> set[str]:
        """The names of the files in a thread."""
        return {
            str(file.get("name"))
            for message in self._messages(place, since)
            for file in message.get("files") or ()
        }

    def _messages(self, place: Place, since: float) -> list[Mapping[str, Any]]:
        """What stands in the channel or thread since a moment (Unix seconds)."""
        ask = self._free.conversations_replies if place.thread else self._free.conversations_history
        more: dict[str, Any] = {"ts": place.thread} if place.thread else {}
        found: list[Mapping[str, Any]] = []
        cursor = ""
        while True:
            answer = self._call(
                ask,
                place.channel,
                channel=place.channel,
                oldest=f"{since:.6f}",
                limit=PAGE,
                include_all_metadata=True,
                cursor=cursor or None,
                **more,
            )
            found += answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found

    def channel_named(self, name: str) -> str | None:
        """The ID of a channel by its name; None where none is seen. Raises SlackFault."""
        refused = None
        for kind in ("public_channel", "private_channel"):  # each has a scope of its own
            try:
                if found := self._channel_named(name, kind):
                    return found
            except SlackFault as fault:
                if fault.code != "missing_scope" or refused:
                    raise
                refused = fault
        return None

    def _channel_named(self, name: str, kind: str) -> str | None:
        cursor = ""
        while True:
            ask = self._free.conversations_list
            answer = self._call(ask, name, types=kind, limit=PAGE, cursor=cursor or None)
            for one in answer.get("channels") or []:
                if one.get("name") == name.lstrip("#"):
                    return str(one["id"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    def upload(self, place: Place, picture: Picture, name: str) -> None:
        """A picture into a thread, with its title and its words for who does not see it. Raises SlackFault."""
        self._call(
            self._once.files_upload_v2,
            place.channel,
            channel=place.channel,
            thread_ts=place.thread,
            content=picture.png,
            filename=name,
            title=(pieces(picture.title, TITLE_LIMIT) or [name])[0],
            alt_txt=(pieces(picture.alt, ALT_LIMIT) or [name])[0],
        )

    def permalink(self, place: Place, ts: str) -> str:
        """The message's address for people. Raises SlackFault."""
        answer = self._call(self._free.chat_getPermalink, place.channel, channel=place.channel, message_ts=ts)
        return str(answer["permalink"])

    def who(self) -> tuple[Mapping[str, Any], frozenset[str]]:
        """What auth.test says, and the token's scopes. Raises SlackFault."""
        answer = self._call(self._free.auth_test, "")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer, frozenset(str(headers.get("x-oauth-scopes", "")).replace(" ", "").split(",")) - {""}

    def channel(self, channel_id: str) -> Mapping[str, Any]:
        """What Slack says of a channel. Raises SlackFault."""
        answer = self._call(self._free.conversations_info, channel_id, channel=channel_id)
        found: Mapping[str, Any] = answer["channel"]
        return found

    @staticmethod
    def _call(method: Callable[..., Any], place: str, **arguments: Any) -> Any:
        try:
            return method(**arguments)
        except SlackApiError as error:
            raise refused(error, place) from None
        except (SlackClientError, HTTPException, OSError, ValueError) as error:
            raise broken(error) from None


def _content(text: str, blocks: Sequence[Kit], block_id: str) -> dict[str, Any]:
    """Nothing in it is linked, unfurled or parsed by itself."""
    quiet = {
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": False,
        "parse": "none",
        "mrkdwn": False,
    }
    return {"text": text, "blocks": [{**blocks[0], "block_id": block_id}, *blocks[1:]], **quiet}


def block_key(key: str, mark: str) -> str:
    """What the block_id of a message's first block begins with, within Slack's 255."""
    return f"{key[:150]}#{mark}"


def is_channel_id(channel: str) -> bool:
    return len(channel) >= 9 and channel[0] in "CGD" and channel.isalnum() and channel.isupper()


def _address(channel: str) -> str:
    return channel if is_channel_id(channel) or channel.startswith("#") else f"#{channel}"
