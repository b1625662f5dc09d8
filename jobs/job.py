"""What a job is: a name, typed parameters and a function; and what it sees of the run that it is in."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import Connection, Engine

from db.errors import Refused
from jobs.typed_day import TypedDay
from language import N_, _


class Parameters(BaseModel):
    """Parameters of a job; a subclass adds its own. Every job can be rehearsed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dry_run: bool = Field(False, description=N_("compute and show what would change, write nothing"))

    def stored(self) -> dict[str, Any]:
        """As kept in job_runs: only what differs from the default, so that the same wish has one form."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def hashed(self) -> str:
        return hashlib.sha256(json.dumps(self.stored(), sort_keys=True).encode()).hexdigest()


class DayParameters(Parameters):
    """Which days: one, a range, or by default whatever is stale."""

    day: TypedDay | None = Field(None, description=N_("this business day only"))
    since: TypedDay | None = Field(None, description=N_("first business day of a range"))
    until: TypedDay | None = Field(None, description=N_("last business day of a range, included"))

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if self.day and (self.since or self.until):
            raise ValueError(_("give a day, or since and until, not both"))
        if self.until and not self.since:
            raise ValueError(_("until needs since"))
        if self.since and self.until and self.since > self.until:
            raise ValueError(_("since is after until"))
        return self

    def days(self, today: date) -> tuple[date, date] | None:
        """First and last day that were asked for; None for whatever is stale."""
        if self.day:
            return self.day, self.day
        if self.since:
            return self.since, self.until or today
        return None


class Passing(Exception):
    """A fault outside the database that may be gone after a while; the run is tried again. Its text is for people."""


@dataclass(frozen=True)
class Outcome:
    """What a job did: counts, one line for people, and details for pages and programs (JSON)."""

    summary: str
    rows_read: int = 0
    rows_written: int = 0
    result: dict[str, Any] = field(default_factory=dict)


class Run(Protocol):
    """What a job sees of the run that it is in."""

    now: datetime  # when the run started; a job asks no other clock
    zone: ZoneInfo

    @property
    def id(self) -> int | None:
        """Its row in job_runs; None where it has none."""

    @property
    def today(self) -> date: ...

    def progress(self, done: float, message: str) -> None:
        """Says how far it is (0–1), between transactions; raises when the run was cancelled, stopped or taken away."""

    def log(self, line: str) -> None:
        """Adds a line to the run's log."""


@dataclass(frozen=True)
class Job:
    """A job; `name` is also its file, its job_runs value and its command-line argument."""

    name: str
    title: str
    work: Callable[[Engine, Any, Run], Outcome]
    parameters: type[Parameters] = Parameters
    # Raises Refused for what only the database and the clock know.
    check: Callable[[Connection, Any, datetime], None] | None = None
    rest: Callable[[Any], Parameters] | None = None  # the parameters that go on where a cancelled run ended
    # The newest run that can be taken back, by one with the parameter `undo`; None where the job knows no undo.
    undoable: Callable[[Connection], int | None] | None = None

    def read(self, values: dict[str, Any]) -> Parameters:
        """Parameters from their stored or typed form; raises Refused."""
        try:
            return self.parameters.model_validate(values)
        except ValidationError as error:
            told = []
            for problem in error.errors():
                name = "--" + str(problem["loc"][0]).replace("_", "-") + ": " if problem["loc"] else ""
                told.append(name + problem["msg"].removeprefix("Value error, "))
            raise Refused(_("{job}: {why}").format(job=self.name, why="; ".join(told)), status=2) from None
