"""kill -9 at random moments: of an import, an upgrade, and of each job that writes what it computes."""

import random
from pathlib import Path

from sqlalchemy import Engine, delete, inspect, select, text

from db import schema
from db.clock import utc_now
from db.engine import reading
from db.importing import import_file
from db.tables.models import ModelEvaluation
from db.tables.operations import Verdict
from jobs import queue
from jobs.stale import mark_weeks
from jobs.timetable import JOBS
from soak import adjustments, sound
from soak.agent_faults import AgentAggregations, SwapChecks
from soak.evidence import Finding
from soak.killing import Command, Kind, Runs
from soak.processes import wait_until_settled
from soak.retrainings import Retrainings
from soak.source import ROWS, ZONE, Evaluation, Source, differences, evaluation, held_daily

EVALUATIONS = ModelEvaluation.__tablename__


class Imports:
    name = "import"
    grows = 200  # rows that each file has more than the one before

    def __init__(self, engine: Engine, folder: Path, rows: int = ROWS) -> None:
        self.engine, self._file = engine, folder / "evaluations.csv"
        self._before, self._source = Source(), Source.of(rows)
        self._source.write_file(self._file)
        self._command = Command(engine, "-m", "db", "import", "model_evaluations", str(self._file))
        self._command.measure()

    def prepare(self, turn: int) -> None:
        """Another file: every row corrected, some new."""
        self._before, first = self._source, len(self._source.rows)
        fresh: list[Evaluation] = [evaluation(first + n) for n in range(self.grows)]
        self._source = Source(self._before.changed(turn) | {one.key: one for one in fresh})
        self._source.write_file(self._file)

    def kill(self, turn: int, chance: random.Random) -> bool:
        return self._command.kill(chance)

    def left(self) -> list[str]:
        """A file of this size is one transaction: all of it is there, or nothing."""
        return self._before.faults(self.engine) and self._source.faults(self.engine)

    def mend(self) -> None:
        import_file(self.engine, "model_evaluations", self._file, zone=ZONE, now=utc_now())

    def mended(self) -> list[str]:
        return self._source.faults(self.engine)


class Aggregations(Runs):
    name = "aggregate_models"

    def prepare(self, turn: int) -> None:
        self._held = dict(held_daily(self.engine))
        self._source.change(self.engine, turn)

    def left(self) -> list[str]:
        """Every day is what it was or what it should be."""
        wanted, found = self._source.daily(), held_daily(self.engine)
        fresh = [(key, row) for key, row in found if row != self._held.get(key)]
        whole = {key: wanted[key] for key, _row in fresh if key in wanted}
        return super().left() + differences("half-made daily row", fresh, whole)


class Judgements(Runs):
    name = "judge_week"

    def prepare(self, turn: int) -> None:
        self._source.change(self.engine, turn)
        own = sound.loop(self.engine)
        aggregate = JOBS["aggregate_models"]
        queue.request(self.engine, aggregate, aggregate.read({}), trigger="manual", by="", now=utc_now())
        own.work_once()  # and the judging of its weeks, which follows, waits

    def mended(self) -> list[str]:
        """The verdicts are those of a judging from nothing that nobody killed."""
        faults, found = super().mended(), verdicts(self.engine)
        with self.engine.begin() as connection:
            days = [day for _model, day in self._source.daily()]
            connection.execute(delete(Verdict))
            mark_weeks(connection, "daily_model_performance", days)
        self.ask()
        sound.run_all(self.engine)
        return faults + differences("verdict", found, dict(verdicts(self.engine)))


class Adjustments(Runs):
    name = "adjust_weights"

    def __init__(self, engine: Engine, folder: Path, rows: int = ROWS) -> None:
        self.engine, self._takes, self._source = engine, 1.0, Source()
        adjustments.store_outcomes(engine, rows)
        self.measure()

    def prepare(self, turn: int) -> None:
        self._held = adjustments.in_force(self.engine)
        adjustments.change_outcomes(self.engine, turn)
        self._wanted = adjustments.wanted(self.engine)

    def left(self) -> list[str]:
        """All weights are the old ones or the new ones, the figures are of the same run, and the ledger is true."""
        found = adjustments.in_force(self.engine)
        mixed = (
            []
            if any(adjustments.same(found, one) for one in (self._held, self._wanted))
            else ["a mix of weights"]
        )
        if not adjustments.same(found, adjustments.of_performance(self.engine)):
            mixed.append("weights and figures are of different runs")
        return super().left() + mixed + adjustments.ledger_faults(self.engine)

    def mended(self) -> list[str]:
        found = adjustments.in_force(self.engine)
        others = [] if adjustments.same(found, self._wanted) else ["not the weights of the outcomes"]
        return super().mended() + others + adjustments.ledger_faults(self.engine)


