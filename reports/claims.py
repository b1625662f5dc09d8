"""A row of `reports` in the hands of a sender: claimed in its own transaction before anything is sent.

Each move is a conditional update; only the sender whose update touched the row goes on. A sender says every time
before it calls Slack that it is alive; one that has not for `LEASE` is dead, and its row may be taken over.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, Row, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db.engine import bookkeeping, reading, writing
from db.tables.operations import Report
from reports.blocks import Message
from reports.stored import to_json

LEASE = timedelta(minutes=5)  # longer than any call to Slack with all its retries


class NotOurs(Exception):
    """Another sender has the row now."""


@dataclass(frozen=True)
class Claim:
    """A row that this sender has. `asked_first` says that Slack may hold what an earlier sender had begun."""

    id: int
    key: str
    channel: str
    channel_id: str | None
    mark: str
    owner: str
    asked_first: bool
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def posts(self) -> list[str]:
        """The time stamps of the messages that have arrived: the first, and what goes on in its thread."""
        return list(self.parts.get("posts", ()))

    @property
    def since(self) -> float:
        """Before anything of it can have been sent, in Unix seconds; clocks may differ."""
        return float(self.parts["since"]) - 3600


def report_key(kind: str, week: date) -> str:
    return f"{kind}:{week.isoformat()}"


def find(connection: Connection, kind: str, week: date, channel: str) -> Row[Any] | None:
    """The row of a report, by the channel's name or ID."""
    same = select(Report).where(Report.kind == kind, Report.week_start == week)
    here = or_(Report.channel == channel, Report.channel_id == channel)
    return connection.execute(same.where(here).order_by(Report.id).limit(1)).one_or_none()


def claim(
    engine: Engine, message: Message, *, kind: str, week: date, channel: str, again: bool, now: datetime
) -> Claim | Row[Any]:
    """The row in this sender's hands, or as it stands where it may not be sent now.

    A new or failed one may be sent, one whose sender is dead, and with `again` one that was sent.
    """
    while True:  # where another sender was faster: look at what it does
        with bookkeeping(engine) as connection:
            row = find(connection, kind, week, channel)
            if row is None:
                taken = _insert(connection, message, kind, week, channel, now)
            elif not _may_be_sent(row, again, now):
                return row
            else:
                taken = _take(connection, row, message, now)
        if taken is not None:
            return taken


def _may_be_sent(row: Row[Any], again: bool, now: datetime) -> bool:
    return row.status == "failed" or (row.status == "sent" and again) or _is_dead(row, now)


def _is_dead(row: Row[Any], now: datetime) -> bool:
    """Whether nobody is at a row that says it is being sent."""
    return row.status == "sending" and (row.claimed_at is None or abs(now - row.claimed_at) > LEASE)


def _insert(
    connection: Connection, message: Message, kind: str, week: date, channel: str, now: datetime
) -> Claim | None:
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    owner, mark = uuid4().hex, uuid4().hex[:12]
    parts = {"since": now.timestamp()}
    row = {
        "kind": kind,
        "week_start": week,
        "language": message.language,
        "channel": channel,
        "content": to_json(message),
        "status": "sending",
        "mark": mark,
        "claimed_by": owner,
        "claimed_at": now,
        "parts": parts,
    }
    inserted = dialect.insert(Report).values(row).on_conflict_do_nothing().returning(Report.id)
    found = connection.scalar(inserted)
    if found is None:
        return None
    return Claim(found, report_key(kind, week), channel, None, mark, owner, False, parts)


def _take(connection: Connection, row: Row[Any], message: Message, now: datetime) -> Claim | None:
    """The row taken; in one that may have arrived the content stays until that is known."""
    owner, mark, parts = uuid4().hex, row.mark or uuid4().hex[:12], dict(row.parts or {})
    parts.setdefault("since", now.timestamp())
    if row.status == "sent":
        parts["revision"] = parts.get("revision", 0) + 1
    values = {"status": "sending", "claimed_by": owner, "claimed_at": now, "parts": parts, "mark": mark}
    if row.status != "sending":
        values |= {"content": to_json(message), "language": message.language}
    mine = update(Report).where(Report.id == row.id, Report.status == row.status)
    same_owner = Report.claimed_by == row.claimed_by if row.claimed_by else Report.claimed_by.is_(None)
    if connection.execute(mine.where(same_owner).values(values)).rowcount == 0:
        return None
    dead = row.status == "sending"
    key = report_key(row.kind, row.week_start)
    return Claim(row.id, key, row.channel, row.channel_id, mark, owner, dead, parts)


def keep(engine: Engine, claim: Claim, now: datetime, **values: Any) -> Claim:
    """Says that the sender is alive, and keeps what has arrived. Raises NotOurs."""
    parts = {**claim.parts, **values.pop("parts", {})}
    with bookkeeping(engine) as connection:
        held = _held(claim).values(claimed_at=now, parts=parts, **values)
        if connection.execute(held).rowcount == 0:
            raise NotOurs
    return replace(claim, parts=parts, channel_id=values.get("channel_id", claim.channel_id))


def end(engine: Engine, claim: Claim, status: str, **values: Any) -> bool:
    """Lets go of the row with a status; False where another sender has it."""
    with writing(engine) as connection:
        ended = _held(claim).values(status=status, claimed_by=None, claimed_at=None, **values)
        return connection.execute(ended).rowcount == 1


def _held(claim: Claim) -> Any:
    return update(Report).where(
        Report.id == claim.id, Report.status == "sending", Report.claimed_by == claim.owner
    )


def known_channel_id(engine: Engine, channel: str) -> str | None:
    """The ID under which Slack last took something for that channel."""
    with reading(engine) as connection:
        known = select(Report.channel_id).where(Report.channel == channel, Report.channel_id.is_not(None))
        return connection.scalar(known.order_by(Report.id.desc()).limit(1))
