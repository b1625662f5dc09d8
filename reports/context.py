"""What every part of a digest is written from: the week, its verdicts, and where its links lead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from reports.links import page_url
from settings import Settings

WEEK = timedelta(weeks=1)
Row = dict[Any, Any]


@dataclass(frozen=True)
class Trouble:
    """A job that failed or is overdue: what it is called, what happened, its name, and which days lack its work."""

    title: str
    told: str
    job: str
    lacks: str = ""


@dataclass(frozen=True)
class Context:
    """`verdicts` are those of the week, most surprising first; `left_out` the weeks before that were never sent."""

    connection: Connection
    settings: Settings
    week: date
    now: datetime
    verdicts: pd.DataFrame
    troubles: Sequence[Trouble] = ()
    left_out: int = 0
    pictures: bool = True

    @property
    def before(self) -> date:
        return self.week - WEEK

    @property
    def days(self) -> dict[str, date]:
        """First and last day, as queries take them."""
        return {"since": self.week, "until": self.week + timedelta(days=6)}

    @property
    def days_before(self) -> dict[str, date]:
        return {"since": self.before, "until": self.week - timedelta(days=1)}

    def url(self, page: str, **query: str) -> str:
        """A page that shows this week; '' without an address."""
        return page_url(self.settings.public_url, page, self.week, **query)

    def of_word(self, word: str) -> pd.DataFrame:
        """The verdicts of one word."""
        return self.verdicts[self.verdicts["word"] == word]


Section = Callable[[Context], list[Any]]
