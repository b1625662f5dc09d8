"""The schema: which version it has, bringing it to another, and whether it is what the code expects."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import CheckConstraint, Connection, Engine, inspect, text

from db import triggers
from db.calendar import fill_business_days
from db.engine import DATA_VERSION, reading
from db.errors import Refused
from db.facts import TIMEZONE, fact, state_fact
from db.orphans import orphans
from db.tables import metadata
from language import _

MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 7_428_312  # any number, the same in every process


@dataclass(frozen=True)
class Moved:
    """A change of the schema's version; equal ones mean that there was nothing to do."""

    before: str | None
    after: str | None
    backup: Path | None = None


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The version that the code expects."""
    return _head(MIGRATIONS)


@cache
def _head(migrations: Path) -> str:
    head = ScriptDirectory(str(migrations)).get_current_head()
    assert head is not None
    return head


@cache
def known() -> frozenset[str]:
    """Every version that a database of Tidemark may have."""
    return frozenset(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def version(connection: Connection) -> str | None:
    """The version of the database, None where there is none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, zone: ZoneInfo, back_up: Callable[[], Path] | None) -> Moved:
    """Brings the schema to the newest version in one transaction; nothing stays of an upgrade that fails.

    `back_up` is called first where there is anything to lose (None: no backup is wanted). Raises Refused.
    """
    with reading(engine) as connection:
        before = version(connection)
    if before == newest():
        return Moved(before, before)
    backup = back_up() if back_up and before else None
    return Moved(before, _move(engine, "head", zone), backup)


def rollback(engine: Engine, zone: ZoneInfo, to: str | None, back_up: Callable[[], Path] | None) -> Moved:
    """Takes the schema one version back, or to the one named; raises Refused."""
    with reading(engine) as connection:
        before = version(connection)
    if before is None:
        raise Refused(_("There is nothing to roll back: the database has no schema yet."), status=2)
    if to is None and ScriptDirectory.from_config(_config()).get_revision(before).down_revision is None:
        raise Refused(
            _(
                "{before} is the first version; before it there are no tables. "
                "To delete them with all that they hold: python -m db rollback base"
            ).format(before=before),
            status=2,
        )
    _refuse_no_way(before, to or "-1")
    backup = back_up() if back_up else None
    return Moved(before, _move(engine, to or "-1", zone), backup)


def _refuse_no_way(before: str, to: str) -> None:
    """Raises Refused where no version of that name lies below, before a backup is made for nothing."""
    try:
        list(ScriptDirectory(str(MIGRATIONS)).iterate_revisions(before, to))
    except (CommandError, RevisionError) as error:
        raise Refused(_("The schema cannot go there: {why}").format(why=error), status=2) from None


def _move(engine: Engine, target: str, zone: ZoneInfo) -> str | None:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Off while tables are rebuilt (it can only be set outside a transaction); checked before the commit.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        try:
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
                return _move_in(connection, target, zone)
        finally:
            if engine.dialect.name == "sqlite":
                connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]


def _move_in(connection: Connection, target: str, zone: ZoneInfo) -> str | None:
    try:
        if target == "head":
            command.upgrade(_config(connection), target)
        else:
            command.downgrade(_config(connection), target)
    except CommandError as error:
        raise Refused(_("The schema cannot go there: {why}").format(why=error), status=2) from None
    after = version(connection)
    if after == newest():
        _found(connection, zone)
        if wrong := problems(connection):
            raise Refused(
                _(
                    "The migration was undone, because its result was not what the code expects:\n{list}"
                ).format(list="\n".join(wrong))
            )
    return after


def _found(connection: Connection, zone: ZoneInfo) -> None:
    """The rows without which nothing works: the calendar and the data version."""
    if fact(connection, TIMEZONE) is None:
        fill_business_days(connection, zone)
    if fact(connection, DATA_VERSION) is None:
        state_fact(connection, DATA_VERSION, "1")


def problems(connection: Connection) -> list[str]:
    """How the database differs from the code's metadata, in lines for people; empty when it does not."""
    found = [
        _("schema: {difference}").format(difference=_told(difference))
        for difference in compare_metadata(MigrationContext.configure(connection), metadata)
    ]
    found += [
        _("trigger {name} is missing or changed").format(name=name) for name in triggers.missing(connection)
    ]
    found += _missing_checks(connection)
    found += orphans(connection)
    return found


def _told(difference: object) -> str:
    if isinstance(difference, tuple):
        return " ".join(str(getattr(part, "name", part)) for part in difference if part is not None)
    return str(difference)


def _missing_checks(connection: Connection) -> list[str]:
    inspector, missing = inspect(connection), []
    for table in metadata.sorted_tables:
        if not inspector.has_table(table.name):
            continue
        there = {check["name"] for check in inspector.get_check_constraints(table.name)}
        for rule in table.constraints:
            wanted = isinstance(rule, CheckConstraint) and (
                rule._ddl_if is None or rule._ddl_if.dialect == connection.dialect.name
            )
            if wanted and str(rule.name) not in there:
                missing.append(_("rule {name} is missing").format(name=rule.name))
    return missing


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
