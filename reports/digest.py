"""The weekly digest: what a week was, in the order in which it matters."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from db.clock import utc_now, week_start
from db.demo.holding import holds_demo
from db.queries import attention, overall, verdicts
from db.tables.operations import Report
from language import _, ngettext, speaking
from reports.blocks import Block, Button, Buttons, Divider, Header, Message, Note, Text
from reports.context import WEEK, Context, Section, Trouble
from reports.deliver import usual_channel
from reports.done_by_itself import done_by_itself
from reports.needs_person import needs_person
from reports.ranked_changes import quiet, ranked_changes
from reports.sections import agents, forecasts, models, quality
from reports.verdict_words import CLEAR
from reports.wording import day_in_words, moment, span, week_name
from settings import Settings, current

KIND, JOB = "weekly_digest", "send_digest"
# In reading order.
SECTIONS: tuple[Section, ...] = (quality.section, models.section, forecasts.section, agents.section)
LATE = timedelta(hours=1)


def last_finished_week(today: date) -> date:
    """The Monday of the newest ISO week that is over."""
    return week_start(today) - WEEK


def build(
    connection: Connection,
    settings: Settings,
    week: date,
    *,
    now: datetime,
    language: str | None = None,
    troubles: Sequence[Trouble] | None = None,
    due: datetime | None = None,
    pictures: bool = True,
) -> Message:
    """The digest of an ISO week (its Monday), by default in the language that digests are written in.

    `troubles` are the jobs that wait for somebody, by default those whose last run failed; `due` is when a scheduled
    digest should have been sent, told where that is over an hour ago.
    """
    language = language or settings.report_language or settings.language
    with speaking(language):
        found = _failed(connection) if troubles is None else troubles
        table = verdicts.of_week(connection, week)
        left_out = _left_out(connection, settings, week) if due else 0
        context = Context(connection, settings, week, now, table, found, left_out, pictures)
        blocks = _blocks(context, due)
        return Message(_summary(context, blocks), blocks, language, demo=holds_demo(connection))


def preview(connection: Connection, week: date, language: str, troubles: Sequence[Trouble]) -> Message:
    """The digest of a week as it would be now, for a page."""
    return build(connection, current(), week, now=utc_now(), language=language, troubles=troubles)


def _failed(connection: Connection) -> list[Trouble]:
    """A digest is no news in itself, nor that its last try failed."""
    rows = attention.failed_jobs(connection).fillna({"error": ""})
    others = rows[rows["job"] != JOB].to_dict("records")
    return [Trouble(_("{job} failed").format(job=row["job"]), row["error"], row["job"]) for row in others]


def _blocks(context: Context, due: datetime | None) -> list[Block]:
    parts = [part for part in (needs_person(context), *_what_happened(context)) if part]
    spread: list[Block] = [Header(_title(context))]
    for number, part in enumerate(parts):
        spread += [Divider(), *part] if number else part
    return [*spread, *_buttons(context), Note(_footer(context, due))]


def _what_happened(context: Context) -> list[list[Block]]:
    told = [made for section in SECTIONS if (made := section(context))]
    if not told and context.verdicts.empty:
        return [[Text([[_("No data came in this week, nor in the one before it.")]])]]
    return [ranked_changes(context), *told, [*quiet(context), *done_by_itself(context)]]


def _title(context: Context) -> str:
    days = span(context.week, context.days["until"])
    return _("Tidemark, {week} · {days}").format(week=week_name(context.week).lower(), days=days)


def _summary(context: Context, blocks: Sequence[Block]) -> str:
    """The line that a notification shows."""
    clear = int(context.verdicts["verdict"].isin(CLEAR).sum())
    waiting = len(needs_person(context))
    told = [ngettext("{n} clear change", "{n} clear changes", clear) if clear else _("no clear change")]
    if context.verdicts.empty:
        told = [_("nothing to compare")]
    if waiting:
        told.insert(0, _("something needs a person"))
    return f"{_title(context)}: {', '.join(told)}"


def _buttons(context: Context) -> list[Buttons]:
    """To the exact week, and to the form of an action, which waits there for a press."""
    if not (url := context.url("overview")):
        return []
    label = _("Open {week}").format(week=week_name(context.week).lower())
    again = Button(_("Re-run aggregation"), context.url("overview", do="aggregate"))
    return [Buttons([Button(label, url, main=True), again])]


def _footer(context: Context, due: datetime | None) -> list[str]:
    newest = overall.newest_day(context.connection)
    zone = context.settings.timezone
    parts = [_("Made {at} ({zone})").format(at=moment(context.now, context.now, whole=True), zone=zone)]
    if newest:
        parts.append(_("data until {day}").format(day=day_in_words(min(newest, context.days["until"]))))
    parts.append(_("improved, declined: clear among all comparisons of the week (Holm, 5%)"))
    if due and context.now - due > LATE:
        parts.append(_("late: it was due {at}").format(at=moment(due, context.now, whole=True)))
    if context.left_out:
        parts.append(
            ngettext("{n} week before it was not sent", "{n} weeks before it were not sent", context.left_out)
        )
    if not context.settings.public_url:
        parts.append(_("more on the pages of the dashboard"))
    return [" · ".join(parts)]


def _left_out(connection: Connection, settings: Settings, week: date) -> int:
    """How many weeks lie between this one and the last that was sent; 0 where none ever was. Tests do not count."""
    sent = select(func.max(Report.week_start)).where(
        Report.kind == KIND,
        Report.status == "sent",
        Report.week_start < week,
        Report.channel == usual_channel(settings),
    )
    last = connection.scalar(sent)
    return (week - last).days // 7 - 1 if last else 0
