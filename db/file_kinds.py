"""The kinds of files that tables are written to and read from, known by their endings."""

from pathlib import Path

from db.errors import Refused
from language import N_, _

ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")
# How files begin that are often given a wrong name: what they are, and what to do.
_BEGINNINGS = {
    b"\x89PNG": (N_("a PNG picture"), N_("Name the file that holds the rows")),
    b"\xff\xd8\xff": (N_("a JPEG picture"), N_("Name the file that holds the rows")),
    b"%PDF-": (N_("a PDF document"), N_("Name the file that holds the rows")),
    b"PK\x03\x04": (N_("a spreadsheet or another zip archive"), N_("Save it as CSV (UTF-8)")),
    b"\xd0\xcf\x11\xe0": (N_("an old Excel or Word file"), N_("Save it as CSV (UTF-8)")),
    b"\x1f\x8b": (N_("a gzip file"), N_("Let its name end in .gz")),
    b"\x28\xb5\x2f\xfd": (N_("a Zstandard file"), N_("Unpack it first")),
    b"PAR1\x15": (N_("a Parquet file"), N_("Let its name end in .parquet")),
    b"SQLite format 3\x00": (N_("a SQLite database"), N_("Export its table as CSV")),
}
_WIDE = {b"\xff\xfe\x00\x00": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def refuse_other_kind(path: Path) -> None:
    """Raises Refused where the ending is of no kind that is known here."""
    if not path.name.lower().endswith(ENDINGS):
        told = _("{path}: the ending must be one of {endings}")
        raise Refused(told.format(path=path, endings=", ".join(ENDINGS)), status=2)


def is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def is_jsonl(path: Path) -> bool:
    return path.name.lower().endswith((".jsonl", ".jsonl.gz"))


def is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(".parquet")


def refuse_other_content(path: Path, head: bytes) -> None:
    """Raises Refused where the first bytes of a text file are those of something else."""
    for beginning, (what, todo) in _BEGINNINGS.items():
        if head.startswith(beginning):
            told = _("{path} is {what}, whatever its name says. {todo}.")
            raise Refused(told.format(path=path, what=_(what), todo=_(todo)))
    for beginning, encoding in _WIDE.items():
        if head.startswith(beginning):
            told = _(
                "{path}, line 1: this is not UTF-8 text but {encoding}. Save it as UTF-8, or convert it: "
                "iconv -f {encoding} -t UTF-8 {name} > utf8-{name}"
            )
            raise Refused(told.format(path=path, encoding=encoding, name=path.name))
