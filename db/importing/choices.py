"""Which columns of a file may stand for ours, for whoever chooses them from a list instead of typing names."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from db.importing.columns import Column, Spec
from db.importing.reading import read
from db.importing.rows import plain

_BATCHES = 3  # of a file whose rows name their columns themselves


@dataclass(frozen=True)
class Choices:
    """For our columns that a file lacks, or names twice: the columns of the file to choose from."""

    offered: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...] = ()  # ours that each row must have
    doubled: tuple[str, ...] = ()  # ours that several columns of the file are called by

    def as_import(self, chosen: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """What was chosen (ours → theirs) as the `mapping` and the `filling` of an import."""
        known = {ours: theirs for ours, theirs in chosen.items() if theirs in self.offered.get(ours, ())}
        mapping = {theirs: ours for ours, theirs in known.items() if ours in self.doubled}
        return mapping, {ours: theirs for ours, theirs in known.items() if ours not in self.doubled}


def choices_of(path: Path, spec: Spec) -> Choices:
    """The choices that a file leaves; raises Refused where it cannot be read."""
    names: dict[str, None] = {}
    with closing(read(path)) as batches:
        for batch in islice(batches, _BATCHES):
            names |= dict.fromkeys(map(plain, batch.header))
            if batch.headed:
                break
    return choices(names, spec)


def choices(names: Iterable[str], spec: Spec) -> Choices:
    """The same for the names of a file's columns."""
    theirs = list(names)
    found = {
        column.name: [name for name in theirs if name in (column.name, *column.aliases)]
        for column in spec.columns
    }
    doubled = tuple(ours for ours, those in found.items() if len(those) > 1 and ours not in those)
    known = {name for those in found.values() for name in those}
    unknown = tuple(name for name in theirs if name not in known)
    timed = {at for value, at in spec.counts_with if found[value] or unknown}
    missing = tuple(column.name for column in spec.columns if column.required and not found[column.name])
    offered = {}
    for column in sorted(spec.columns, key=lambda column: column.name not in missing):
        wanted = column.required or column.name in timed
        if column.name in doubled:
            offered[column.name] = tuple(found[column.name])
        elif not found[column.name] or column.name in timed:
            offered[column.name] = unknown + (_similar(column, spec, found) if wanted else ())
    return Choices({ours: those for ours, those in offered.items() if those}, missing, doubled)


def _similar(column: Column, spec: Spec, found: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Columns of the file that are another one of ours, with cells of the same kind."""
    others = (other for other in spec.columns if other.kind == column.kind and other is not column)
    return tuple(name for other in others for name in found[other.name])
