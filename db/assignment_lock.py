"""One at a time changes what agents run on: a swap, its rollback and a file that people write."""

from sqlalchemy import Connection


def lock_assignments(connection: Connection) -> None:
    """Waits for others; the first statement of a transaction that reads what agents run on and writes it. Readers go
    on, and SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE agent_assignments IN SHARE ROW EXCLUSIVE MODE")
