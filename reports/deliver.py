"""Send once, and know whether it was sent: by a bot, an incoming webhook, or as a file."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Engine, Row, select, update

from db.engine import reading, writing
from db.errors import Refused
from db.tables.operations import Report
from language import _, speaking
from reports import claims, html_files, webhook
from reports.blocks import Message
from reports.claims import Claim, NotOurs
from reports.render_slack import render
from reports.sending import Clock, NotKnown, Sending
from reports.slack import Patience, Slack, block_key
from reports.slack_faults import SlackFault
from reports.stored import from_json, to_json
from settings import Settings

PATIENT = Patience()
WEBHOOK, FILE = "webhook", "file"  # what stands for a channel where none can be named


def usual_channel(settings: Settings) -> str:
    """Where a report goes of itself, as its row names it; '' where a bot is not told."""
    if settings.slack_bot_token:
        return (settings.slack_channel or "").removeprefix("#")
    return WEBHOOK if settings.slack_webhook_url else FILE


@dataclass(frozen=True)
class Delivery:
    """How a report stands: sent, failed, unknown, or sending where another process is at it.

    `reason` says why in words, of a report that was sent what is missing of it; `passing` that a later try may help.
    """

    status: str
    url: str = ""
    reason: str = ""
    passing: bool = False
    report: int | None = None


@dataclass(frozen=True)
class _Order:
    """Everything that a way of sending needs."""

    engine: Engine
    settings: Settings
    message: Message
    kind: str
    week: date
    claim: Claim
    note: str
    thread: str | None
    patience: Patience
    clock: Clock


def deliver(
    engine: Engine,
    settings: Settings,
    message: Message,
    *,
    kind: str,
    week: date,
    channel: str | None = None,
    again: bool = False,
    now: datetime,
    note: str = "",
    thread: str | None = None,
    patience: Patience = PATIENT,
) -> Delivery:
    """Sends a report once for its (kind, week, channel); a report that was sent stays as it is.

    `again` changes the message that was sent, and says `note` (what was restated) in its thread. `thread` is the
    time stamp of another message in the channel that this one answers. Raises Refused where settings or channel
    leave no way.
    """
    way, place = _way(settings, message, channel)
    taken = claims.claim(engine, message, kind=kind, week=week, channel=place, again=again, now=now)
    if not isinstance(taken, Claim):
        return _as_it_stands(taken)
    begun = time.monotonic()
    clock = lambda: now + timedelta(seconds=time.monotonic() - begun)  # noqa: E731
    with speaking(message.language):
        note = note or _("Sent again with the numbers as they are now.")
    order = _Order(engine, settings, message, kind, week, taken, note, thread, patience, clock)
    return way(order)


def _way(
    settings: Settings, message: Message, channel: str | None
) -> tuple[Callable[[_Order], Delivery], str]:
    """How to send, and the channel that the row is kept under; simulated data never leave this machine."""
    if channel and not (settings.slack_bot_token or settings.slack_webhook_url):
        raise Refused(_("There is no channel without Slack: set SLACK_BOT_TOKEN."))
    if message.demo or not (settings.slack_bot_token or settings.slack_webhook_url):
        return _by_file, FILE
    named = (channel or settings.slack_channel or "").removeprefix("#")
    if settings.slack_bot_token and named:
        return _by_bot, named
    if settings.slack_webhook_url and not channel:
        return _by_webhook, WEBHOOK
    if settings.slack_webhook_url:
        raise Refused(
            _("An incoming webhook posts into its own channel only; for others set SLACK_BOT_TOKEN.")
        )
    raise Refused(_("SLACK_BOT_TOKEN is set, but not to which channel: set SLACK_CHANNEL."))


def _by_bot(order: _Order) -> Delivery:
    token = order.settings.slack_bot_token
    assert token
    slack = Slack(token.get_secret_value(), order.settings.slack_api_url, order.patience)
    sending = Sending(order.engine, slack, order.claim, order.patience, order.clock, order.thread)
    try:
        with speaking(order.message.language):
            missing = sending.send(order.message, order.note)
    except NotKnown as unknown:
        return _not_known(replace(order, claim=sending.claim), str(unknown), unknown.passing)
    except SlackFault as fault:
        return _failed(replace(order, claim=sending.claim), fault)
    except NotOurs:
        return _elsewhere(order.claim.id)
    return _sent(replace(order, claim=sending.claim), sending.permalink(), "\n".join(missing))


def _by_webhook(order: _Order) -> Delivery:
    """Post after post; after one of which nobody knows, people look into the channel."""
    if order.claim.asked_first:
        return _not_known(order, _("Its sender was stopped, and a webhook cannot be asked."), passing=False)
    url, claim = order.settings.slack_webhook_url, order.claim
    assert url
    made = render(order.message, block_key(claim.key, claim.mark))
    revision = claim.parts.get("revision", 0)
    arrived = claim.posts if claim.parts.get("posted") == revision else []
    try:
        for n, post in enumerate(made.posts[len(arrived) :], len(arrived)):
            claim = claims.keep(order.engine, claim, order.clock())
            webhook.post(url.get_secret_value(), made.text, post, order.patience)
            arrived = [*arrived, str(n)]
            kept = {"posts": arrived, "posted": revision}
            claim = claims.keep(order.engine, claim, order.clock(), parts=kept)
    except SlackFault as fault:
        if fault.taken is None:
            return _not_known(replace(order, claim=claim), str(fault), passing=False)
        return _failed(replace(order, claim=claim), fault)
    except NotOurs:
        return _elsewhere(claim.id)
    return _sent(replace(order, claim=claim), "", "")


def _by_file(order: _Order) -> Delivery:
    try:
        path = html_files.write(order.settings.reports_dir, order.message, order.kind, order.week)
    except OSError as error:
        told = _("The report could not be written to {folder}: {why}. Check REPORTS_DIR.")
        why = told.format(folder=order.settings.reports_dir, why=error.strerror)
        return _failed(order, SlackFault(why, passing=True))
    sent = _sent(order, "", "")
    told = _("Written to {path}.").format(path=path)
    if order.message.demo:
        told = _("Simulated data are never sent to Slack.") + " " + told
    return replace(sent, reason=told)


def _sent(order: _Order, url: str, missing: str) -> Delivery:
    content = {"content": to_json(order.message), "language": order.message.language}
    told = {"sent_at": order.clock(), "permalink": url[:500] or None, "error": missing or None}
    if not claims.end(order.engine, order.claim, "sent", **content, **told):
        return _elsewhere(order.claim.id)
    return Delivery("sent", url, missing, report=order.claim.id)


def _failed(order: _Order, fault: SlackFault) -> Delivery:
    if not claims.end(order.engine, order.claim, "failed", error=str(fault)):
        return _elsewhere(order.claim.id)
    return Delivery("failed", "", str(fault), fault.passing, order.claim.id)


def _not_known(order: _Order, why: str, passing: bool) -> Delivery:
    """Slack can be asked later, and is before anything is sent; or else only people can look."""
    status = "sending" if passing else "unknown"
    told = _("It is not known whether it arrived. {why}").format(why=why)
    if not passing:
        told += " " + _("Look into the channel, then say whether it is there.")
    if not claims.end(order.engine, order.claim, status, error=told):
        return _elsewhere(order.claim.id)
    return Delivery(status, "", told, passing, order.claim.id)


def _elsewhere(report: int) -> Delivery:
    return Delivery("sending", "", _("Another process is sending it."), passing=True, report=report)


def _as_it_stands(row: Row[Any]) -> Delivery:
    if row.status == "sending":
        return _elsewhere(row.id)
    reason = row.error or (_("It was sent before.") if row.status == "sent" else "")
    return Delivery(row.status, row.permalink or "", reason, report=row.id)


def resolve(engine: Engine, report: int, answer: Literal["there", "again"], now: datetime) -> None:
    """What a person saw in the channel, of a report of which nobody knew: it is there, or it is to be sent again.

    Raises Refused where the report is not one of these.
    """
    there = {"status": "sent", "sent_at": now, "error": None}
    # Another mark: what is sent now is another message than the one that nobody found.
    missing = {"status": "failed", "mark": uuid4().hex[:12], "error": _("It is to be sent again.")}
    asked = update(Report).where(Report.id == report, Report.status == "unknown")
    with writing(engine) as connection:
        if connection.execute(asked.values(there if answer == "there" else missing)).rowcount:
            return
        status = connection.scalar(select(Report.status).where(Report.id == report))
    if status is None:
        raise Refused(_("There is no report {id}").format(id=report), status=2)
    raise Refused(_("Of report {id} it is known how it stands ({status})").format(id=report, status=status))


def send_stored(
    engine: Engine, settings: Settings, report: int, now: datetime, patience: Patience = PATIENT
) -> Delivery:
    """Sends a report as it was kept, where it has not been sent. Raises Refused."""
    with reading(engine) as connection:
        row = connection.execute(select(Report).where(Report.id == report)).one_or_none()
    if row is None:
        raise Refused(_("There is no report {id}").format(id=report), status=2)
    channel = None if row.channel in (WEBHOOK, FILE) else row.channel
    message = from_json(row.content)
    where = {"kind": row.kind, "week": row.week_start, "channel": channel}
    return deliver(engine, settings, message, **where, now=now, patience=patience)
