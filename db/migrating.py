"""Migrations: the way from one version of the schema to another, and whether it has led where the code is."""

from zoneinfo import ZoneInfo

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import CheckConstraint, Connection, Engine, inspect, text

from db import schema, triggers
from db.calendar import fill_business_days
from db.engine import DATA_VERSION
from db.errors import Refused
from db.facts import TIMEZONE, fact, state_fact
from db.orphans import orphans
from db.tables import metadata
from language import _

_UPGRADE_LOCK = 7_428_312  # any number, the same in every process


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def refuse_no_way(before: str, to: str) -> None:
    """Raises Refused where no version of that name lies below, before a backup is made for nothing."""
    try:
        list(ScriptDirectory(str(schema.MIGRATIONS)).iterate_revisions(before, to))
    except (CommandError, RevisionError) as error:
        raise Refused(_("The schema cannot go there: {why}").format(why=error), status=2) from None


def move(engine: Engine, target: str, zone: ZoneInfo) -> str | None:
    """In one transaction; the version that it led to. Raises Refused."""
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
    after = schema.version(connection)
    if after == schema.newest():
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
