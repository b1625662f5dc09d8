"""What is told: charts, the weekly digest, alerts. Other programs send the digest by `send_weekly`."""

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.deliver import Delivery


def send_weekly(
    week: date | None = None, *, language: str | None = None, channel: str | None = None, again: bool = False
) -> "Delivery":
    """Writes the digest of an ISO week (any day of it; the last finished one by default) and sends it as the settings
    say: once for each week and channel, however often it is called.

    `again` changes the message that was sent already. The data are told as they are: aggregate first, or run the job
    send_digest, which does. Returns how it went (status, url, reason); raises Refused where a week is not over or the
    settings leave no way to send.
    """
    from db.clock import business_day, utc_now, week_start  # a chart needs none of it
    from db.engine import default_engine, reading
    from db.errors import Refused
    from language import _
    from reports.deliver import deliver
    from reports.digest import KIND, build, last_finished_week
    from settings import current

    now, settings = utc_now(), current()
    last = last_finished_week(business_day(now, settings.zone))
    monday = week_start(week) if week else last
    if monday > last:
        raise Refused(_("That week is not over yet: a digest tells of finished weeks."), status=2)
    with reading(default_engine()) as connection:
        message = build(connection, settings, monday, now=now, language=language)
    return deliver(
        default_engine(), settings, message, kind=KIND, week=monday, channel=channel, again=again, now=now
    )
