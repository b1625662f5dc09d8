"""Where the files of tests stand: in memory where there is room, as thousands of databases are made and thrown away."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # pytest and tempfile make folders of their own in it
ROOM = 4 * 2**30  # a run needs about one, and a quarter of it is no reason to fill a small machine


def keep_files_in_memory() -> None:
    """For this process and those it starts; a folder that somebody chose by TMPDIR stays."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
