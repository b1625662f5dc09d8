"""python -m soak: minutes of faults and crowds on both engines; exit status 1 where something did not hold."""

import argparse
import logging
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from soak.clocks import clocks
from soak.copies import backups_under_load
from soak.crowd import crowd
from soak.databases import PATH, Server, server, sqlite_database
from soak.evidence import Finding, line
from soak.half_way import half_way
from soak.kills import KINDS, kill
from soak.processes import NOT_SET
from soak.sends import sends
from soak.server_gone import server_gone

PARTS = ("kills", "sends", "server", "clocks", "migration", "backup", "crowd")


def main() -> int:
    """Runs the parts asked for; 0 where everything held."""
    call = _parser().parse_args()
    logging.disable(logging.WARNING)
    print(f"seed {call.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tidemark-soak-") as name:
        folder = Path(name)
        # The jobs that run in this process write and send nothing outside of it, whatever `.env` says.
        own = {"PATH": PATH, "REPORTS_DIR": str(folder / "reports")}
        os.environ.update({setting.upper(): "" for setting in NOT_SET} | own)
        with server(folder / "postgresql") as postgresql:
            findings = []
            for finding in _findings(call, folder, postgresql):
                print(line(finding), flush=True)
                findings.append(finding)
    failed = sum(not finding.passed for finding in findings)
    print(f"{len(findings) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of the crowd, on each engine")
    parser.add_argument("--kills", type=int, default=50, help="of each kind, on each engine")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the random moments")  # noqa: S311
    return parser


def _findings(call: argparse.Namespace, folder: Path, postgresql: Server) -> Iterator[Finding]:
    databases = (partial(sqlite_database, folder), postgresql.database)
    if "kills" in call.only:
        for make in KINDS:
            for database in databases:
                yield kill(make, database(), _room(folder), call.kills, call.seed)

    if "server" in call.only:
        yield server_gone(postgresql, _room(folder), max(1, call.kills // 5), call.seed)
    for database in databases:
        if "sends" in call.only:
            yield sends(database(), call.kills, call.seed)
        if "clocks" in call.only:
            yield clocks(database(), call.seed)
        if "migration" in call.only:
            yield half_way(database(), _room(folder))
        if "backup" in call.only:
            yield backups_under_load(database(), database(), _room(folder))
        if "crowd" in call.only:
            yield crowd(database(), _room(folder), call.minutes)


def _room(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


if __name__ == "__main__":
    sys.exit(main())
