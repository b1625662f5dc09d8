"""An uploaded file from its arrival to its import, in a thread of its own.

A page's script may be stopped wherever it shows something, as by a click on another page; a long import in it would
lose its report, and one that showed its progress would be stopped inside a transaction. So this thread shows nothing:
it says here how far it is, a fragment looks, and the file's rows arrive also where nobody looks any more. Where the
server is stopped the thread ends with it: whole steps stay, and the file may be imported again.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Literal

from streamlit.typing import UploadedFile

from dashboard import access
from db.engine import default_engine
from db.errors import Refused
from db.importing import SPECS, Report, import_file
from db.importing.advice import OnPage
from db.importing.choices import Choices, choices_of
from db.importing.received import Received
from db.progress import Progress
from language import _, kept
from settings import current

__all__ = ["SPECS", "Report", "Upload", "take"]

Step = Literal["received", "checking", "checked", "importing", "imported", "refused"]
_numbers = count(1)
REJECTS_BYTES = 20_000_000  # that the page offers; more are for the command


class Upload:
    """What one session uploaded: its step, how far that is, and what came of it."""

    def __init__(self, table: str, received: Received) -> None:
        self.table, self.name = table, received.name
        self.number = next(_numbers)  # tells the choices for one file from those for the next
        self.step: Step = "received"
        self.rows = self.written = 0  # in this step
        self.waits = False  # for another writer
        self.expected = received.lines  # rows of the file: a guess, None for no idea, until they were counted
        self.chosen: Mapping[str, str] = {}
        self.choices = Choices({})
        self.report: Report | None = None
        self.rejects: bytes | None = None  # a CSV; None where there are none, or too many
        self.error = ""
        self._received, self._engine, self._zone = received, default_engine(), current().zone
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._unwanted = False

    @property
    def is_at_work(self) -> bool:
        return self.step in ("checking", "importing")

    def check(self, chosen: Mapping[str, str], now: datetime) -> None:
        """Begins a rehearsal, the command's `--dry-run`; `chosen` are columns, ours → theirs.

        Raises Refused for outsiders.
        """
        access.refuse_outsider()
        with self._lock:
            if self.step in ("received", "checked", "refused"):
                self.chosen = dict(chosen)
                self._begin("checking", "checked", now)

    def write(self, now: datetime) -> None:
        """Begins the import of what was checked, once, however often it is asked for.

        Raises Refused for outsiders.
        """
        access.refuse_outsider()
        with self._lock:
            if self.step == "checked":
                self._begin("importing", "imported", now)

    def forget(self) -> None:
        """Ends a check that nobody waits for any more; an import goes on to its end."""
        self._unwanted = True

    def wait(self, seconds: float) -> None:
        """Gives a small file the time that it takes."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _begin(self, step: Step, after: Step, now: datetime) -> None:
        self.step, self.rows, self.written, self.waits, self.error = step, 0, 0, False, ""
        # A daemon, so that the server can be stopped at any moment.
        self._thread = threading.Thread(target=kept(partial(self._work, after, now)), name=step, daemon=True)
        self._thread.start()

    def _work(self, after: Step, now: datetime) -> None:
        ended: Step = "refused"
        self.error = _("It broke off; the log of the dashboard says why. What was written are whole steps.")
        try:
            with self._received.on_disk() as path:
                if after == "checked":
                    self.choices = choices_of(path, SPECS[self.table])
                self._pass(path, now, dry_run=after == "checked")
            ended, self.error = after, ""
        except Refused as refused:
            self.error = str(refused)
        finally:
            if ended == "imported":
                self._received = Received(self.name, b"")
            self.step = ended

    def _pass(self, path: Path, now: datetime, dry_run: bool) -> None:
        mapping, filling = self.choices.as_import(self.chosen)
        kept = path.with_name("rejected.csv")
        self.report = import_file(
            self._engine,
            self.table,
            path,
            zone=self._zone,
            now=now,
            mapping=mapping,
            filling=filling,
            dry_run=dry_run,
            rejects=kept,
            called=self.name,
            advice=OnPage(),
            progress=_Seen(self),
        )
        self.expected = self.report.read
        offered = kept.exists() and kept.stat().st_size <= REJECTS_BYTES
        self.rejects = kept.read_bytes() if offered else None

    def note(self, rows: int) -> None:
        """So many rows were read; raises Refused where nobody waits for the rest."""
        self.rows = rows
        if self._unwanted and self.step == "checking":
            raise Refused(_("The check was stopped."))


class _Seen(Progress):
    """Tells an upload how far its thread is; it is called outside the transactions that write."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def __call__(self, rows: int) -> None:
        self._upload.note(rows)

    def waits(self) -> None:
        self._upload.waits = True

    def wrote(self, rows: int) -> None:
        self._upload.written, self._upload.waits = rows, False


def take(table: str, file: UploadedFile, now: datetime) -> Upload:
    """Begins the check of a file; raises Refused for outsiders, before anything of the file is read."""
    access.refuse_outsider()
    upload = Upload(table, Received(file.name, file.getvalue()))
    upload.check({}, now)
    return upload
