"""install.py on its own, in a tree of its own: what it refuses, what it installs, and when it has nothing to do."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT

FILES = ("requirements.txt", "requirements-lock.txt")
OTHER_VERSION = (
    "import runpy, hashlib, shutil, subprocess, sys; sys.version_info = (3, {minor}, 2, 'final', 0); "
    "runpy.run_path({path!r}, run_name='__main__')"
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of install.py beside requirements that name nothing, so that nothing is fetched."""
    tree = tmp_path / "tree"
    tree.mkdir()
    shutil.copy(ROOT / "install.py", tree)
    for name in FILES:
        (tree / name).write_text("")
    return tree


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """A folder whose modules come before those of the standard library."""
    folder = tmp_path / "shim"
    folder.mkdir()
    return folder


def install(
    tree: Path, *before: str, shim: Path | None = None, kind: str = "run"
) -> subprocess.CompletedProcess[str]:
    """Runs install.py as make does; `before` are arguments for Python in the place of the file's name."""
    environment = os.environ | ({"PYTHONPATH": str(shim)} if shim else {})
    words = [sys.executable, *(before or [str(tree / "install.py")]), kind]
    return subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, timeout=120)


def assert_refused(done: subprocess.CompletedProcess[str], tree: Path, *told: str) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert all(words in done.stderr for words in told), done.stderr
    assert not (tree / ".venv").exists()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_python_without_venv_says_which_package_is_missing(tree: Path, shim: Path, module: str) -> None:
    (shim / f"{module}.py").write_text("raise ImportError('cut out')")
    package = "python{}.{}-venv".format(*sys.version_info)
    assert_refused(install(tree, shim=shim), tree, "comes without venv", f"apt install {package}")


@pytest.mark.parametrize("minor", [7, 9, 10])
def test_python_that_is_too_old_is_told_in_words(tree: Path, minor: int) -> None:
    entry = OTHER_VERSION.format(minor=minor, path=str(tree / "install.py"))
    done = install(tree, "-c", entry)
    assert_refused(done, tree, f"needs Python 3.11 or newer; this is 3.{minor}", "PYTHON=")


def test_python_that_is_too_old_can_read_the_file() -> None:
    """It must get as far as saying so: nothing newer than Python 3.5 stands in it."""
    found = ast.parse((ROOT / "install.py").read_text(encoding="utf-8"), feature_version=(3, 7))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef)
    assert not [node for node in ast.walk(found) if isinstance(node, newer)]
    for node in ast.walk(found):
        assert not isinstance(node, ast.arguments) or not node.posonlyargs
        assert not isinstance(node, ast.ImportFrom) or node.module != "__future__"


def test_environment_that_cannot_be_made_leaves_nothing_half_made(tree: Path, shim: Path) -> None:
    (shim / "venv").mkdir()
    (shim / "venv" / "__init__.py").write_text("")
    (shim / "venv" / "__main__.py").write_text(
        "import os, sys\nos.makedirs(os.path.join(sys.argv[1], 'bin'))\nsys.exit('No space left on device')"
    )
    assert_refused(install(tree, shim=shim), tree, "No environment could be made", "No space left on device")


def test_a_second_call_installs_nothing_and_a_changed_lock_file_installs_again(tree: Path) -> None:
    first = install(tree)
    assert (first.returncode, first.stderr) == (0, "")
    assert "Making an environment" in first.stdout and "Installing" in first.stdout
    (stamp,) = (tree / ".venv").glob("installed-*")

    stamped = stamp.stat().st_mtime_ns
    again = install(tree)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert stamp.stat().st_mtime_ns == stamped

    (tree / "requirements-lock.txt").write_text("# another pin\n")
    changed = install(tree)
    assert (changed.returncode, changed.stderr) == (0, "")
    assert "Installing" in changed.stdout and "Making an environment" not in changed.stdout
    assert install(tree).stdout == ""

    # An installation that fails is told, and tried again by the next call.
    (tree / "requirements.txt").write_text("-r not-there.txt\n")
    for _call in range(2):
        failed = install(tree)
        assert failed.returncode == 1
        assert "not-there.txt" in failed.stderr and "The installation failed" in failed.stderr

    # An environment whose Python is gone (an upgrade of the system) is made anew.
    (tree / "requirements.txt").write_text("")
    for python in (tree / ".venv" / "bin").glob("python*"):
        python.unlink()
    mended = install(tree)
    assert mended.returncode == 0
    assert "does not work any more" in mended.stdout and "Installing" in mended.stdout
