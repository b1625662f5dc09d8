"""Brings the last two weeks up to date, writes the weekly digest and sends it: once for each week and channel."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator
from sqlalchemy import Connection, Engine

from db.clock import Now, business_day, to_utc
from db.engine import reading
from db.errors import Refused
from jobs.fresh_weeks import bring_up_to_date, clock_of, days_behind
from jobs.job import Job, Outcome, Parameters, Passing, Run
from jobs.monday import Monday
from language import N_, _, ngettext, speaking
from settings import current

if TYPE_CHECKING:
    from jobs.health import Health
    from reports.blocks import Message
    from reports.context import Trouble

FEW_DAYS = 3  # that are named one by one


class SendDigestParameters(Parameters):
    week: Monday | None = Field(
        None, description=N_("this ISO week: 2026-W46, or a day of it; otherwise the last finished one")
    )
    language: Literal["en", "ko"] | None = Field(None, description=N_("en or ko; default: REPORT_LANGUAGE"))
    channel: str | None = Field(
        None, max_length=200, description=N_("another channel than SLACK_CHANNEL, for a test")
    )
    again: bool = Field(
        False, description=N_("change the message that was sent already, and say so in its thread")
    )

    @field_validator("channel", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None


def send_digest(engine: Engine, params: SendDigestParameters, run: Run) -> Outcome:
    """Sends it, or with dry_run says what it would say. Raises Refused where it could not be sent."""
    from reports.deliver import deliver
    from reports.digest import KIND, last_finished_week

    clock = clock_of(run)
    week = params.week or last_finished_week(run.today)
    if not params.dry_run:
        bring_up_to_date(engine, run, week, clock)
    run.progress(0.7, _("writing the digest"))
    message = _message(engine, params, run, week, clock)
    told = ngettext("{n} block", "{n} blocks", len(message.blocks))
    if params.dry_run:
        summary = _("Dry run. {told}").format(told=f"{message.summary} ({told})")
        return Outcome(summary, result={"week": str(week)})
    run.progress(0.8, _("sending"))
    where: dict[str, Any] = {"kind": KIND, "week": week, "channel": params.channel}
    # Not when the run began: who looks at the claim would think its sender long dead.
    sent = deliver(engine, current(), message, **where, again=params.again, now=clock())
    if sent.status != "sent":
        raise Passing(sent.reason) if sent.passing else Refused(sent.reason)
    result = {"week": str(week), "report": sent.report, "url": sent.url}
    return Outcome(f"{message.summary}. {sent.reason}".strip(), 0, 1, result)


def check(_connection: Connection, params: SendDigestParameters, now: datetime) -> None:
    """Raises Refused for a week that is not over: at once, so that no run fails and nobody is alarmed."""
    if params.week and params.week + timedelta(weeks=1) > business_day(now, current().zone):
        raise Refused(_("That week is not over yet: a digest tells of finished weeks."), status=2)


def _message(engine: Engine, params: SendDigestParameters, run: Run, week: date, clock: Now) -> "Message":
    """The digest as the data are now; what a person asks for, or asks to change, is never late."""
    from jobs.health import health  # which knows the timetable, and that this job
    from reports.digest import build

    settings = current()
    language = params.language or settings.report_language or settings.language
    due = None if params.week or params.channel or params.again else _due(week, run)
    with speaking(language):
        behind = {} if params.dry_run else days_behind(engine, week)
        troubles = troubles_of(health(engine, settings, clock()), behind)
    with reading(engine) as connection:
        return build(connection, settings, week, now=run.now, language=language, troubles=troubles, due=due)


def _due(week: date, run: Run) -> datetime:
    """When the schedule should have sent it."""
    at: time = current().digest_at
    return to_utc(datetime.combine(week + timedelta(weeks=1), at), run.zone)


def troubles_of(jobs: "Health", behind: dict[str, list[date]]) -> "list[Trouble]":
    """The other jobs that failed or are overdue, and those that left days of the two weeks undone."""
    from reports.context import Trouble

    found = []
    for job in jobs.jobs:
        if job.name == JOB.name:
            continue
        title, lacks = _(job.title), _lacks(behind.get(job.name, []))
        if job.failed and job.last is not None:
            told = job.last.error or job.last.message
            found.append(Trouble(_("{job} failed").format(job=title), told, job.name, lacks))
        elif job.overdue_since:
            found.append(Trouble(_("{job} is overdue").format(job=title), "", job.name, lacks))
        elif lacks:
            found.append(Trouble(title, "", job.name, lacks))
    return found


def _lacks(days: list[date]) -> str:
    """Which days a digest tells as they were before."""
    from reports.wording import day_in_words, span

    if not days:
        return ""
    few = len(days) <= FEW_DAYS
    told = ", ".join(map(day_in_words, days)) if few else span(days[0], days[-1])
    return _("Not up to date: {days}.").format(days=told)


JOB = Job("send_digest", N_("Send the weekly report"), send_digest, SendDigestParameters, check)
