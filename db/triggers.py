"""Triggers: the business day of rows that come by plain SQL, and the marks of what became stale.

On PostgreSQL the marks are written once a statement from its transition tables, so that a bulk load leaves a
handful of them; SQLite has row triggers only, and there a mark that already stands is not written again (safe
because SQLite has one writer at a time, so no job can have read the mark without seeing the row).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Watched:
    """A source table whose rows a job works on by the day in column `marked` and by `key`.

    `at` is the moment whose business day the triggers fill in as `day`; None where the table has no such column.
    """

    table: str
    at: str | None
    key: str
    marked: str = "day"


WATCHED = (
    Watched("model_evaluations", at="predicted_at", key="model_id"),
    Watched("conversation_evaluation", at="created_at", key="model"),
    Watched("feedback_log", at="created_at", key="model"),
    Watched("price_bars", at=None, key="code", marked="date"),
    Watched("predictions", at="predicted_at", key="code", marked="target_date"),
    Watched("prediction_outcomes", at="resolved_at", key="model"),
    Watched("trade_records", at="timestamp", key="market"),
    Watched("llm_usage_log", at="timestamp", key="agent_name"),
    Watched("model_evolution_history", at="timestamp", key="agent_name"),
)


def _sqlite(watched: Watched) -> dict[str, str]:
    table, at, key, marked = watched.table, watched.at, watched.key, watched.marked

    def marks(row: str) -> str:
        return (
            f"INSERT INTO stale_marks (table_name, day, key) SELECT '{table}', {row}.{marked}, {row}.{key} "
            f"WHERE {row}.{marked} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM stale_marks "
            f"WHERE table_name = '{table}' AND day = {row}.{marked} AND key = CAST({row}.{key} AS TEXT));"
        )

    day = (
        f"UPDATE {table} SET day = (SELECT day FROM business_days WHERE starts_at <= NEW.{at} "
        f"AND ends_at > NEW.{at} ORDER BY starts_at DESC LIMIT 1) WHERE id = NEW.id;"
    )
    on = f"ON {table} FOR EACH ROW"
    marking = {
        f"{table}_marks_insert": f"AFTER INSERT {on} BEGIN {marks('NEW')} END",
        f"{table}_marks_update": f"AFTER UPDATE {on} BEGIN {marks('OLD')} {marks('NEW')} END",
        f"{table}_marks_delete": f"AFTER DELETE {on} BEGIN {marks('OLD')} END",
    }
    if at is None:
        return marking
    return marking | {
        f"{table}_day_insert": f"AFTER INSERT {on} WHEN NEW.day IS NULL BEGIN {day} END",
        f"{table}_day_update": (
            f"AFTER UPDATE OF {at} {on} WHEN NEW.{at} <> OLD.{at} AND NEW.day IS OLD.day BEGIN {day} END"
        ),
    }


def _postgresql_functions(watched: Watched) -> dict[str, str]:
    table, at, key, marked = watched.table, watched.at, watched.key, watched.marked

    def marks(*sources: str) -> str:
        union = " UNION ".join(f"SELECT {marked} AS day, {key} FROM {source}" for source in sources)
        return (
            "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO stale_marks (table_name, day, key) "
            f"SELECT '{table}', day, {key}::text FROM ({union}) AS changed WHERE day IS NOT NULL; "
            "RETURN NULL; END $$"
        )

    marking = {
        f"{table}_marks_insert": marks("fresh"),
        f"{table}_marks_update": marks("stale", "fresh"),
        f"{table}_marks_delete": marks("stale"),
        f"{table}_marks_truncate": (
            "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO stale_marks (table_name, day, key) "
            f"SELECT DISTINCT '{table}', {marked}, {key}::text FROM {table} WHERE {marked} IS NOT NULL; "
            "RETURN NULL; END $$"
        ),
    }
    if at is None:
        return marking
    return marking | {
        f"{table}_day": (
            "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT day INTO NEW.day FROM business_days "
            f"WHERE starts_at <= NEW.{at} AND ends_at > NEW.{at} ORDER BY starts_at DESC LIMIT 1; "
            "RETURN NEW; END $$"
        ),
    }


def _postgresql(watched: Watched) -> dict[str, str]:
    table, at = watched.table, watched.at
    fresh, stale = "NEW TABLE AS fresh", "OLD TABLE AS stale"

    def each_statement(event: str, *tables: str) -> str:
        return (
            f"AFTER {event.upper()} ON {table} REFERENCING {' '.join(tables)} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_marks_{event}()"
        )

    row = f"FOR EACH ROW WHEN ({{when}}) EXECUTE FUNCTION {table}_day()"
    marking = {
        f"{table}_marks_insert": each_statement("insert", fresh),
        f"{table}_marks_update": each_statement("update", stale, fresh),
        f"{table}_marks_delete": each_statement("delete", stale),
        f"{table}_marks_truncate": (
            f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_marks_truncate()"
        ),
    }
    if at is None:
        return marking
    return marking | {
        f"{table}_day_insert": f"BEFORE INSERT ON {table} " + row.format(when="NEW.day IS NULL"),
        f"{table}_day_update": f"BEFORE UPDATE OF {at} ON {table} "
        + row.format(when=f"NEW.{at} <> OLD.{at} AND NEW.day IS NOT DISTINCT FROM OLD.day"),
    }


def install(connection: Connection, watched: Watched) -> None:
    """Creates the table's triggers, replacing those that are there."""
    if connection.dialect.name == "postgresql":
        for name, body in _postgresql_functions(watched).items():
            connection.exec_driver_sql(f"CREATE OR REPLACE FUNCTION {name}() {body}")
        for name, body in _postgresql(watched).items():
            connection.exec_driver_sql(f"CREATE OR REPLACE TRIGGER {name} {body}")
        return
    for name, body in _sqlite(watched).items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {body}")


def uninstall(connection: Connection, watched: Watched) -> None:
    """Removes the table's trigger functions after the table itself, and with it its triggers, is gone."""
    if connection.dialect.name == "postgresql":
        for name in _postgresql_functions(watched):
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}()")


def missing(connection: Connection) -> list[str]:
    """Names of triggers that are not there, or on SQLite differ from the code."""
    absent = []
    for watched in WATCHED:
        if connection.dialect.name == "postgresql":
            rows = connection.execute(
                text(
                    "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND tgenabled <> 'D'"
                ),
                {"table": watched.table},
            )
            there = {name: None for (name,) in rows}
            absent += [name for name in _postgresql(watched) if name not in there]
        else:
            rows = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"),
                {"table": watched.table},
            )
            installed: dict[str, str] = {row.name: row.sql for row in rows}
            absent += [
                name
                for name, body in _sqlite(watched).items()
                if installed.get(name) != f"CREATE TRIGGER {name} {body}"
            ]
    return absent
