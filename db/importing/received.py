"""A file that came through the browser: bytes, and a name that is only ever shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from db.errors import Refused
from db.file_kinds import ENDINGS, refuse_other_kind
from db.importing.cells import shown
from language import _


@dataclass(frozen=True)
class Received:
    """What was received, under the name that its sender gave it."""

    sent_as: str
    content: bytes

    @property
    def name(self) -> str:
        """The name as it may be shown: not too long, without what cannot be seen."""
        return shown(self.sent_as)

    @property
    def lines(self) -> int | None:
        """Of text that is not packed: about as many as there are rows, to tell how far a reader is."""
        return self.content.count(b"\n") if self.sent_as.lower().endswith((".csv", ".jsonl")) else None

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A private copy, gone afterwards whatever happens; of the name only the ending is used, which says the kind.

        Raises Refused; one that is raised inside about the copy tells the sender's name instead of its path.
        """
        ending = next((ending for ending in ENDINGS if self.sent_as.lower().endswith(ending)), None)
        if ending is None:
            refuse_other_kind(Path(self.name))
        with _folder(self.name) as folder:
            path = folder / f"{token_hex(8)}{ending}"
            self._write(path)
            try:
                yield path
            except Refused as refused:
                told = str(refused).replace(str(path), self.name).replace(path.name, self.name)
                raise Refused(told, refused.status) from refused

    def _write(self, path: Path) -> None:
        try:
            path.write_bytes(self.content)
        except OSError as error:
            raise _no_room(self.name, error) from error


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """A folder that nobody else may look into; raises Refused where there can be none."""
    try:
        made = TemporaryDirectory(prefix="tidemark-", ignore_cleanup_errors=True)
    except OSError as error:
        raise _no_room(name, error) from error
    with made as folder:
        yield Path(folder)


def _no_room(name: str, error: OSError) -> Refused:
    told = _(
        "{name} cannot be kept while it is read: {why}. The environment variable TMPDIR names another folder."
    )
    return Refused(told.format(name=name, why=error.strerror or error))
