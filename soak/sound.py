"""What has to hold after every fault: no run runs for ever, the check is clean, the file is whole."""

import hashlib

from sqlalchemy import Engine, inspect, select, text

import settings
from db.check import check
from db.clock import utc_now
from db.engine import reading
from db.tables.operations import JobRun
from jobs import queue
from jobs.loop import Loop
from jobs.timetable import JOBS
from soak.source import ZONE

State = dict[str, tuple[str, int, str]]


def loop(engine: Engine) -> Loop:
    """A schedule loop and worker in this process."""
    return Loop(engine, settings.load(timezone=ZONE.key, heartbeat_url=None))


def run_all(engine: Engine) -> None:
    """What the next loop does: it finds what was lost, and runs what waits."""
    own = loop(engine)
    own.tick()
    while own.work_once():
        pass


def aggregate(engine: Engine) -> None:
    """Computes what is stale, and judges its weeks."""
    job = JOBS["aggregate_models"]
    queue.request(engine, job, job.read({}), trigger="manual", by="", now=utc_now())
    run_all(engine)


def statuses(engine: Engine) -> dict[str, int]:
    """How many runs have each status."""
    counts: dict[str, int] = {}
    with reading(engine) as connection:
        for status in connection.scalars(select(JobRun.status)):
            counts[status] = counts.get(status, 0) + 1
    return counts


def running_after_a_tick(engine: Engine) -> list[str]:
    """Faults: runs that are under way in nobody's hands, and stay so when a loop has looked."""
    loop(engine).tick()
    left = statuses(engine).get("running", 0)
    return [f"{left} runs are running for ever"] if left else []


def faults(engine: Engine) -> list[str]:
    """What `python -m db check` and the engine's own check find."""
    wrong = list(check(engine, ZONE).wrong)
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            found = list(connection.exec_driver_sql("PRAGMA integrity_check").scalars())
        wrong += [f"integrity_check: {line}" for line in found if line != "ok"]
    return wrong


def state(engine: Engine, but: frozenset[str] = frozenset()) -> State:
    """Every table: its definition, its number of rows, and a digest of them."""
    inspector = inspect(engine)
    tables = sorted(name for name in inspector.get_table_names() if name not in but)
    return {name: (_definition(engine, name), *_rows(engine, name)) for name in tables}


# What the database itself tells of a table: columns, keys, rules, indexes and triggers.
DEFINITIONS = {
    "sqlite": ("SELECT sql FROM sqlite_master WHERE tbl_name = :table ORDER BY type, name",),
    "postgresql": (
        "SELECT concat_ws(' ', column_name, data_type, is_nullable, column_default) "
        "FROM information_schema.columns WHERE table_name = :table ORDER BY ordinal_position",
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(:table) ORDER BY conname",
        "SELECT indexdef FROM pg_indexes WHERE tablename = :table ORDER BY indexname",
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = to_regclass(:table) "
        "AND NOT tgisinternal ORDER BY tgname",
    ),
}


def _definition(engine: Engine, table: str) -> str:
    with reading(engine) as connection:
        found = [
            list(connection.execute(text(query), {"table": table}).scalars())
            for query in DEFINITIONS[engine.dialect.name]
        ]
    return str(found)


def _rows(engine: Engine, table: str) -> tuple[int, str]:
    digest, count = hashlib.sha256(), 0
    with reading(engine) as connection:
        for row in sorted(map(repr, connection.execute(text(f"SELECT * FROM {table}")))):  # noqa: S608
            digest.update(row.encode())
            count += 1
    return count, digest.hexdigest()


def rows_of(found: State) -> State:
    """The state without definitions: PostgreSQL words a rule otherwise when it has restored it."""
    return {name: ("", count, digest) for name, (_definition, count, digest) in found.items()}


def changes(before: State, after: State) -> list[str]:
    """Which tables differ between two states, and in what."""
    told = [f"table {name} came or went" for name in sorted(before.keys() ^ after.keys())]
    for name in sorted(before.keys() & after.keys()):
        for part, old, new in zip(
            ("definition", "row count", "rows"), before[name], after[name], strict=True
        ):
            if old != new:
                told.append(f"table {name}: another {part}")
    return told
