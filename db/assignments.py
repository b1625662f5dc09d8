"""Which model each agent runs on, from a YAML file that people write.

scout:
  provider: anthropic
  model: claude-sonnet-4
  role: finds candidates
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy import Connection, Engine, func, insert, select

from db.assignment_lock import lock_assignments
from db.clock import business_day
from db.engine import reading, writing
from db.errors import Refused
from db.importing.agent_specs import AGENT_ASSIGNMENTS
from db.importing.cells import Rejected, Surroundings
from db.resting import resting_until
from db.tables.agents import AgentAssignment, ModelEvolution
from db.upsert import upsert_rows
from language import _

KEYS = ("provider", "model", "role")


@dataclass(frozen=True)
class Assignment:
    provider: str
    model: str
    role: str | None = None

    def __str__(self) -> str:
        runs_on = " ".join(filter(None, (self.provider, self.model))) or _("no model")
        return f"{runs_on} ({self.role})" if self.role else runs_on


@dataclass(frozen=True)
class Plan:
    """What a file changes: agents that are new, those that differ (before, after), and those that stay as they are."""

    added: Mapping[str, Assignment]
    changed: Mapping[str, tuple[Assignment, Assignment]]
    left: tuple[str, ...]

    def lines(self) -> list[str]:
        """The plan for people."""
        told = [_("added: {agent}: {to}").format(agent=agent, to=to) for agent, to in self.added.items()]
        for agent, (before, after) in self.changed.items():
            told.append(
                _("changed: {agent}: {before} → {after}").format(agent=agent, before=before, after=after)
            )
        return told + [_("left as it is: {agent}").format(agent=agent) for agent in self.left]


def read_assignments(path: Path, zone: ZoneInfo, now: datetime) -> dict[str, Assignment]:
    """The agents of a file; raises Refused with the line or the key that is wrong."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _Strict)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _wrong(_("{file} cannot be read: {why}").format(file=path.name, why=why)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = _("line {n}: ").format(n=mark.line + 1) if mark else ""
        why = getattr(error, "problem", None) or str(error)
        raise _wrong(_("{file} is no YAML: {line}{why}").format(file=path.name, line=line, why=why)) from None
    except (ValueError, RecursionError) as error:
        raise _wrong(_("{file} cannot be read: {why}").format(file=path.name, why=error)) from None
    if not isinstance(found, dict) or not found:
        raise _wrong(
            _("{file} holds no agents; write “scout:” and below it “  model: …”").format(file=path.name)
        )
    where = Surroundings(zone, now)
    named = [_assignment(path, agent, its, where) for agent, its in found.items()]
    for agent, n in Counter(agent for agent, _its in named).items():
        if n > 1:
            raise _wrong(_("{file}: {agent} stands twice").format(file=path.name, agent=agent))
    return dict(named)


class _Strict(yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which a key that stands twice is a mistake, not a correction."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set[str]()
        for key, _value in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"“{name}” stands twice", key.start_mark)
            seen.add(name)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def _assignment(path: Path, agent: Any, its: Any, where: Surroundings) -> tuple[str, Assignment]:
    name = _cell(path, str(agent), "agent_name", agent, where)
    if not isinstance(its, dict) or not its:
        told = _("{file}: {agent} has no lines like “model: …” below it")
        raise _wrong(told.format(file=path.name, agent=agent))
    for key in its:
        if key not in KEYS:
            told = _("{file}: {agent}: “{key}” is not known; there are {keys}")
            raise _wrong(told.format(file=path.name, agent=agent, key=key, keys=", ".join(KEYS)))
    if its.get("model") is None:
        raise _wrong(_("{file}: {agent}: model is missing").format(file=path.name, agent=agent))
    provider, model, role = (_cell(path, str(agent), key, its.get(key), where) for key in KEYS)
    return name, Assignment(provider, model, role or None)


