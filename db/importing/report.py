"""What an import did: counts, and each rejected row with its line and reason."""

from dataclasses import dataclass, field
from typing import Any

from db.importing.advice import ByCommand
from language import _, ngettext

KEPT = 100  # rejected rows that the report holds; --rejects keeps them all
TOLD_REASONS, TOLD_LINES, TOLD_COLUMNS = 20, 3, 20
KINDS = 1_000  # of reasons that are counted apart


@dataclass(frozen=True)
class RejectedRow:
    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        where = _("{file}, line {line}").format(file=self.file, line=self.line)
        return f"{where}: {self.column}: {self.reason}" if self.column else f"{where}: {self.reason}"


@dataclass
class Reason:
    """Why some rows were rejected: what is the same for all of them, how many they are, and the first of them."""

    kind: str
    first: RejectedRow
    rows: int = 0
    lines: list[int] = field(default_factory=list)

    def count(self, line: int) -> None:
        self.rows += 1
        if len(self.lines) < TOLD_LINES:
            self.lines.append(line)

    def __str__(self) -> str:
        if self.rows == 1:
            return str(self.first)
        lines = ", ".join(map(str, self.lines)) + (", …" if self.rows > len(self.lines) else "")
        rows = ngettext("{n} row", "{n} rows", self.rows)
        return _("{rows}: {reason} (lines {lines})").format(rows=rows, reason=self.kind, lines=lines)


@dataclass
class Report:
    """Counts of one import; read = new + updated + unchanged + rejected + repeated."""

    table: str
    dry_run: bool = False
    read: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    repeated: int = 0  # equal rows of the same file, counted once
    rejects: list[RejectedRow] = field(default_factory=list)
    reasons: dict[str, Reason] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    removed_demo: bool = False
    advice: ByCommand = field(default_factory=ByCommand, repr=False, compare=False)
    unknown: list[str] = field(default_factory=list)  # columns of the file that were left out
    _columns: int = 0  # that were left out

    @property
    def written(self) -> int:
        return self.new + self.updated

    @property
    def good(self) -> int:
        """The rows that could be stored."""
        return self.read - self.rejected

    def reject(self, row: RejectedRow, kind: str) -> None:
        self.rejected += 1
        if kind not in self.reasons and len(self.reasons) >= KINDS:
            kind = _("other reasons")
        self.reasons.setdefault(kind, Reason(kind, row)).count(row.line)
        if len(self.rejects) < KEPT:
            self.rejects.append(row)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def note_column(self, text: str) -> None:
        """Notes a column that was left out; of very many only the first ones."""
        self._columns += text not in self.notes
        told = _("… and more columns that are not known here were left out")
        self.note(text if self._columns <= TOLD_COLUMNS else told)

    def summary(self) -> str:
        """One line for people."""
        counts = _(
            "{read} read: {new} new, {updated} updated, {unchanged} unchanged, {rejected} rejected"
        ).format(
            **{
                name: f"{getattr(self, name):,}"
                for name in ("read", "new", "updated", "unchanged", "rejected")
            }
        )
        if self.repeated:
            counts += ", " + ngettext("{n} repeated", "{n} repeated", self.repeated)
        return _("dry run, nothing written: {counts}").format(counts=counts) if self.dry_run else counts

    def told_reasons(self) -> list[str]:
        """One line for each reason of rejection, the most frequent first."""
        frequent = sorted(self.reasons.values(), key=lambda reason: -reason.rows)
        told = [str(reason) for reason in frequent[:TOLD_REASONS]]
        if more := len(frequent) - len(told):
            told.append(ngettext("… and {n} more reason", "… and {n} more reasons", more))
        return told

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        names = (
            "table",
            "dry_run",
            "read",
            "new",
            "updated",
            "unchanged",
            "rejected",
            "repeated",
            "removed_demo",
        )
        return {name: getattr(self, name) for name in names} | {
            "notes": self.notes,
            "reasons": [
                {"reason": reason.kind, "rows": reason.rows, "lines": reason.lines}
                for reason in self.reasons.values()
            ],
            "rejects": [row.__dict__ for row in self.rejects],
        }
