"""A password of the database stands on no page, in no message and on no command line, wherever it was written."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from db import backup, client_programs
from db.engine import engine_for, refuse_unreachable
from db.errors import Refused

SECRET = "hunter2-hunter2"
ADDRESSES = [
    f"postgresql://ada:{SECRET}@127.0.0.1:1/tidemark",
    f"postgresql://127.0.0.1:1/tidemark?user=ada&password={SECRET}",
    f"postgresql://ada:{SECRET}@127.0.0.1:1/tidemark?sslpassword={SECRET}",
]
addresses = pytest.mark.parametrize("address", ADDRESSES)


@addresses
def test_where_the_database_cannot_be_reached(address: str) -> None:
    with pytest.raises(Refused, match=r"127\.0\.0\.1:1/tidemark") as refused:
        refuse_unreachable(engine_for(address))
    assert SECRET not in str(refused.value)


@addresses
def test_on_the_command_line_of_a_backup(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], env: dict[str, str], **_more: Any) -> subprocess.CompletedProcess[str]:
        calls.append((command, env))
        return subprocess.CompletedProcess(command, 1, "", "no")

    monkeypatch.setattr(client_programs.subprocess, "run", run)
    monkeypatch.setattr(client_programs.shutil, "which", lambda name: name)
    with pytest.raises(Refused, match="pg_dump failed: no"):
        backup.back_up(engine_for(address), tmp_path / "copy")
    [(command, environment)] = calls
    assert SECRET not in " ".join(command)
    assert environment["PGPASSWORD"] == SECRET
