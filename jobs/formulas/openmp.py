"""LightGBM with the OpenMP library that it needs, which slim machines lack: scikit-learn brings one along."""

import ctypes
import importlib
import sys
import tempfile
from importlib.metadata import files
from pathlib import Path
from types import ModuleType

NEEDED = "libgomp.so.1"  # by this name LightGBM asks for it


def lightgbm() -> ModuleType:
    """The module, imported once it is needed: it takes a second. Raises OSError where its library cannot be loaded."""
    try:
        return importlib.import_module("lightgbm")
    except OSError as error:
        if NEEDED not in str(error) or not load_bundled():
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "lightgbm"]:
            del sys.modules[name]  # what the first try left half imported
        return importlib.import_module("lightgbm")


def load_bundled(needed: str = NEEDED) -> bool:
    """Loads scikit-learn's OpenMP library under the name that is needed; whether there is one.

    Its wheel gives the library a name of its own, in the file too, and the loader goes by that one: so it is a copy
    with the usual name that is loaded.
    """
    found = [file for file in files("scikit-learn") or () if file.name.startswith("libgomp-")]
    if not found:
        return False
    name = found[0].name.encode() + b"\0"
    content = Path(str(found[0].locate())).read_bytes()
    renamed = content.replace(name, needed.encode().ljust(len(name), b"\0"))
    with tempfile.NamedTemporaryFile(prefix="libgomp-", suffix=".so") as copy:
        copy.write(renamed)
        copy.flush()
        ctypes.CDLL(copy.name, ctypes.RTLD_GLOBAL)  # stays loaded when the file is gone
    return True
