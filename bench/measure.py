"""Times, memory and the table that they are shown in."""

import gc
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Result:
    """One line of the table: ours against another, as a ratio, beside its goal."""

    what: str
    ours: str
    other: str
    ratio: str
    goal: str


def median_seconds(work: Callable[[], object], times: int = 5, warm_up: int = 1) -> float:
    """The median wall time of a call."""
    for _round in range(warm_up):
        work()
    spent = []
    for _round in range(times):
        gc.collect()
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


def once_seconds(work: Callable[[], object]) -> float:
    """The wall time of one call."""
    return median_seconds(work, times=1, warm_up=0)


def peak_megabytes(work: Callable[[], object]) -> float:
    """How much the resident memory of this process rises above what it was before, at most, during a call."""
    process, highest, over = psutil.Process(), 0, threading.Event()
    gc.collect()
    before = process.memory_info().rss

    def watch() -> None:
        nonlocal highest
        while not over.wait(0.01):
            highest = max(highest, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        over.set()
        watcher.join()
    return float(max(0, highest - before)) / 2**20


def shown(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def against(what: str, ours: float, other: float, goal: str, faster: bool = False) -> Result:
    """Ours over the other, or with `faster` how many times faster ours is."""
    ratio = other / ours if faster else ours / other
    return Result(what, shown(ours), shown(other), f"{ratio:.2f}{' × faster' if faster else ' ×'}", goal)


def table(results: list[Result]) -> str:
    """The results as aligned text."""
    rows = [("what", "ours", "other", "ratio", "goal")]
    rows += [(r.what, r.ours, r.other, r.ratio, r.goal) for r in results]
    widths = [max(len(row[k]) for row in rows) for k in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
