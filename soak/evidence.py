"""What a soak found, and the table of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

TOLD = 5  # faults of one kind that are named


@dataclass
class Finding:
    """One thing that was tried: its figures, and what was wrong."""

    what: str
    figures: str = ""
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.faults

    @contextmanager
    def timed(self) -> Iterator["Finding"]:
        """Counts the time inside; an error of the soak itself is a fault too, and ends it."""
        begun = time.monotonic()
        try:
            yield self
        except Exception as error:  # noqa: BLE001 - the table tells it, and the other soaks go on
            self.faults.append(f"the soak broke off: {type(error).__name__}: {error}")
        self.seconds = time.monotonic() - begun


def line(finding: Finding) -> str:
    """One line of the table, with the first faults below it."""
    verdict = "PASS" if finding.passed else "FAIL"
    told = [f"{verdict}  {finding.what:<44} {finding.seconds:>7.1f} s  {finding.figures}"]
    told += [f"      {fault}" for fault in finding.faults[:TOLD]]
    if more := len(finding.faults[TOLD:]):
        told.append(f"      … and {more} more")
    return "\n".join(told)
