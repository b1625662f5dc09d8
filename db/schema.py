"""The schema: which version it has, bringing it to another, and whether it is the one that the code expects."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, inspect, text

from db.engine import reading
from db.errors import Refused
from db.facts import TIMEZONE, fact
from language import _

MIGRATIONS = Path(__file__).parent / "migrations"
_REVISION = re.compile(r'^revision = "(\w+)"\ndown_revision = (?:None|"(\w+)")$', re.MULTILINE)


@dataclass(frozen=True)
class Moved:
    """A change of the schema's version; equal ones mean that there was nothing to do."""

    before: str | None
    after: str | None
    backup: Path | None = None


def newest() -> str:
    """The version that the code expects."""
    return _newest(MIGRATIONS)


@cache
def _newest(migrations: Path) -> str:
    (last,) = set(_revisions(migrations)) - set(_revisions(migrations).values())
    return last


def known() -> frozenset[str]:
    """Every version that a database of Tidemark may have."""
    return frozenset(_revisions(MIGRATIONS))


@cache
def _revisions(migrations: Path) -> dict[str, str]:
    """Each version, and the one before it. Read as text: Alembic takes longer to load than most commands work."""
    texts = [path.read_text(encoding="utf-8") for path in (migrations / "versions").glob("*.py")]
    return dict(pair for text in texts for pair in _REVISION.findall(text))


def version(connection: Connection) -> str | None:
    """The version of the database, None where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(engine: Engine, zone: ZoneInfo, back_up: Callable[[], Path] | None) -> Moved:
    """Brings the schema to the newest version in one transaction; nothing stays of an upgrade that fails.

    `back_up` is called first where there is anything to lose (None: no backup is wanted). Raises Refused.
    """
    with reading(engine) as connection:
        before = version(connection)
    if before == newest():
        return Moved(before, before)
    from db.migrating import move  # and with it Alembic

    backup = back_up() if back_up and before else None
    return Moved(before, move(engine, "head", zone), backup)


def rollback(engine: Engine, zone: ZoneInfo, to: str | None, back_up: Callable[[], Path] | None) -> Moved:
    """Takes the schema one version back, or to the one named; raises Refused."""
    with reading(engine) as connection:
        before = version(connection)
    if before is None:
        raise Refused(_("There is nothing to roll back: the database has no schema yet."), status=2)
    if to is None and _revisions(MIGRATIONS).get(before) == "":
        raise Refused(
            _(
                "{before} is the first version; before it there are no tables. "
                "To delete them with all that they hold: python -m db rollback base"
            ).format(before=before),
            status=2,
        )
    from db.migrating import move, refuse_no_way  # and with them Alembic

    refuse_no_way(before, to or "-1")
    backup = back_up() if back_up else None
    return Moved(before, move(engine, to or "-1", zone), backup)


def refuse_other_version(engine: Engine) -> None:
    """Raises Refused where the schema is not the code's."""
    with reading(engine) as connection:
        there = version(connection)
    if there is None:
        raise Refused(_("The database is empty. Prepare it with: python -m db upgrade"))
    if there != newest():
        raise Refused(
            _(
                "The database has schema {there}, this Tidemark expects {newest}. "
                "Bring it up to date with: python -m db upgrade"
            ).format(there=there, newest=newest())
        )


def refuse_unready(engine: Engine, zone: ZoneInfo) -> None:
    """Raises Refused where the schema is not the code's, or `TIMEZONE` is not the database's."""
    refuse_other_version(engine)
    with reading(engine) as connection:
        if told := other_zone(connection, zone):
            raise Refused(told)


def other_zone(connection: Connection, zone: ZoneInfo) -> str | None:
    """What to do where `TIMEZONE` is not the database's; None where it is."""
    held = fact(connection, TIMEZONE)
    if held == zone.key:
        return None
    return _(
        "TIMEZONE is {zone}, but the database was filled with the days of {held}. Set TIMEZONE={held}, or "
        "change the database with: python -m db timezone {zone}"
    ).format(zone=zone.key, held=held)
