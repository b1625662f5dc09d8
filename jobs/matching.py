"""Which predictions a change of prices or predictions concerns, and what outcome each of them has (docs/metrics.md).

A prediction's outcome is the close of the first bar on or after its target date, at most seven days later. It is known
from the moment at which the bar came; a bar that came more than seven days late counts as known on its own day. What
was predicted when the bar was known already has no outcome.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.orm import aliased
from sqlalchemy.schema import CreateTable

from db.base import Day, Timestamp
from db.sql_days import a_second_before, days_after
from db.tables.forecasts import KEY, Prediction, PredictionOutcome, PriceBar
from db.tables.operations import IN_WORK, BusinessDay, StaleMark
from db.upsert import UpsertFrom

PATIENCE = 7  # days that a bar may lie after the target date, and may come late
LONGEST = 92  # days of a span: what one transaction works on stays small
MATCHED = 20_000  # predictions that a transaction works on, or so
MARKS = 50_000  # that a transaction takes into work or off

p, o, b = Prediction, PredictionOutcome, PriceBar
outcomes: Table = PredictionOutcome.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class Span:
    """Target dates of a code, from first to last, whose predictions are looked at again."""

    code: str
    first: date
    last: date


spans: Any = Table(
    "match_spans",
    MetaData(),
    Column("code", String, primary_key=True),
    Column("first", Day, primary_key=True),
    Column("last", Day),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)


def _inside(row: Any) -> Any:
    return and_(row.code == spans.c.code, row.target_date.between(spans.c.first, spans.c.last))


def _same(one: Any, other: Any) -> Any:
    return and_(*(getattr(one, name) == getattr(other, name) for name in KEY))


def _matched() -> Select[Any]:
    """The predictions of the spans that have a bar, as rows of outcomes."""
    any_bar = aliased(PriceBar)
    in_time = any_bar.date.between(p.target_date, days_after(p.target_date, literal(PATIENCE)))
    first = select(func.min(any_bar.date)).where(any_bar.code == p.code, in_time).correlate(p)
    own_day, last_day = aliased(BusinessDay), aliased(BusinessDay)
    late = b.imported_at >= last_day.ends_at
    known: Any = case((late, a_second_before(own_day.ends_at)), else_=b.imported_at)
    elsewhere = aliased(PredictionOutcome)  # outcomes that were imported are nobody's to change
    return (
        select(
            *(getattr(p, name) for name in KEY),
            p.predicted_value,
            p.base_value,
            b.close.label("actual_value"),
            known.label("resolved_at"),
            b.date.label("bar_date"),
            bindparam("now", type_=Timestamp).label("updated_at"),
            case((late, b.date), else_=null()).label("day"),  # the trigger knows the day of another moment
        )
        .select_from(spans)
        .join(p, _inside(p))
        .join(b, and_(b.code == p.code, b.date == first.scalar_subquery()))
        .join(own_day, own_day.day == b.date)
        .join(last_day, last_day.day == days_after(b.date, literal(PATIENCE)))
        .where(~exists().where(_same(elsewhere, p), elsewhere.bar_date.is_(None)))
        .where(p.predicted_at < known)  # whoever knew the price already forecast nothing
    )


MATCHED_ROWS = _matched()
WRITE = UpsertFrom(outcomes, KEY, MATCHED_ROWS, touch=("updated_at",), once=("resolved_at", "day"))


def _gone() -> Any:
    """Outcomes that were matched here and have no prediction or no bar any more."""
    concerned = exists().where(_inside(o))
    in_time = b.date.between(p.target_date, days_after(p.target_date, literal(PATIENCE)))
    still = exists().where(_same(p, o), b.code == p.code, in_time)
    return delete(o).where(o.bar_date.is_not(None), concerned, ~still)


TAKE_OUT = _gone()


def take_into_work(connection: Connection) -> bool:
    """Gives some marks the name of those in work; returns whether there may be more.

    On SQLite a trigger leaves no second mark beside an equal one: a price that is corrected after its code was matched
    would lose its mark together with the one that was read.
    """
    some = select(StaleMark.id).where(StaleMark.table_name.in_(SOURCES)).limit(MARKS)
    taken = update(StaleMark).where(StaleMark.id.in_(some)).values(table_name=StaleMark.table_name + IN_WORK)
    return connection.execute(taken).rowcount == MARKS


def concerned(
    connection: Connection, everything: bool, tables: Iterable[str]
) -> tuple[list[Span], list[int]]:
    """The spans that changed since they were matched, or all there are; and the ids of the marks that say so, of these
    names."""
    marks, days = list[int](), dict[str, set[date]]()
    rows = select(StaleMark.id, StaleMark.key, StaleMark.day, StaleMark.table_name)
    for mark, code, day, table in connection.execute(rows.where(StaleMark.table_name.in_(tables))):
        before = PATIENCE if table.removesuffix(IN_WORK) == PriceBar.__tablename__ else 0
        days.setdefault(code, set()).update(day - timedelta(days=k) for k in range(before + 1))
        marks.append(mark)
    if everything:
        ends = select(p.code, func.min(p.target_date), func.max(p.target_date)).group_by(p.code)
        return list(_cut(Span(*row) for row in connection.execute(ends))), marks
    return list(_cut(span for code in sorted(days) for span in _together(code, days[code]))), marks


SOURCES = (PriceBar.__tablename__, Prediction.__tablename__)
TAKEN = tuple(name + IN_WORK for name in SOURCES)


def _together(code: str, days: set[date]) -> Iterator[Span]:
    """Days of a code that follow each other, as spans."""
    first = last = None
    for day in sorted(days):
        if first is not None and last is not None and (day - last).days > 1:
            yield Span(code, first, last)
            first = None
        first, last = first or day, day
    if first is not None and last is not None:
        yield Span(code, first, last)


def _cut(found: Iterable[Span]) -> Iterator[Span]:
    for span in found:
        first = span.first
        while first <= span.last:
            last = min(span.last, first + timedelta(days=LONGEST - 1))
            yield Span(span.code, first, last)
            first = last + timedelta(days=1)


def load(connection: Connection, some: list[Span]) -> None:
    """Puts the spans into the temporary table that the statements read."""
    connection.execute(CreateTable(spans, if_not_exists=True))
    connection.execute(delete(spans))
    connection.execute(insert(spans), [vars(span) for span in some])
    if connection.dialect.name == "postgresql":  # nobody else tells its planner how few they are
        connection.exec_driver_sql(f"ANALYZE {spans.name}")


def counted(connection: Connection, found: list[Span]) -> list[int]:
    """How many predictions each span has."""
    load(connection, found)
    rows = select(spans.c.code, spans.c.first, func.count()).join(p, _inside(p))
    counts = {
        (code, first): n for code, first, n in connection.execute(rows.group_by(spans.c.code, spans.c.first))
    }
    return [counts.get((span.code, span.first), 0) for span in found]


def held(connection: Connection) -> Iterator[Any]:
    """The outcomes of the loaded spans that were matched here."""
    mine = select(outcomes).where(o.bar_date.is_not(None), exists().where(_inside(o)))
    yield from connection.execute(mine).mappings()
