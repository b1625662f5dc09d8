"""A run of backtest_rules: each set of members by itself, chunk by chunk; then all of it in one transaction."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
from pandas import DataFrame
from sqlalchemy import Engine, Table, delete, insert

from db.engine import reading, writing
from db.tables.forecasts import WeightBacktest
from jobs.formulas.backtest import Backtest, backtest, together
from jobs.formulas.diebold_mariano import against
from jobs.job import Outcome, Run
from jobs.member_outcomes import chunks, outcomes
from jobs.same_demo import demo_of, pass_if_changed
from language import _, ngettext
from settings import Settings

table: Table = WeightBacktest.__table__  # type: ignore[assignment]


def walk(engine: Engine, settings: Settings, since: date, dry_run: bool, run: Run) -> Outcome:
    """Walks through all that became known since a day; with dry_run writes nothing.

    Rules that pool over codes pool over those of a chunk: over all of a horizon up to 500,000 outcomes.
    """
    run.progress(0, _("counting outcomes since {day}").format(day=since))
    with reading(engine) as connection:
        demo = demo_of(connection)
    found, read = _found(engine, settings, since, run)
    weeks = [row for prefix, one in found.items() for row in _weeks(prefix, one.weeks)]
    compared = [row for prefix, one in found.items() for row in _compared(prefix, one.days, settings)]
    told = _told(len({row["week_start"] for row in weeks}), read)
    result = {
        "since": str(since),
        "present": settings.weight_rule,
        "members": {prefix: list(settings.ensemble_members.sets[prefix]) for prefix in found},
        "comparison": compared,
    }
    if dry_run:
        return Outcome(_("Dry run. {told}").format(told=told), read, 0, result)
    if run.id is None:
        raise ValueError("a backtest is kept with its run")
    run.progress(0.95, _("writing {n} weeks of rules").format(n=f"{len(weeks):,}"))
    with writing(engine) as connection:
        pass_if_changed(connection, demo)
        connection.execute(delete(table))
        if weeks:
            connection.execute(insert(table), [row | {"run_id": run.id} for row in weeks])
    return Outcome(told, read, len(weeks), result)


def _found(engine: Engine, settings: Settings, since: date, run: Run) -> tuple[dict[str, Backtest], int]:
    """The backtest of each set of members that has one, by prefix; and how many outcomes were read."""
    members = settings.ensemble_members
    with reading(engine) as connection:
        asked = chunks(connection, members, since)
    every, done = sum(chunk.rows for chunk in asked), 0
    days: dict[str, list[DataFrame]] = {}
    for chunk in asked:
        run.progress(0.9 * done / every, f"{chunk.codes[0]} – {chunk.codes[-1]}, {chunk.horizon}")
        names = members.sets[chunk.prefix]
        with reading(engine) as connection:
            frame = outcomes(connection, chunk, names, since)
        days.setdefault(chunk.prefix, []).append(backtest(frame, names).days)
        done += chunk.rows
    return {prefix: together(parts) for prefix, parts in days.items()}, every


def _weeks(prefix: str, weeks: DataFrame) -> Iterator[dict[str, Any]]:
    for row in _plain(weeks):
        yield row | {"prefix": prefix, "week_start": date.fromordinal(row["week_start"])}


def _compared(prefix: str, days: DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """Every rule against the one in use."""
    for row in _plain(against(days, settings.weight_rule)):
        yield {"prefix": prefix} | row


def _plain(frame: DataFrame) -> list[dict[str, Any]]:
    """Rows of Python's own types, None for NaN and infinity, which JSON does not know."""
    known = frame.astype(object).where(frame.notna() & ~frame.isin([np.inf, -np.inf]), None)
    return [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]


def _told(weeks: int, read: int) -> str:
    told = ngettext("{n} week", "{n} weeks", weeks)
    of = ngettext("{n} outcome", "{n} outcomes", read)
    return _("{weeks} from {outcomes}").format(weeks=told, outcomes=of)
