"""Forecasts of a file whose outcome is not known yet, apart from those whose outcome is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from db.importing.rows import Batch, plain
from db.importing.specs import PREDICTION_OUTCOMES, PREDICTIONS

PREDICTED = frozenset(column.name for column in PREDICTIONS.columns)
_OUTCOME = PREDICTION_OUTCOMES.column("actual_value")


def resolved(batches: Iterable[Batch], mapping: Mapping[str, str]) -> Iterator[Batch]:
    """The rows that have an outcome, and those that cannot be read, for the report to name."""
    for batch in batches:
        at = _column(batch, mapping)
        # Without the column no row has one.
        yield _some(
            batch, [] if at is None else [i for i, cell in enumerate(batch.cells[at]) if cell.strip()]
        )


def unresolved(batches: Iterable[Batch], mapping: Mapping[str, str]) -> Iterator[Batch]:
    """The rows that have none, without that column."""
    for batch in batches:
        at = _column(batch, mapping)
        if at is not None:
            batch = _some(batch, [i for i, cell in enumerate(batch.cells[at]) if not cell.strip()])
            header, cells = (
                (*batch.header[:at], *batch.header[at + 1 :]),
                batch.cells[:at] + batch.cells[at + 1 :],
            )
            batch = replace(batch, header=header, cells=cells)
        yield replace(batch, broken=[])


def of_predictions(names: Mapping[str, str]) -> dict[str, str]:
    """What of `--map` (theirs → ours) predictions have."""
    return {theirs: ours for theirs, ours in names.items() if ours in PREDICTED}


def _some(batch: Batch, chosen: Sequence[int]) -> Batch:
    return replace(
        batch,
        lines=[batch.lines[index] for index in chosen],
        cells=[[cells[index] for index in chosen] for cells in batch.cells],
    )


def _column(batch: Batch, mapping: Mapping[str, str]) -> int | None:
    """Where the outcome stands."""
    theirs = {plain(name): ours for name, ours in mapping.items()}
    for index, name in enumerate(map(plain, batch.header)):
        if theirs.get(name, name) in (_OUTCOME.name, *_OUTCOME.aliases):
            return index
    return None
