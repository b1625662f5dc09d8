"""One report on its way to Slack with a bot's token: every part of it exactly once."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from language import _
from reports import claims
from reports.blocks import Message, Picture
from reports.claims import Claim
from reports.render_slack import Kit, Rendered, render
from reports.slack import Patience, Place, Slack, Tag, block_key, is_channel_id
from reports.slack_faults import SlackFault
from reports.slack_text import escaped

TRIES = 3
Clock = Callable[[], datetime]


class NotKnown(Exception):
    """Nobody can say whether Slack has it. `passing`: Slack can be asked later; else only people can look."""

    def __init__(self, told: str, passing: bool) -> None:
        super().__init__(told)
        self.passing = passing


@dataclass
class Sending:
    """Posts what has not arrived, changes what has, and writes down each step before the next."""

    engine: Engine
    slack: Slack
    claim: Claim
    patience: Patience
    clock: Clock
    thread: str | None = None  # of another message, where this one is an answer to it

    def send(self, message: Message, note: str) -> list[str]:
        """Everything; returns what is missing of it, in words. Raises SlackFault, NotKnown, NotOurs."""
        made = render(message, block_key(self.claim.key, self.claim.mark))
        with suppress(NotKnown):  # where it may not be asked, the name has to do
            self.claim = replace(self.claim, channel_id=self._channel_id())
        try:
            self._messages(made)
        except SlackFault as fault:
            if fault.code != "message_not_found":
                raise
            self._forget()  # somebody took it out of the channel: it is posted anew
            self._messages(made)
        self._note(note)
        return [told for picture in made.pictures if (told := self._picture(picture))]

    @property
    def ts(self) -> str:
        """The time stamp of the first message."""
        return self.claim.posts[0]

    def permalink(self) -> str:
        try:
            return self.slack.permalink(self._place(None), self.ts)
        except SlackFault:
            return ""

    def _place(self, thread: str | None) -> Place:
        return Place(self.claim.channel_id or self.claim.channel, thread)

    def _messages(self, made: Rendered) -> None:
        for n, post in enumerate(made.posts):
            there = self.claim.posts
            if n < len(there):
                self._change(n, made.text, post)
                continue
            ts, found = self._once(str(n), self.thread or (there[0] if n else None), made.text, post)
            first = {"message_ts": ts} if n == 0 else {}
            self.claim = claims.keep(
                self.engine, self.claim, self.clock(), parts={"posts": [*there, ts]}, **first
            )
            if found:  # an earlier sender's, which may have said something else
                self._change(n, made.text, post)
        for n in range(len(made.posts), len(self.claim.posts)):
            told = escaped(_("Not needed any more: see the message above."))
            self._change(n, told, [{"type": "section", "text": {"type": "mrkdwn", "text": told}}])

    def _change(self, n: int, text: str, post: Sequence[Kit]) -> None:
        self._alive()
        revision = int(self.claim.parts.get("revision", 0))
        self.slack.update(self._place(None), self.claim.posts[n], text, post, self._tag(str(n)), revision)

    def _forget(self) -> None:
        revision = self.claim.parts.get("revision", 0)
        forgotten = {"posts": [], "pictures": {}, "noted": revision}
        self.claim = claims.keep(self.engine, self.claim, self.clock(), parts=forgotten)

    def _tag(self, part: str) -> Tag:
        return Tag(self.claim.key, self.claim.mark, part)

    def _once(self, part: str, thread: str | None, text: str, blocks: Sequence[Kit]) -> tuple[str, bool]:
        """The time stamp of a post that is in Slack once however the calls end; whether it was there before."""
        before = self.claim.asked_first
        if before and (found := self._look(part, thread, self.patience.looks[:1])):
            return found, True
        for _try in range(TRIES):
            self._alive()
            try:
                ts, channel_id = self.slack.post(self._place(thread), text, blocks, self._tag(part))
            except SlackFault as fault:
                if fault.taken is False:
                    raise
                if found := self._look(part, thread, self.patience.looks):
                    return found, False
                last = fault
                continue
            self.claim = claims.keep(self.engine, self.claim, self.clock(), channel_id=channel_id)
            return ts, False
        raise SlackFault(str(last), code=last.code, passing=True)

    def _look(self, part: str, thread: str | None, pauses: Sequence[float]) -> str | None:
        """Asks the channel's history, once after each pause, for a post that may have arrived. Raises NotKnown."""
        place = Place(self._channel_id(), thread)
        for pause in pauses:
            if pause:
                self.patience.wait(pause)
            self._alive()
            try:
                found = self.slack.find(place, self._tag(part), self.claim.since)
            except SlackFault as fault:
                raise NotKnown(str(fault), fault.passing) from None
            if found:
                self.claim = claims.keep(self.engine, self.claim, self.clock(), channel_id=place.channel)
                return found
        return None

    def _channel_id(self) -> str:
        """History is asked by the channel's ID. Raises NotKnown."""
        channel = self.claim.channel
        known = self.claim.channel_id or (channel if is_channel_id(channel) else None)
        known = known or claims.known_channel_id(self.engine, channel)
        if known:
            return known
        try:
            found = self.slack.channel_named(channel)
        except SlackFault as fault:
            raise NotKnown(str(fault), fault.passing) from None
        if found is None:
            raise NotKnown(_("The channel's ID is not known; put it into SLACK_CHANNEL."), passing=False)
        return found

    def _note(self, note: str) -> None:
        """What was restated, once for each time that the message was sent again."""
        revision = self.claim.parts.get("revision", 0)
        if revision == self.claim.parts.get("noted", 0):
            return
        block = {"type": "rich_text", "elements": [_section(note)]}
        self._once(f"note {revision}", self.thread or self.ts, escaped(note), [block])
        self.claim = claims.keep(self.engine, self.claim, self.clock(), parts={"noted": revision})

    def _picture(self, picture: Picture) -> str:
        """Uploads a picture that is not there yet; what went wrong in words, empty where nothing did."""
        arrived = dict(self.claim.parts.get("pictures", {}))
        digest = hashlib.sha256(picture.png).hexdigest()[:12]
        if arrived.get(picture.name) == digest:
            return ""
        name, told = f"{picture.name}-{digest[:6]}.png", ""
        place = self._place(self.thread or self.ts)
        try:
            # An earlier sender, or an earlier try, may have got further than it could write down.
            if arrived.get("begun") != name or name not in self.slack.files_in(place, self.claim.since):
                self._keep_pictures(arrived | {"begun": name})
                self.slack.upload(place, picture, name)
            arrived[picture.name] = digest
        except SlackFault as fault:
            told = _("The picture “{title}” is missing: {why}").format(title=picture.title, why=fault)
            arrived = arrived | ({"begun": name} if fault.taken is None else {})
        self._keep_pictures(arrived)
        return told

    def _keep_pictures(self, pictures: dict[str, str]) -> None:
        self.claim = claims.keep(self.engine, self.claim, self.clock(), parts={"pictures": pictures})

    def _alive(self) -> None:
        self.claim = claims.keep(self.engine, self.claim, self.clock())


def _section(text: str) -> Kit:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
