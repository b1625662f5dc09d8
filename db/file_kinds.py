"""The kinds of files that tables are written to and read from, known by their endings."""

from pathlib import Path

from db.errors import Refused
from language import _

ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")


def refuse_other_kind(path: Path) -> None:
    """Raises Refused where the ending is of no kind that is known here."""
    if not path.name.lower().endswith(ENDINGS):
        told = _("{path}: the ending must be one of {endings}")
        raise Refused(told.format(path=path, endings=", ".join(ENDINGS)), status=2)


def is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def is_jsonl(path: Path) -> bool:
    return ".jsonl" in path.name.lower()
