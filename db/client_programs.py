"""PostgreSQL's client programs: pg_dump and pg_restore, with the password where nobody else can read it."""

import os
import shutil
import subprocess
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryFile

from sqlalchemy import URL

from db.engine import without_password
from db.errors import Refused
from language import _

_BLOCK = 1 << 20


def run(program: str, *arguments: str, database: URL | None = None) -> str:
    """What a client program writes to standard output; raises Refused where it is not there, or fails."""
    address, environment = _address(database) if database is not None else ([], None)
    done = subprocess.run(  # noqa: S603 - a program found on PATH with arguments of ours
        [_found(program), *address, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise _failed(program, done.stderr or str(done.returncode))
    return str(done.stdout)


def put_back(dump: Path, database: URL, gone: Collection[str]) -> None:
    """Replaces these tables by those of a dump, in one transaction; raises Refused, with nothing changed.

    pg_restore alone removes what the dump holds, and stumbles over younger tables that lean on it. The last word
    is said only after the dump was read to its end, so that a program that is killed leaves nothing half-done.
    """
    address, environment = _address(database)
    reader = [_found("pg_restore"), "--clean", "--if-exists", "--no-owner", "--file=-", str(dump)]
    writer = [_found("psql"), *address, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    with TemporaryFile("w+") as said, TemporaryFile("w+") as read:
        psql = subprocess.Popen(writer, env=environment, stdin=PIPE, stdout=DEVNULL, stderr=said)  # noqa: S603
        restore = subprocess.Popen(reader, stdout=PIPE, stderr=read)  # noqa: S603
        assert psql.stdin and restore.stdout
        with suppress(BrokenPipeError), psql.stdin as script, restore.stdout as rows:
            script.write(b"BEGIN;\n" + _dropping(gone))
            shutil.copyfileobj(rows, script, _BLOCK)
            if restore.wait() == 0:
                script.write(b"COMMIT;\n")
        for program, process, words in (("psql", psql, said), ("pg_restore", restore, read)):
            if process.wait():
                words.seek(0)
                raise _failed(program, words.read() or str(process.returncode))


def _dropping(tables: Collection[str]) -> bytes:
    named = ", ".join(f'"{name}"' for name in sorted(tables))
    return f"DROP TABLE {named};\n".encode() if tables else b""


def _found(program: str) -> str:
    if found := shutil.which(program):
        return found
    told = _("{program} is not installed, so there is no backup. Install PostgreSQL's client programs.")
    raise Refused(told.format(program=program))


def _failed(program: str, words: str) -> Refused:
    return Refused(_("{program} failed: {why}").format(program=program, why=words.strip().splitlines()[0]))


def _address(url: URL) -> tuple[list[str], dict[str, str]]:
    """The argument that names a database, and the environment with its password.

    Everybody on this machine may read a command line, but not an environment.
    """
    # `set` takes None for “leave it”, so the password is taken out by `_replace`.
    shown = without_password(url.set(drivername="postgresql"))._replace(password=None)
    password = _password(url)
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    return [f"--dbname={shown.render_as_string(hide_password=False)}"], environment


def _password(url: URL) -> str:
    """The password of an address, which may also stand in its query."""
    inside = url.query.get("password", "")
    return str(url.password or (inside if isinstance(inside, str) else inside[-1]))
