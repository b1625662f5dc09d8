"""What needs a person: jobs that failed, are overdue or have no worker, and models whose data stopped coming."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import filters
from dashboard.data import agents, ask, attention, budgets, swaps
from dashboard.wording import plain
from db.clock import starts_at, week_start
from language import _, ngettext
from reports.agent_words import told_budget, why_underperforming
from reports.wording import day_in_words, moment
from settings import current

SHOWN = 5
WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Item:
    """A chip, what it is about, what happened, and what can be pressed: a label and a call, or a page."""

    chip: str
    title: str
    told: str
    label: str
    call: Callable[[], None] | None = None
    page: str = "views/operations.py"


def items(jobs: Any, week: date | None, today: date, run_again: Callable[[int], None]) -> list[Item]:
    """Everything that waits for somebody, worst first; `week` is the newest that was judged."""
    found = [*_jobs(jobs, run_again), *_silent(today), *_agents(today)]
    return found + _partial(week) if week else found


def show(found: list[Item], may_press: bool) -> None:
    """A row for each, or that there is nothing."""
    if not found:
        st.markdown(f":green-badge[:material/check: {_('nothing')}] :small[{_('Nothing needs a person.')}]")
        return
    for number, item in enumerate(found[:SHOWN]):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{item.chip} **{item.title}**  \n:small[:gray[{item.told}]]", width="stretch")
            if item.call is not None:
                st.button(item.label, on_click=item.call, key=f"item_{number}", disabled=not may_press)
            else:
                filters.link(item.page, item.label)
    if (more := len(found) - SHOWN) > 0:
        st.caption(ngettext("{n} more", "{n} more", more))


def _agents(today: date) -> list[Item]:
    """Swaps that were rolled back in the last week, the month's budget, and who loses money and wins too seldom."""
    zone, page, found = current().zone, "views/agents.py", []
    span = {"since": starts_at(today - WEEK, zone), "until": starts_at(today + timedelta(days=1), zone)}
    for row in ask(swaps.rolled_back, **span).to_dict("records"):
        title = _("{agent} was rolled back to {model}").format(
            agent=plain(row["agent_name"]), model=plain(row["new_model"])
        )
        chip = _chip("orange", "undo", _("rolled back"))
        found.append(Item(chip, title, plain(row["reason"]), _("Agents"), page=page))
    asked = {"budget": current().monthly_budget_usd, "warning": current().budget_warning}
    if budget := ask(budgets.budget_at_risk, today=today, **asked):
        chip = _chip("red" if budget.is_over else "orange", "payments", _("budget"))
        title = _("Over budget") if budget.is_over else _("Budget at risk")
        found.append(Item(chip, title, plain(told_budget(budget)), _("Usage & cost"), page="views/usage.py"))
    for row in ask(agents.underperformers, until=today).to_dict("records"):
        title = _("{agent} is underperforming").format(agent=plain(row["agent_name"]))
        chip = _chip("orange", "priority_high", _("underperforming"))
        found.append(Item(chip, title, plain(why_underperforming(row)), _("Agents"), page=page))
    return found


def _jobs(jobs: Any, run_again: Callable[[int], None]) -> list[Item]:
    found = []
    for job in jobs.jobs:
        at = moment(job.last.finished_at, jobs.now) if job.last else ""
        if job.failed:
            title = _("{job} stopped, {at}").format(job=plain(job.name), at=at)
            told = plain(job.last.error or job.last.message)
            again = _again(run_again, job.last.id)
            found.append(Item(_chip("red", "close", _("failed")), title, told, _("Run again"), again))
        elif job.overdue_since:
            title = _("{job} is overdue").format(job=plain(job.name))
            told = _("It should have run {at}.").format(at=moment(job.overdue_since, jobs.now))
            found.append(Item(_chip("red", "schedule", _("overdue")), title, told, _("Operations")))
    if not jobs.worker_is_there:
        told = _("Nothing runs by itself until one is started: python -m jobs loop")
        found.append(
            Item(_chip("red", "warning", _("no worker")), _("No worker runs"), told, _("Operations"))
        )
    return found


def _again(run_again: Callable[[int], None], run_id: int) -> Callable[[], None]:
    return lambda: run_again(run_id)


def _silent(today: date) -> list[Item]:
    """Models that were there week after week and sent nothing in the last finished one; or that nothing came at all."""
    last = week_start(today) - WEEK
    if newest := ask(attention.nothing_since, last=last):
        since = _("The newest day is {day}.").format(day=day_in_words(newest))
        return [Item(_chip("red", "close", _("missing")), _("No model sent anything"), since, _("Show days"))]
    return [_silent_item(name, newest) for name, newest in ask(attention.silent, last=last)]


def _silent_item(name: str, newest: date) -> Item:
    title = _("{model} sent nothing").format(model=plain(name))
    told = _("Its newest prediction is of {day}. No more expected? python -m db models retire {model}")
    told = told.format(day=day_in_words(newest), model=plain(name))
    return Item(_chip("red", "close", _("missing")), title, told, _("Show days"))


def _partial(week: date) -> list[Item]:
    """Models that were hardly evaluated, though the week before they were."""
    found = []
    for name, part, whole in ask(attention.partial, week=week):
        title = _("{model} lacks most of its evaluations").format(model=plain(name))
        told = _("{part} of {whole} are there; its numbers may still move.")
        told = told.format(part=f"{part:,}", whole=f"{whole:,}")
        found.append(Item(_chip("yellow", "contrast", _("partial")), title, told, _("Show days")))
    return found


def _chip(colour: str, icon: str, word: str) -> str:
    return f":{colour}-badge[:material/{icon}: {word}]"
