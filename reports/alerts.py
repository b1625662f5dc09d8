"""Alerts between digests: one message when a job is in trouble, one more in its thread when it is not any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Row, func, literal, select
from sqlalchemy.orm import aliased

from db.clock import business_day, week_start
from db.demo.holding import holds_demo
from db.engine import reading
from db.tables.operations import Report
from language import _, speaking
from reports.blocks import Block, Button, Buttons, Heading, Message, Text
from reports.deliver import FILE, PATIENT, WEBHOOK, Delivery, deliver
from reports.slack import Patience
from reports.splitting import pieces
from settings import Settings

REASON_LIMIT = 500
_ALERT, _RECOVERED = "alert", "recovered"
_ARRIVED = ("sent", "unknown")


@dataclass(frozen=True)
class Trouble:
    """A job that failed for good (`run` is which run), or is overdue (`run` is its slot)."""

    job: str
    title: str
    run: str
    since: datetime
    reason: str
    overdue: bool = False


@dataclass(frozen=True)
class Works:
    """A job that is in no trouble."""

    job: str
    title: str


def tell(
    engine: Engine,
    settings: Settings,
    states: Sequence[Trouble | Works],
    *,
    now: datetime,
    patience: Patience = PATIENT,
) -> list[Delivery]:
    """Says what began and what ended, once each; returns what was tried. Says nothing without Slack, or of a demo.

    A job in trouble of which was told already is not told of again, whatever fails after that. Raises Refused where
    the settings leave no way.
    """
    if not (settings.slack_bot_token or settings.slack_webhook_url):
        return []
    with reading(engine) as connection:
        if holds_demo(connection):
            return []
    told = []
    with speaking(settings.report_language or settings.language):
        for state in states:
            before = _open_alert(engine, state.job)
            if isinstance(state, Trouble) and before is None:
                told.append(_begin(engine, settings, state, now, patience))
            elif isinstance(state, Works) and before is not None:
                told.append(_end(engine, settings, state, before, now, patience))
    return told


def _open_alert(engine: Engine, job: str) -> Row[Any] | None:
    """The job's alert that nothing ended yet."""
    ended = aliased(Report)
    ending = literal(f"{_RECOVERED}:").concat(func.substr(Report.kind, len(_ALERT) + 2))
    over = select(ended.id).where(ended.kind == ending, ended.status.in_(_ARRIVED)).exists()
    mine = Report.kind.startswith(f"{_ALERT}:{job}:", autoescape=True)
    with reading(engine) as connection:
        asked = select(Report).where(mine, Report.status.in_(_ARRIVED), ~over)
        return connection.execute(asked.order_by(Report.id.desc()).limit(1)).one_or_none()


def _begin(
    engine: Engine, settings: Settings, trouble: Trouble, now: datetime, patience: Patience
) -> Delivery:
    week = week_start(business_day(trouble.since, settings.zone))
    kind = f"{_ALERT}:{trouble.job}:{trouble.run}"
    message = _trouble(trouble, settings)
    return deliver(engine, settings, message, kind=kind, week=week, now=now, patience=patience)


def _end(
    engine: Engine, settings: Settings, works: Works, before: Row[Any], now: datetime, patience: Patience
) -> Delivery:
    """Where the alert was posted, and in its thread as far as it is known."""
    kind = f"{_RECOVERED}:{before.kind.removeprefix(f'{_ALERT}:')}"
    channel = None if before.channel in (WEBHOOK, FILE) else before.channel
    week: date = before.week_start
    thread = before.message_ts if channel and settings.slack_bot_token else None
    return deliver(
        engine,
        settings,
        _recovery(works),
        kind=kind,
        week=week,
        channel=channel if settings.slack_bot_token else None,
        thread=thread,
        now=now,
        patience=patience,
    )


def _trouble(trouble: Trouble, settings: Settings) -> Message:
    pattern = _("🔴 {title} is overdue") if trouble.overdue else _("🔴 {title} failed")
    told = pattern.format(title=trouble.title)
    since = _("Since {at}.").format(at=_at(trouble.since, settings.zone))
    reason = (pieces(trouble.reason.strip(), REASON_LIMIT) or [""])[0]
    blocks: list[Block] = [Heading(told), Text([line for line in (since, reason) if line])]
    if settings.public_url:
        url = f"{settings.public_url}/operations"
        blocks.append(Buttons([Button(_("Open Operations"), url)]))
    return Message(told, tuple(blocks), settings.report_language or settings.language)


def _recovery(works: Works) -> Message:
    told = _("🟢 {title} works again").format(title=works.title)
    return Message(told, (Heading(told),))


def _at(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"
