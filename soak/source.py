"""Evaluations that are known in plain Python, and whether a database holds exactly them and what they come to."""

import csv
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, insert, select, update

from db.engine import reading
from db.tables.models import DailyModelPerformance, Model, ModelEvaluation

ZONE = ZoneInfo("Asia/Seoul")
ROWS, DAYS, MODELS = 20_000, 200, 4
LAST = date(2024, 11, 18)
COLUMNS = ("prediction_id", "model_name", "predicted_at", "evaluated_at", "final_score", "target_achieved")

Key = tuple[str, str]


@dataclass(frozen=True)
class Evaluation:
    name: str
    model: str
    at: datetime
    score: float
    achieved: bool

    @property
    def key(self) -> Key:
        return self.model, self.name

    @property
    def cells(self) -> tuple[object, ...]:
        return self.name, self.model, self.at.isoformat(), self.at.isoformat(), self.score, int(self.achieved)


def evaluation(n: int, prefix: str = "p", last: date = LAST, days: int = DAYS) -> Evaluation:
    """The n-th evaluation: models take turns, days go back from the last one."""
    day = last - timedelta(days=n // MODELS % days)
    at = datetime(day.year, day.month, day.day, 12, n % 60, tzinfo=ZONE).astimezone(UTC)
    return Evaluation(f"{prefix}{n}", f"model-{1 + n % MODELS}", at, n * 7919 % 1000 / 10, bool(n % 2))


@dataclass
class Source:
    """What was given to a database."""

    rows: dict[Key, Evaluation] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: int) -> "Source":
        return cls({one.key: one for one in map(evaluation, range(rows))})

    def store(self, engine: Engine) -> None:
        """Writes all rows as a user's own program would."""
        numbers = {f"model-{n + 1}": n + 1 for n in range(MODELS)}
        with engine.begin() as connection:
            connection.execute(insert(Model), [{"id": n, "name": name} for name, n in numbers.items()])
            rows = [stored(one, numbers[one.model]) for one in self.rows.values()]
            connection.execute(insert(ModelEvaluation), rows)

    def change(self, engine: Engine, turn: int) -> None:
        """Another score for every row, there and here."""
        score = func.abs(100 - ModelEvaluation.final_score - turn / 100)
        with engine.begin() as connection:
            connection.execute(update(ModelEvaluation).values(final_score=score))
        self.rows = self.changed(turn)

    def changed(self, turn: int) -> dict[Key, Evaluation]:
        return {key: replace(one, score=abs(100 - one.score - turn / 100)) for key, one in self.rows.items()}

    def write_file(self, path: Path) -> None:
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerows(one.cells for one in self.rows.values())

    def faults(self, engine: Engine) -> list[str]:
        """How the evaluations in the database differ from these."""
        return differences("evaluation", held(engine), {key: told(one) for key, one in self.rows.items()})

    def daily_faults(self, engine: Engine) -> list[str]:
        """How the daily figures in the database differ from those of plain Python."""
        return differences("daily row", held_daily(engine), self.daily(), close)

    def daily(self) -> dict[tuple[str, date], tuple[Any, ...]]:
        groups = defaultdict[tuple[str, date], list[Evaluation]](list)
        for one in self.rows.values():
            groups[one.model, one.at.astimezone(ZONE).date()].append(one)
        return {key: figures(rows) for key, rows in groups.items()}


def stored(one: Evaluation, model_id: int) -> dict[str, Any]:
    return {
        "prediction_id": one.name,
        "model_id": model_id,
        "predicted_at": one.at,
        "evaluated_at": one.at,
        "final_score": one.score,
        "target_achieved": one.achieved,
    }


def told(one: Evaluation) -> tuple[Any, ...]:
    return one.at, one.at, one.score, one.achieved


def figures(rows: list[Evaluation]) -> tuple[Any, ...]:
    scores = [one.score for one in rows]
    std = statistics.stdev(scores) if len(scores) > 1 else None
    return len(rows), len(rows), statistics.fmean(scores), std, sum(one.achieved for one in rows)


def held(engine: Engine) -> list[tuple[Key, tuple[Any, ...]]]:
    """The evaluations of a database: a list, so that a doubled key shows."""
    e = ModelEvaluation
    columns = (e.predicted_at, e.evaluated_at, e.final_score, e.target_achieved)
    with reading(engine) as connection:
        rows = connection.execute(select(Model.name, e.prediction_id, *columns).join_from(e, Model))
        return [((name, key), tuple(values)) for name, key, *values in rows]


def held_daily(engine: Engine) -> list[tuple[tuple[str, date], tuple[Any, ...]]]:
    d = DailyModelPerformance
    columns = (d.total_predictions, d.scored_count, d.avg_final_score, d.std_final_score)
    query = select(Model.name, d.date, *columns, d.target_achieved_count).join_from(d, Model)
    with reading(engine) as connection:
        return [((name, day), tuple(values)) for name, day, *values in connection.execute(query)]


def close(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(
        a == b or (isinstance(a, float) and b is not None and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9))
        for a, b in zip(one, other, strict=True)
    )


def differences(
    what: str,
    found: list[tuple[Any, tuple[Any, ...]]],
    wanted: Mapping[Any, tuple[Any, ...]],
    same: Callable[[tuple[Any, ...], tuple[Any, ...]], bool] = close,
) -> list[str]:
    """Rows lost, doubled, invented or other than they should be: one line of each kind."""
    there = dict(found)
    kinds: dict[str, list[Any]] = {
        "lost": [key for key in wanted if key not in there],
        "doubled": list(_doubled(found)),
        "not asked for": [key for key in there if key not in wanted],
        "different": [key for key in there if key in wanted and not same(there[key], wanted[key])],
    }
    return [f"{len(keys)} × {what} {kind}, first {keys[0]}" for kind, keys in kinds.items() if keys]


def _doubled(found: list[tuple[Any, tuple[Any, ...]]]) -> Iterator[Any]:
    seen = set()
    for key, _values in found:
        if key in seen:
            yield key
        seen.add(key)
