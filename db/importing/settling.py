"""The staged rows of an import among themselves: missing keys made, one row left of each key."""

from typing import Any

from sqlalchemy import Connection, String, Subquery, Table, and_, delete, func, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from db.importing.columns import Spec
from db.importing.report import Report
from language import _, ngettext

_TOLD = 20  # how many repeated keys a report names


def settle(connection: Connection, staged: Table, spec: Spec, report: Report) -> int:
    """Makes missing keys, keeps the last of rows with one key; returns how many rows are left."""
    _make_keys(connection, staged, spec, report)
    repeated = not _indexed_as_unique(connection, spec)
    if repeated and connection.dialect.name == "sqlite":  # PostgreSQL joins by hashes
        connection.exec_driver_sql(
            f"CREATE INDEX staged_rows_key ON staged_rows ({', '.join(spec.key)}, line)"
        )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE staged_rows")  # nobody else does that for temporary tables
    if repeated:
        _drop_repeated(connection, staged, spec, report)
    _note_uncounted(connection, staged, spec, report)
    return connection.scalar(select(func.count()).select_from(staged)) or 0


def _indexed_as_unique(connection: Connection, spec: Spec) -> bool:
    """Whether no key repeats: the index that is wanted anyway finds it out, in half the time of a GROUP BY."""
    key = spec.key
    if connection.dialect.name == "postgresql":  # whose index entries have at most 2,704 bytes
        key = tuple(f"md5({name})" if name == spec.reference else name for name in key)
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(
                f"CREATE UNIQUE INDEX staged_rows_key ON staged_rows ({', '.join(key)})"
            )
    except IntegrityError:
        return False
    return True


def _make_keys(connection: Connection, staged: Table, spec: Spec, report: Report) -> None:
    """A key from the row's content, and from its number among equal rows of the file."""
    if spec.derived is None:
        return
    keyless = staged.c.content.is_not(None)
    if not connection.scalar(select(func.count()).where(keyless)):
        return
    number = func.row_number().over(partition_by=staged.c.content, order_by=staged.c.line).label("number")
    numbered = select(staged.c.line, number).where(keyless).subquery()
    key = literal("row:") + staged.c.content + "-" + func.cast(numbered.c.number, String)
    connection.execute(update(staged).values({spec.derived: key}).where(staged.c.line == numbered.c.line))
    told = _(
        "{name} was missing in some rows and made from their content: a later file can add such rows, "
        "not correct them"
    )
    report.note(told.format(name=spec.derived))


def _drop_repeated(connection: Connection, staged: Table, spec: Spec, report: Report) -> None:
    keys = [staged.c[name] for name in spec.key]
    several = func.count() > 1
    last = select(*keys, func.max(staged.c.line).label("last")).group_by(*keys).having(several).subquery()
    _note_differing(connection, staged, spec, last, report)
    stale = select(staged.c.line).join(last, and_(_same_key(staged, last, spec), staged.c.line < last.c.last))
    report.repeated += connection.execute(delete(staged).where(staged.c.line.in_(stale))).rowcount


def _same_key(one: Any, other: Any, spec: Spec) -> Any:
    return and_(*(one.c[name] == other.c[name] for name in spec.key))


def _note_differing(
    connection: Connection, staged: Table, spec: Spec, last: Subquery, report: Report
) -> None:
    """Names the first rows that a later one with the same key replaces by something else."""
    earlier, later = staged.alias("earlier"), staged.alias("later")
    content = [column.name for column in staged.columns if column.name not in ("line", "content", "came_as")]
    differing = or_(*(earlier.c[name].is_distinct_from(later.c[name]) for name in content))
    replaced = (
        select(earlier.c.line, later.c.line, *(later.c[name] for name in spec.key))
        .select_from(last)
        .join(later, later.c.line == last.c.last)
        .join(earlier, _same_key(earlier, last, spec))
        .where(earlier.c.line < last.c.last, differing)
        .order_by(earlier.c.line)
        .limit(_TOLD)
    )
    for first, second, *key in connection.execute(replaced):
        told = _("lines {first} and {second} have the same key ({key}) and differ: line {second} counts")
        report.note(told.format(first=first, second=second, key=", ".join(map(str, key))))


def _note_uncounted(connection: Connection, staged: Table, spec: Spec, report: Report) -> None:
    """Says how many values will be in no figure because the timestamp that goes with them is missing."""
    for value, at in spec.counts_with:
        lonely = staged.c[value].is_not(None) & staged.c[at].is_(None)
        n = connection.scalar(select(func.count()).where(lonely)) or 0
        if n:
            told = _(
                "{rows} a {value} but no {at}; without one it counts in no score, unless the database knows it; "
                "{advice}"
            )
            rows = ngettext("{n} row has", "{n} rows have", n)
            advice = report.advice.taken_from(at, spec.day_of or at)
            report.note(told.format(rows=rows, value=value, at=at, advice=advice))
