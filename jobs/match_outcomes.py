"""price_bars, predictions → prediction_outcomes (docs/metrics.md): what became of each prediction."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, Engine

from db.engine import bookkeeping, raise_data_version, scratch
from db.tables.forecasts import KEY
from jobs.changes import Changes
from jobs.job import Job, Outcome, Parameters, Run
from jobs.matching import (
    MARKS,
    MATCHED,
    MATCHED_ROWS,
    SOURCES,
    TAKE_OUT,
    TAKEN,
    WRITE,
    Span,
    concerned,
    counted,
    held,
    load,
    take_into_work,
)
from jobs.matching import outcomes as table
from jobs.stale import take_marks_off_by_id
from language import N_, _, ngettext


class MatchOutcomesParameters(Parameters):
    everything: bool = Field(
        False, description=N_("look at every prediction again, not only at what came or changed")
    )


def match_outcomes(engine: Engine, params: MatchOutcomesParameters, run: Run) -> Outcome:
    """Finds the outcomes of predictions whose prices came, changed or went; one transaction for some thousand."""
    if not params.dry_run:
        _take_into_work(engine)
    names = SOURCES + TAKEN if params.dry_run else TAKEN
    with scratch(engine) as connection:
        found, marks = concerned(connection, params.everything, names)
        sizes = counted(connection, found) if found else []
    changes = Changes() if params.dry_run else None
    done, written = 0, 0
    for some, n in _chunks(found, sizes):
        run.progress(done / max(1, sum(sizes)), some[0].code)
        if changes:
            with scratch(engine) as connection:
                load(connection, some)
                changes.compare(table, KEY, _kept(held(connection)), _fresh(connection, run))
        else:
            with bookkeeping(engine) as connection:
                written += _match(connection, some, run)
        done += n
    if changes is None:
        _take_off(engine, marks)
    return _outcome(sum(sizes), written, changes)


def _take_into_work(engine: Engine) -> None:
    more = True
    while more:
        with bookkeeping(engine) as connection:
            more = take_into_work(connection)


def _take_off(engine: Engine, marks: list[int]) -> None:
    for start in range(0, len(marks), MARKS):
        with bookkeeping(engine) as connection:
            take_marks_off_by_id(connection, marks[start : start + MARKS])


def _chunks(found: list[Span], sizes: list[int]) -> Iterator[tuple[list[Span], int]]:
    """Spans with so many predictions together, and how many."""
    some: list[Span] = []
    n = 0
    for span, size in zip(found, sizes, strict=True):
        if some and n + size > MATCHED:
            yield some, n
            some, n = [], 0
        some.append(span)
        n += size
    if some:
        yield some, n


def _match(connection: Connection, some: list[Span], run: Run) -> int:
    """Brings the outcomes of some spans up to date; returns how many rows changed."""
    load(connection, some)
    written = WRITE.run(connection, {"now": run.now})
    written += connection.execute(TAKE_OUT).rowcount
    if written:
        raise_data_version(connection)
    return written


# What a rehearsal does not compare: settled with the first match, or by the database.
_LEFT = dict.fromkeys(("id", "abs_error", "direction_hit", "resolved_at", "day", "updated_at"))


def _kept(rows: Iterator[Any]) -> Iterator[dict[str, Any]]:
    return (dict(row) | _LEFT for row in rows)


def _fresh(connection: Connection, run: Run) -> Iterator[dict[str, Any]]:
    found = connection.execute(MATCHED_ROWS, {"now": run.now})
    return (dict(row) | _LEFT for row in found.mappings())


def _outcome(read: int, written: int, changes: Changes | None) -> Outcome:
    told = ngettext("{n} prediction", "{n} predictions", read)
    if changes is not None:
        summary = _("Dry run. {told}").format(told=f"{told}: {changes.summary()}")
        return Outcome(summary, read, result=changes.as_json())
    changed = ngettext("{n} outcome changed", "{n} outcomes changed", written)
    return Outcome(_("{covered}: {told}").format(covered=told, told=changed), read, written)


JOB = Job("match_outcomes", N_("Match outcomes"), match_outcomes, MatchOutcomesParameters)