def _cell(path: Path, agent: str, name: str, value: Any, where: Surroundings) -> str:
    """The text of a key, by the rule of its column; raises Refused."""
    try:
        if isinstance(value, bool | list | dict):
            raise Rejected(_("{what} is no name"), str(value))
        if value is not None and not isinstance(value, str):  # 1.10 would be 1.1, and 12:30 750
            raise Rejected(_("{what} is no text: put it into quotation marks"), str(value))
        text = "" if value is None else str(value).strip()
        if not text and name in ("agent_name", "model"):
            raise Rejected(_("{what} is no name"), "“”")
        return AGENT_ASSIGNMENTS.column(name).kind.one(text, where) if text else ""
    except Rejected as rejected:
        told = _("{file}: {agent}: {key}: {why}")
        raise _wrong(told.format(file=path.name, agent=agent, key=name, why=rejected)) from None


def _wrong(told: str) -> Refused:
    return Refused(told, status=2)


def plan(engine: Engine, wanted: Mapping[str, Assignment]) -> Plan:
    """What `assign` would do; writes nothing."""
    with reading(engine) as connection:
        return _plan(connection, wanted)


def assign(
    engine: Engine, wanted: Mapping[str, Assignment], zone: ZoneInfo, now: datetime, file: str
) -> Plan:
    """Writes assignments, and a swap for each agent that runs on another model, in one transaction.

    Agents that are not named stay.
    """
    with writing(engine) as connection:
        lock_assignments(connection)
        found = _plan(connection, wanted)
        since: dict[str, datetime | None] = dict.fromkeys(found.added, now)
        for agent, (before, after) in found.changed.items():
            swapped = (before.provider, before.model) != (after.provider, after.model)
            since[agent] = now if swapped else _since(connection, agent)
            if swapped:
                _refuse_while_it_rests(connection, agent, before, zone, now)
                _write_swap(connection, agent, before, after, zone, now, file)
        rows = [
            {"agent_name": agent, **vars(wanted[agent]), "since": at, "updated_at": now}
            for agent, at in since.items()
        ]
        upsert_rows(connection, AgentAssignment.__table__, ("agent_name",), rows)  # type: ignore[arg-type]
    return found


def _plan(connection: Connection, wanted: Mapping[str, Assignment]) -> Plan:
    a = AgentAssignment
    rows = connection.execute(select(a.agent_name, a.provider, a.model, a.role))
    held = {row[0]: Assignment(*row[1:]) for row in rows}
    added = {agent: its for agent, its in wanted.items() if agent not in held}
    both = {agent: (held[agent], its) for agent, its in wanted.items() if agent in held}
    changed = {agent: pair for agent, pair in both.items() if pair[0] != pair[1]}
    return Plan(added, changed, tuple(sorted(held.keys() - changed.keys())))


def _since(connection: Connection, agent: str) -> datetime | None:
    return connection.scalar(select(AgentAssignment.since).where(AgentAssignment.agent_name == agent))


def _refuse_while_it_rests(
    connection: Connection, agent: str, runs_on: Assignment, zone: ZoneInfo, now: datetime
) -> None:
    """A file that still names the model that was rolled back must not bring it back."""
    rested = resting_until(connection, agent, now)
    if rested:
        raise Refused(
            _(
                "{agent} was rolled back to {model} and rests until {day}: write that model into the file, or change "
                "it then. Nothing was written."
            ).format(agent=agent, model=runs_on.model, day=business_day(rested, zone))
        )


def _write_swap(
    connection: Connection,
    agent: str,
    before: Assignment,
    after: Assignment,
    zone: ZoneInfo,
    now: datetime,
    file: str,
) -> None:
    m = ModelEvolution
    last = connection.scalar(select(func.max(m.timestamp)).where(m.agent_name == agent))
    # Two swaps of an agent have two moments.
    at = now if last is None or last < now else last + timedelta(microseconds=1)
    connection.execute(
        insert(m).values(
            timestamp=at,
            day=business_day(at, zone),
            agent_name=agent,
            old_provider=before.provider,
            old_model=before.model,
            new_provider=after.provider,
            new_model=after.model,
            reason=_("changed in {file}").format(file=file),
            triggered_by="manual",
            status="validating",
            updated_at=now,
        )
    )
