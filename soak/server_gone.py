"""PostgreSQL goes away in the middle of a run and comes back: the run ends well, or is tried again."""

import random
import time
from pathlib import Path

from soak import sound
from soak.databases import Server
from soak.evidence import Finding
from soak.kills import Aggregations
from soak.processes import started, wait_for
from soak.source import ROWS

LOOP = ("-m", "jobs", "loop")


def server_gone(
    server: Server, folder: Path, times: int, seed: int, rows: int = ROWS, loop: tuple[str, ...] = LOOP
) -> Finding:
    """The server is stopped at a random moment of an aggregation in a worker's loop, and started again."""
    chance, finding = random.Random(seed), Finding("PostgreSQL stopped in mid-job")  # noqa: S311
    with finding.timed():
        engine, at_work = server.database(), 0
        kind, log = Aggregations(engine, folder, rows), folder / "loop.log"
        with started(engine, *loop, log=log, also={"WORKERS": "1"}) as process:
            for turn in range(1, times + 1):
                kind.prepare(turn)
                at_work += kind.under_way(process, chance)
                server.stop()
                time.sleep(chance.uniform(0, 1))
                server.start()
                engine.dispose()
                finding.faults += [f"stop {turn}: {fault}" for fault in _ended_well(kind)]
                finding.figures = f"{turn} stops, {at_work} of them in a run"
            if process.poll() is not None:
                finding.faults.append(f"the loop ended with {process.returncode}")
        if "Traceback" in log.read_text():
            finding.faults.append("a traceback is in the loop's log")
    return finding


def _ended_well(kind: Aggregations) -> list[str]:
    """The loop itself takes the run up again: nobody helps it."""
    try:
        wait_for(lambda: not _open(kind), seconds=150, step=0.2)
    except TimeoutError:
        return [f"runs are open for ever: {sound.statuses(kind.engine)}"]
    return kind.mended() + sound.faults(kind.engine)


def _open(kind: Aggregations) -> bool:
    counts = sound.statuses(kind.engine)
    return bool(counts.get("queued", 0) + counts.get("running", 0))
