"""Makes .venv hold exactly what requirements-lock.txt pins; the first step of `make run` and `make test`.

Needs nothing but Python ≥ 3.11 and says what to do where that is missing, so it is written for any Python 3.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def leave(text):
    print(text, file=sys.stderr)
    sys.exit(1)


def check_python():
    if sys.version_info < (3, 11):
        leave(
            "Tidemark needs Python 3.11 or newer; this is {}.{} ({}). Install a newer one and name it: "
            "make run PYTHON=python3.12".format(sys.version_info[0], sys.version_info[1], sys.executable)
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        leave(
            "This Python ({0}) comes without venv. On Debian or Ubuntu: apt install python{1}.{2}-venv; then "
            "try again.".format(sys.executable, sys.version_info[0], sys.version_info[1])
        )


def works(python):
    try:
        done = subprocess.run(
            [python, "-c", "import pip, sys; assert sys.version_info >= (3, 11)"], capture_output=True
        )
        return done.returncode == 0
    except OSError:
        return False


def make_venv():
    if works(PYTHON):
        return
    if os.path.exists(VENV):
        print("The environment in .venv does not work any more and is made anew.")
        shutil.rmtree(VENV)
    print("Making an environment in .venv …")
    done = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        leave("No environment could be made in {}:\n{}".format(VENV, done.stdout + done.stderr))


def pins(files):
    digest = hashlib.sha256()
    for name in files:
        with open(os.path.join(ROOT, name), "rb") as stream:
            digest.update(stream.read())
    return digest.hexdigest()


def install(kind):
    files = ["requirements-lock.txt", "requirements.txt"] + (
        ["requirements-dev.txt"] if kind == "test" else []
    )
    wanted, stamp = pins(files), os.path.join(VENV, "installed-" + kind)
    if os.path.exists(stamp):
        with open(stamp) as stream:
            if stream.read() == wanted:
                return
    print("Installing what {} pins; this takes a minute or two …".format(files[-1]), flush=True)
    options = ["-qq", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([PYTHON, "-m", "pip", "install", *options, "-r", os.path.join(ROOT, files[-1])])
    if done.returncode:
        leave(
            "The installation failed (see above). Is the package index reachable? Is there room on the disk?"
        )
    with open(stamp, "w") as stream:
        stream.write(wanted)


def install_browser():
    """The browser tests drive Chromium: the system's, else Playwright's own."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    apt = shutil.which("apt-get")
    if apt and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("Installing Chromium for the browser tests …", flush=True)
        subprocess.run([apt, "update", "-qq"], stdout=subprocess.DEVNULL)
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        done = subprocess.run(
            [apt, "install", "-y", "-qq", "chromium"], stdout=subprocess.DEVNULL, env=environment
        )
        if done.returncode == 0:
            return
    elif subprocess.run([PYTHON, "-m", "playwright", "install", "chromium"]).returncode == 0:
        return
    leave("The tests need a browser. On Debian or Ubuntu: sudo apt install chromium; then try again.")


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "run"
    check_python()
    make_venv()
    install(kind)
    if kind == "test":
        install_browser()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
