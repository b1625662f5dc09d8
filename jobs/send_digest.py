"""Brings the last two weeks up to date, writes the weekly digest and sends it: once for each week and channel."""

from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import Field, field_validator
from sqlalchemy import Engine

from db.clock import parse_day, parse_week, to_utc, week_start
from db.engine import reading
from db.errors import Refused
from jobs.fresh_weeks import bring_up_to_date
from jobs.job import Job, Outcome, Parameters, Passing, Run
from language import N_, _, ngettext
from settings import current


class SendDigestParameters(Parameters):
    week: date | None = Field(
        None, description=N_("this ISO week: 2026-W46, or a day of it; otherwise the last finished one")
    )
    language: Literal["en", "ko"] | None = Field(None, description=N_("en or ko; default: REPORT_LANGUAGE"))
    channel: str | None = Field(
        None, max_length=200, description=N_("another channel than SLACK_CHANNEL, for a test")
    )
    again: bool = Field(
        False, description=N_("change the message that was sent already, and say so in its thread")
    )

    @field_validator("week", mode="before")
    @classmethod
    def _monday(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = parse_week(value) if "W" in value.upper() else parse_day(value)
        return week_start(value) if isinstance(value, date) else value

    @field_validator("channel", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None


def send_digest(engine: Engine, params: SendDigestParameters, run: Run) -> Outcome:
    """Sends it, or with dry_run says what it would say. Raises Refused where it could not be sent."""
    from reports.deliver import deliver
    from reports.digest import KIND, build, last_finished_week

    settings = current()
    last = last_finished_week(run.today)
    week = params.week or last
    if week > last:
        raise Refused(_("That week is not over yet: a digest tells of finished weeks."), status=2)
    if not params.dry_run:
        bring_up_to_date(engine, run, week)
    run.progress(0.7, _("writing the digest"))
    due = _due(week, run) if week == last and not params.week else None
    troubles = _troubles(engine, run.now)
    with reading(engine) as connection:
        message = build(
            connection, settings, week, now=run.now, language=params.language, troubles=troubles, due=due
        )
    told = ngettext("{n} block", "{n} blocks", len(message.blocks))
    if params.dry_run:
        return Outcome(
            _("Dry run. {told}").format(told=f"{message.summary} ({told})"), result={"week": str(week)}
        )
    run.progress(0.8, _("sending"))
    sent = deliver(
        engine,
        settings,
        message,
        kind=KIND,
        week=week,
        channel=params.channel,
        again=params.again,
        now=run.now,
    )
    if sent.status != "sent":
        raise Passing(sent.reason) if sent.passing else Refused(sent.reason)
    result = {"week": str(week), "report": sent.report, "url": sent.url}
    return Outcome(f"{message.summary}. {sent.reason}".strip(), 0, 1, result)


def _due(week: date, run: Run) -> datetime:
    """When the schedule should have sent it."""
    at: time = current().digest_at
    return to_utc(datetime.combine(week + timedelta(weeks=1), at), run.zone)


def _troubles(engine: Engine, now: datetime) -> list[Any]:
    """The other jobs that failed or are overdue."""
    from jobs.health import health  # which knows the timetable, and that this job
    from reports.context import Trouble

    found = []
    for job in health(engine, current(), now).jobs:
        if job.name == JOB.name:
            continue
        if job.failed and job.last is not None:
            told = _("{job} failed").format(job=_(job.title))
            found.append(Trouble(told, job.last.error or job.last.message, job.name))
        elif job.overdue_since:
            found.append(Trouble(_("{job} is overdue").format(job=_(job.title)), "", job.name))
    return found


JOB = Job("send_digest", N_("Send the weekly report"), send_digest, SendDigestParameters)
