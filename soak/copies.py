"""Backups taken while another process writes and aggregates: each is the state of one moment, and comes back."""

import time
from pathlib import Path

from sqlalchemy import Engine, func, insert, select, update

from db.backup import back_up, restore
from db.engine import reading, writing
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import AppFact
from soak import sound
from soak.evidence import Finding
from soak.processes import started, wait_for
from soak.source import MODELS, evaluation, stored

EACH = 20  # rows of a transaction
COUNTED = "soak_rows"  # a fact that each transaction sets to the number of rows


def write_for_ever(engine: Engine) -> None:
    """Writes rows and their number in one transaction each, and now and then aggregates them."""
    with engine.begin() as connection:
        connection.execute(insert(Model), [{"id": n, "name": f"model-{n}"} for n in range(1, MODELS + 1)])
        connection.execute(insert(AppFact).values(name=COUNTED, value="0"))
    turn = 0
    while True:
        numbers = range(turn * EACH, (turn + 1) * EACH)
        with writing(engine) as connection:
            rows = [stored(evaluation(n), 1 + n % MODELS) for n in numbers]
            connection.execute(insert(ModelEvaluation), rows)
            connection.execute(update(AppFact).where(AppFact.name == COUNTED).values(value=str(numbers.stop)))
        turn += 1
        if turn % 20 == 0:
            sound.aggregate(engine)
        time.sleep(0.005)


def backups_under_load(engine: Engine, other: Engine, folder: Path, backups: int = 10) -> Finding:
    """So many backups of one database, restored into another."""
    finding = Finding(f"backup under load and restore, {engine.dialect.name}")
    with finding.timed():
        with started(engine, "-m", "soak.copies") as writer:
            wait_for(lambda: count(engine) > 500)
            paths = [back_up(engine, folder / f"copy-{n}") for n in range(backups)]
            if writer.poll() is not None:
                finding.faults.append("the writer ended")
        sizes = [restored(other, path, finding) for path in paths]
        if sizes != sorted(sizes) or sizes[0] == sizes[-1]:
            finding.faults.append(f"the copies do not grow: {sizes}")
        last = back_up(engine, folder / "last")
        restore(other, last)
        finding.faults += sound.changes(
            sound.rows_of(sound.state(engine, but=VERSIONS)), sound.rows_of(sound.state(other, but=VERSIONS))
        )
        finding.figures = f"{backups} backups of {sizes[0]:,} to {sizes[-1]:,} rows"
    return finding


VERSIONS = frozenset({"app_facts"})  # a restore raises the data version


def restored(other: Engine, path: Path, finding: Finding) -> int:
    """Restores a copy, notes what is wrong with it, and returns its rows."""
    restore(other, path)
    finding.faults += [f"{path.name}: {fault}" for fault in sound.faults(other)]
    rows = count(other)
    with reading(other) as connection:
        counted = int(connection.scalar(select(AppFact.value).where(AppFact.name == COUNTED)) or 0)
        names = set(connection.scalars(select(ModelEvaluation.prediction_id)))
        daily = connection.scalar(select(func.sum(DailyModelPerformance.total_predictions))) or 0
    if names != {f"p{n}" for n in range(counted)} or rows != counted:
        finding.faults.append(f"{path.name}: {rows} rows, and {counted} had been written")
    if daily > rows:
        finding.faults.append(f"{path.name}: {daily} rows are aggregated, and {rows} are there")
    return rows


def count(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(ModelEvaluation)) or 0


if __name__ == "__main__":
    from db.engine import default_engine

    write_for_ever(default_engine())