class Upgrades:
    name = "upgrade"
    # By the migrations themselves; of the evaluations, which get a column, the rows are compared apart.
    moved = frozenset(
        {
            "alembic_version",
            "stale_marks",
            "verdicts",
            "models",
            "model_changes",
            "model_evaluations",
            "reports",
        }
    )

    def __init__(self, engine: Engine, folder: Path, rows: int = ROWS) -> None:
        self.engine = engine
        Source.of(rows).store(engine)
        sound.aggregate(engine)
        self._command = Command(engine, "-m", "db", "upgrade", also={"BACKUP_DIR": str(folder / "backups")})
        self.prepare(0)
        self._command.measure()

    def prepare(self, turn: int) -> None:
        schema.rollback(self.engine, ZONE, "0001", None)
        self._old = sound.state(self.engine)
        with reading(self.engine) as connection:
            self._columns = [column["name"] for column in inspect(connection).get_columns(EVALUATIONS)]
        self._evaluations = self._evaluated()

    def _evaluated(self) -> list[str]:
        """The evaluations by the columns that they had before."""
        rows = text(f"SELECT {', '.join(self._columns)} FROM {EVALUATIONS}")  # noqa: S608 - names are ours
        with reading(self.engine) as connection:
            return sorted(map(repr, connection.execute(rows)))

    def kill(self, turn: int, chance: random.Random) -> bool:
        return self._command.kill(chance)

    def left(self) -> list[str]:
        """All of it or nothing."""
        with reading(self.engine) as connection:
            there = schema.version(connection)
        if there == "0001":
            return sound.changes(self._old, sound.state(self.engine))
        return self._rows_changed()

    def mend(self) -> None:
        schema.upgrade(self.engine, ZONE, None)

    def mended(self) -> list[str]:
        return self._rows_changed()

    def _rows_changed(self) -> list[str]:
        kept = {name: value for name, value in self._old.items() if name not in self.moved}
        same = self._evaluated() == self._evaluations
        others = [] if same else [f"table {EVALUATIONS}: another rows"]
        now = sound.state(self.engine, but=self.moved)
        return others + sound.changes(kept, {name: now[name] for name in kept if name in now})


Kinds = (
    Imports
    | Aggregations
    | Upgrades
    | Judgements
    | Adjustments
    | Retrainings
    | AgentAggregations
    | SwapChecks
)
KINDS: tuple[type[Kinds], ...] = (
    Imports,
    Aggregations,
    Upgrades,
    Judgements,
    Adjustments,
    Retrainings,
    AgentAggregations,
    SwapChecks,
)


def verdicts(engine: Engine) -> list[tuple[tuple[object, ...], tuple[object, ...]]]:
    v = Verdict
    query = select(v.subject, v.metric, v.week_start, v.n, v.value, v.change, v.p_holm, v.verdict)
    with reading(engine) as connection:
        return [(tuple(row[:3]), tuple(row[3:])) for row in connection.execute(query)]


def kill(
    make: type[Kinds],
    engine: Engine,
    folder: Path,
    kills: int,
    seed: int,
    rows: int = ROWS,
) -> Finding:
    """So many kills of one kind, each followed by the next run that mends it."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    finding = Finding(f"kill -9: {make.name}, {engine.dialect.name}")
    with finding.timed():
        kind: Kind = make(engine, folder, rows)
        at_work = 0
        for turn in range(1, kills + 1):
            kind.prepare(turn)
            at_work += kind.kill(turn, chance)
            wait_until_settled(engine)
            faults = kind.left()
            kind.mend()
            faults += kind.mended() + sound.faults(engine)
            finding.faults += [f"kill {turn}: {fault}" for fault in faults]
            finding.figures = f"{turn} kills, {at_work} of them at work"
    return finding
