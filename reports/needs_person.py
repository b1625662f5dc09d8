"""The first part of a digest: jobs in trouble, and models whose data stopped coming or stay half evaluated."""

from db.clock import business_day, starts_at
from db.queries import agents, attention, swaps
from db.queries import budget as budgets
from language import _, ngettext
from reports.agent_words import told_budget, why_underperforming
from reports.blocks import Block, Heading, Item, Line, Span, Text
from reports.context import Context, Trouble
from reports.links import button
from reports.wording import brief, day_in_words

SHOWN, LOSING = 6, 2
LETTERS, REASON = 60, 300


def needs_person(context: Context) -> list[Block]:
    """A line for each with a button to the page; nothing where nothing waits."""
    items = [*_jobs(context), *_agents(context), *_models(context)]
    if not items:
        return []
    head = ngettext("🔴 Needs a person: {n}", "🔴 Needs a person: {n}", len(items))
    blocks: list[Block] = [Heading([Span(head, bold=True)]), *items[:SHOWN]]
    if (more := len(items) - SHOWN) > 0:
        blocks.append(Text([[ngettext("{n} more on the page", "{n} more on the page", more)]]))
    return blocks


def _agents(context: Context) -> list[Item]:
    """What was rolled back in the week, the month's budget, and who loses money: told in every digest until it ends."""
    zone, connection = context.settings.zone, context.connection
    page, cost = (button(_("Open"), context.url(name)) for name in ("agents", "usage"))
    since = starts_at(context.week, zone)
    items = []
    for row in swaps.rolled_back(connection, since, context.now).to_dict("records"):
        told = _(" was rolled back to {model}. ").format(model=brief(row["new_model"], LETTERS))
        why = Span(brief(row["reason"], REASON))
        items.append(Item([Span(brief(row["agent_name"], LETTERS), bold=True), told, why], page))
    today = business_day(context.now, zone)
    at_risk = context.settings.monthly_budget_usd, context.settings.budget_warning
    if budget := budgets.budget_at_risk(connection, today, *at_risk):
        title = _("Over budget") if budget.is_over else _("Budget at risk")
        items.append(Item([Span(title, bold=True), f": {told_budget(budget)}"], cost))
    losing = agents.underperformers(connection, today).sort_values("agent_name")
    for row in losing.head(LOSING).to_dict("records"):
        told = _(" is underperforming. ") + why_underperforming(row)
        items.append(Item([Span(brief(row["agent_name"], LETTERS), bold=True), told], page))
    if (more := len(losing) - LOSING) > 0:
        told = ngettext("{n} more agent is underperforming", "{n} more agents are underperforming", more)
        items.append(Item([Span(told, bold=True)], page))
    return items


def _jobs(context: Context) -> list[Item]:
    run_again = button(_("Run again"), context.url("operations"))
    return [Item(_trouble(one), run_again) for one in context.troubles]


def _trouble(one: Trouble) -> Line:
    """Why it failed as far as a phone has room; the page has all of it."""
    told = brief(" ".join(one.told.split()), REASON)
    return [Span(one.title, bold=True), *(f" {text}" for text in (told, one.lacks) if text)]


def _models(context: Context) -> list[Item]:
    """Judged by the week of the digest, not by the day on which it is made."""
    connection, show = context.connection, button(_("Show days"), context.url("operations"))
    if newest := attention.nothing_since(connection, context.week):
        told = _("No model sent anything since {day}.").format(day=day_in_words(newest))
        return [Item([Span(told, bold=True)], show)]
    found: list[Line] = []
    for name, newest in attention.silent(connection, context.week):
        since = _("sent nothing since {day}").format(day=day_in_words(newest))
        found.append([Span(brief(name, LETTERS), bold=True), " ", since])
    for name, part, whole in attention.partial(connection, context.week):
        told = _("is evaluated in part only: {part} of {whole}").format(part=f"{part:,}", whole=f"{whole:,}")
        found.append([Span(brief(name, LETTERS), bold=True), " ", told])
    return [Item(line, show) for line in found]
