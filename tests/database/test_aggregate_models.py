"""The rows of daily_model_performance against docs/metrics.md, and which of them a run computes."""

import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, delete, func, insert, select, update

from db.calendar import change_timezone
from db.clock import business_day, starts_at
from db.engine import data_version
from db.errors import Refused
from db.importing import import_file
from db.tables.models import RATINGS, SCORES, DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import StaleMark
from jobs import aggregate_models as job
from jobs import changes, stale
from jobs.job import Outcome
from jobs.model_days import AggregateModelsParameters

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TODAY, MONDAY, TUESDAY = date(2026, 11, 20), date(2026, 11, 16), date(2026, 11, 17)

Key = tuple[str, date]
Rows = dict[Key, dict[str, Any]]
Go = Callable[..., Outcome]


@dataclass
class Here:
    """A run without a row in job_runs: it keeps what it is told, and may do something at each step."""

    now: datetime = NOW
    zone: ZoneInfo = SEOUL
    at_step: Callable[[int], None] = lambda _step: None
    told: list[tuple[float, str]] = field(default_factory=list)
    id: int | None = None

    @property
    def today(self) -> date:
        return business_day(self.now, self.zone)

    def progress(self, done: float, message: str) -> None:
        self.told.append((done, message))
        self.at_step(len(self.told))

    def log(self, line: str) -> None:
        pass


def aggregate(engine: Engine, run: Here | None = None, **params: Any) -> Outcome:
    return job.aggregate_models(engine, AggregateModelsParameters(**params), run or Here())


def noon(day: date, minutes: int = 0) -> datetime:
    """Noon of a business day in Seoul, or some minutes later."""
    return starts_at(day, SEOUL) + timedelta(hours=12, minutes=minutes)


def row(name: str, day: date = MONDAY, model: int = 1, **more: Any) -> dict[str, Any]:
    return {"prediction_id": name, "model_id": model, "predicted_at": noon(day)} | more


def scored(name: str, score: float, day: date = MONDAY, model: int = 1) -> dict[str, Any]:
    return row(name, day, model, final_score=score, evaluated_at=NOW)


def store(engine: Engine, rows: Iterable[dict[str, Any]]) -> None:
    """Stores rows as a user's own program would: without the day, which a trigger fills in."""
    columns = ["evaluated_at", "human_evaluated_at", *SCORES, *RATINGS, "target_achieved", "support_breached"]
    full = [dict.fromkeys(columns) | row for row in rows]
    models = sorted({row["model_id"] for row in full})
    with engine.begin() as connection:
        known = set(connection.scalars(select(Model.id)))
        fresh = [{"id": id, "name": f"model-{id}"} for id in models if id not in known]
        if fresh:
            connection.execute(insert(Model), fresh)
        connection.execute(insert(ModelEvaluation), full)


def change(engine: Engine, name: str, **values: Any) -> None:
    with engine.begin() as connection:
        mine = ModelEvaluation.prediction_id == name
        assert connection.execute(update(ModelEvaluation).where(mine).values(**values)).rowcount == 1


def remove(engine: Engine, *names: str) -> None:
    with engine.begin() as connection:
        gone = delete(ModelEvaluation).where(ModelEvaluation.prediction_id.in_(names))
        assert connection.execute(gone).rowcount == len(names)


def aggregated(engine: Engine) -> Rows:
    """What the table holds, by model name and day; with updated_at."""
    query = select(Model.name, DailyModelPerformance.__table__).join(Model)
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    return {
        (row.pop("name"), row.pop("date")): {name: value for name, value in row.items() if name != "model_id"}
        for row in found
    }


def figures(rows: Rows) -> Rows:
    return {
        key: {name: value for name, value in row.items() if name != "updated_at"} for key, row in rows.items()
    }


def touched(engine: Engine) -> dict[Key, datetime]:
    return {key: row["updated_at"] for key, row in aggregated(engine).items()}


def marks(engine: Engine) -> set[tuple[date, str]]:
    mine = StaleMark.table_name == ModelEvaluation.__tablename__
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(select(StaleMark.day, StaleMark.key).where(mine))}


def source(engine: Engine) -> pd.DataFrame:
    query = select(Model.name.label("model"), ModelEvaluation.__table__).join(Model)
    with engine.connect() as connection:
        return pd.DataFrame(connection.execute(query).mappings().all())


def expected(rows: pd.DataFrame, zone: ZoneInfo = SEOUL) -> Rows:
    """The table by another road: pandas, from the raw moments, straight from the definitions of docs/metrics.md."""
    if rows.empty:
        return {}
    rows = rows.copy()
    rows["date"] = pd.to_datetime(rows.predicted_at, utc=True).dt.tz_convert(zone).dt.date
    for name in (*SCORES, *RATINGS, "target_achieved", "support_breached"):
        rows[name] = rows[name].astype(float)
    evaluated, by_people = rows.evaluated_at.notna(), rows.human_evaluated_at.notna()
    rows["scored"] = rows.final_score.where(evaluated)
    rows["auto"] = (
        0.4 * rows.target_accuracy_score + 0.3 * rows.timing_score + 0.3 * rows.risk_management_score
    )
    ratings = rows.human_rating_quality + rows.human_rating_usefulness + rows.human_rating_overall
    rows["human"] = (ratings / 3 * 20).where(by_people)
    rows["overall"] = rows.human_rating_overall * 20
    groups = rows.groupby(["model", "date"])
    table = pd.DataFrame(
        {
            "total_predictions": groups.size(),
            "evaluated_count": groups.evaluated_at.count(),
            "human_evaluated_count": groups.human_evaluated_at.count(),
        }
    )
    for ours, (mean, spread, count) in {
        "scored": ("avg_final_score", "std_final_score", "scored_count"),
        "auto": ("avg_auto_score", "std_auto_score", "auto_count"),
        "human": ("avg_human_score", "std_human_score", "human_score_count"),
        "overall": ("avg_rating_overall", "std_rating_overall", "rating_overall_count"),
        "target_accuracy_score": ("avg_target_accuracy", None, "target_accuracy_count"),
        "timing_score": ("avg_timing_score", None, "timing_count"),
        "risk_management_score": ("avg_risk_management", None, "risk_management_count"),
    }.items():
        table[mean], table[count] = groups[ours].mean(), groups[ours].count()
        if spread:
            constant = groups[ours].min() == groups[ours].max()
            table[spread] = groups[ours].std(ddof=1).mask(constant & (table[count] > 1), 0.0)
    for flag, (rate, part, whole) in {
        "target_achieved": ("target_achieved_rate", "target_achieved_count", "target_flag_count"),
        "support_breached": ("support_breach_rate", "support_breached_count", "breach_flag_count"),
    }.items():
        table[part], table[whole] = groups[flag].sum().astype(int), groups[flag].count()
        table[rate] = 100 * table[part] / table[whole]
    return {
        key: {name: None if pd.isna(value) else value for name, value in found.items()}
        for key, found in table.to_dict("index").items()
    }


def assert_same(found: Rows, wanted: Rows) -> None:
    """The same rows and columns, floats to 1e-9 relative."""
    found = figures(found)
    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        assert found[key].keys() == row.keys()
        for name, value in row.items():
            if value is None or found[key][name] is None:
                assert found[key][name] is value, (key, name)
            else:
                assert math.isclose(found[key][name], value, rel_tol=1e-9), (
                    key,
                    name,
                    found[key][name],
                    value,
                )


def assert_right(engine: Engine, zone: ZoneInfo = SEOUL) -> None:
    """The table is what pandas makes of the source."""
    assert_same(aggregated(engine), expected(source(engine), zone))


def some_rows(seed: int, n: int = 800, days: int = 12, models: int = 4) -> list[dict[str, Any]]:
    """Rows with many nulls, values that repeat, and moments near midnight."""
    chance = np.random.default_rng(seed)

    def maybe(value: Any) -> Any:
        return value if chance.random() > 0.4 else None

    def moment() -> datetime:
        midnight = starts_at(MONDAY - timedelta(days=int(chance.integers(days))), SEOUL)
        near = timedelta(microseconds=int(chance.integers(-2, 3)))
        return midnight + (near if chance.random() < 0.2 else timedelta(seconds=int(chance.integers(86_400))))

    return [
        {
            "prediction_id": f"p{number}",
            "model_id": int(chance.integers(1, models + 1)),
            "predicted_at": moment(),
            "evaluated_at": maybe(NOW),
            "human_evaluated_at": maybe(NOW),
            **{name: maybe(float(chance.choice([77.7, 0.1, 100, chance.random() * 100]))) for name in SCORES},
            **{name: maybe(float(chance.integers(1, 6))) for name in RATINGS},
            "target_achieved": maybe(bool(chance.integers(2))),
            "support_breached": maybe(bool(chance.integers(2))),
        }
        for number in range(n)
    ]


def exact_std(values: list[float]) -> float:
    """The sample standard deviation of these very doubles, without any rounding on the way."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    return math.sqrt(sum((value - mean) ** 2 for value in exact) / (len(exact) - 1))


# What the numbers are


def test_worked_example_of_the_definitions(engine: Engine) -> None:
    parts = ("target_accuracy_score", "timing_score", "risk_management_score")
    a = dict(zip(("final_score", *parts), (80, 90, 70, 60), strict=True)) | dict(
        zip(RATINGS, (4, 5, 3), strict=True)
    )
    b = dict(zip(("final_score", *parts[:2]), (60, 50, 60), strict=True))
    store(
        engine,
        [
            row(
                "a",
                **a,
                evaluated_at=NOW,
                human_evaluated_at=NOW,
                target_achieved=True,
                support_breached=False,
            ),
            row("b", **b, evaluated_at=NOW, target_achieved=False, support_breached=True),
            row("c"),
        ],
    )
    aggregate(engine)
    found = aggregated(engine)
    assert found.keys() == {("model-1", MONDAY)}
    assert found["model-1", MONDAY] == {
        "total_predictions": 3,
        "evaluated_count": 2,
        "scored_count": 2,
        "human_evaluated_count": 1,
        "avg_final_score": 70,
        "std_final_score": pytest.approx(14.142136, abs=5e-7),
        "avg_auto_score": pytest.approx(75, rel=1e-9),
        "std_auto_score": None,
        "auto_count": 1,
        "avg_human_score": pytest.approx(80, rel=1e-9),
        "std_human_score": None,
        "human_score_count": 1,
        "avg_rating_overall": 60,
        "std_rating_overall": None,
        "rating_overall_count": 1,
        "avg_target_accuracy": 70,
        "target_accuracy_count": 2,
        "avg_timing_score": 65,
        "timing_count": 2,
        "avg_risk_management": 60,
        "risk_management_count": 1,
        "target_achieved_rate": 50,
        "target_achieved_count": 1,
        "target_flag_count": 2,
        "support_breach_rate": 50,
        "support_breached_count": 1,
        "breach_flag_count": 2,
        "updated_at": NOW,
    }


def test_score_of_a_row_that_is_not_evaluated_does_not_count(engine: Engine) -> None:
    store(engine, [scored("a", 80), row("b", final_score=10), row("c", evaluated_at=NOW)])
    aggregate(engine)
    found = aggregated(engine)["model-1", MONDAY]
    assert (found["evaluated_count"], found["scored_count"], found["avg_final_score"]) == (2, 1, 80)


def test_ratings_that_nobody_dated_count_for_the_overall_rating_only(engine: Engine) -> None:
    store(engine, [row("a", human_rating_quality=4, human_rating_usefulness=4, human_rating_overall=4)])
    aggregate(engine)
    found = aggregated(engine)["model-1", MONDAY]
    assert (found["human_score_count"], found["avg_human_score"]) == (0, None)
    assert (found["rating_overall_count"], found["avg_rating_overall"]) == (1, 80)


@pytest.mark.parametrize("seed", range(4))
def test_random_rows_with_many_nulls_equal_pandas(engine: Engine, seed: int) -> None:
    store(engine, some_rows(seed))
    aggregate(engine)
    assert len(aggregated(engine)) > 40
    assert_right(engine)


@pytest.mark.parametrize("value", [77.7, 0.1, 33.3, 100, 0])
def test_equal_scores_have_a_spread_of_exactly_zero(engine: Engine, value: float) -> None:
    store(
        engine,
        (
            row(f"p{n}", evaluated_at=NOW, human_evaluated_at=NOW)
            | dict.fromkeys(SCORES, value)
            | dict.fromkeys(RATINGS, 3.7)
            for n in range(7)
        ),
    )
    aggregate(engine)
    found = aggregated(engine)["model-1", MONDAY]
    spreads = {name: found[name] for name in found if name.startswith("std")}
    assert spreads == dict.fromkeys(spreads, 0)
    assert found["avg_final_score"] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-9])
def test_spread_that_is_tiny_against_the_mean_keeps_its_digits(engine: Engine, spread: float) -> None:
    chance = np.random.default_rng(7)
    values = [70 + spread * float(chance.uniform(-1, 1)) for _n in range(50)]
    store(engine, (scored(f"p{n}", value) for n, value in enumerate(values)))
    aggregate(engine)
    found = aggregated(engine)["model-1", MONDAY]["std_final_score"]
    assert math.isclose(found, exact_std(values), rel_tol=1e-9)


def test_one_far_value_among_many_close_ones(engine: Engine) -> None:
    """Whichever value of the group comes first, the spread keeps its digits."""
    chance = np.random.default_rng(8)
    close = [99 + 1e-5 * float(chance.random()) for _n in range(400)]
    for model, values in ((1, [0.001, *close]), (2, [*close, 0.001])):
        store(engine, (scored(f"p{n}", value, model=model) for n, value in enumerate(values)))
    aggregate(engine)
    for model, values in (("model-1", [0.001, *close]), ("model-2", [*close, 0.001])):
        found = aggregated(engine)[model, MONDAY]["std_final_score"]
        assert math.isclose(found, exact_std(values), rel_tol=1e-9)


def test_days_of_23_and_25_hours(engine: Engine) -> None:
    change_timezone(engine, NEW_YORK)
    run = Here(zone=NEW_YORK)
    for first, hours in ((date(2026, 3, 7), (24, 23, 24)), (date(2026, 10, 31), (24, 25, 24))):
        start = starts_at(first, NEW_YORK)
        store(
            engine,
            (
                row(f"{first} {n}") | {"predicted_at": start + timedelta(minutes=30 * n)}
                for n in range(2 * sum(hours))
            ),
        )
        aggregate(engine, run)
        wanted = {first + timedelta(days=n): 2 * length for n, length in enumerate(hours)}
        counted = {day: row["total_predictions"] for (_model, day), row in aggregated(engine).items()}
        assert {day: counted[day] for day in wanted} == wanted
    assert len(aggregated(engine)) == 6
    assert_right(engine, NEW_YORK)


REAL = {
    "B_model_evaluations__aider_edit_leaderboard.csv": {"predicted_at": "evaluated_at"},
    "B_model_evaluations__convai2_final_2018_human.csv": {},
    "B_model_evaluations__flusight_2023_2025.csv.gz": {},
}


def test_no_real_file_is_forgotten(shared_data: Path) -> None:
    assert {path.name for path in shared_data.glob("B_*")} == set(REAL)


@pytest.mark.parametrize("name", REAL)
def test_real_evaluations_equal_pandas(engine: Engine, shared_data: Path, name: str) -> None:
    report = import_file(
        engine, "model_evaluations", shared_data / name, zone=SEOUL, now=NOW, filling=REAL[name]
    )
    assert report.rejected == 0
    outcome = aggregate(engine)
    assert outcome.rows_read == len(source(engine)) > 90
    assert outcome.rows_written == len(aggregated(engine))
    assert_right(engine)


# Which rows a run computes


@pytest.fixture
def settled(engine: Engine) -> Engine:
    """Three days of two models, aggregated; nothing is stale."""
    days = (MONDAY - timedelta(days=1), MONDAY, TUESDAY)
    store(
        engine,
        (
            scored(f"{day:%d}/{model}/{n}", 50 + 10 * n + model, day, model)
            for day in days
            for model in (1, 2)
            for n in range(3)
        ),
    )
    aggregate(engine)
    assert len(aggregated(engine)) == 6
    assert marks(engine) == set()
    return engine


def assert_only_touched(engine: Engine, outcome: Outcome, *keys: Key) -> None:
    """The run wrote these rows and left the others as they were; now everything is right."""
    assert {key for key, at in touched(engine).items() if at == LATER} == set(keys)
    assert outcome.rows_written == len(keys)
    assert marks(engine) == set()
    assert_right(engine)


def test_second_run_writes_nothing(settled: Engine) -> None:
    before, version = aggregated(settled), data_version(settled)
    outcome = aggregate(settled, Here(LATER))
    assert (outcome.rows_read, outcome.rows_written, outcome.summary) == (0, 0, "Nothing was stale.")
    assert aggregated(settled) == before
    assert data_version(settled) == version
    outcome = aggregate(settled, Here(LATER), since=MONDAY - timedelta(days=1), until=TODAY)
    assert (outcome.rows_read, outcome.rows_written) == (18, 0)
    assert aggregated(settled) == before


def test_late_evaluation(settled: Engine) -> None:
    store(settled, [row("late")])
    aggregate(settled)
    change(settled, "late", final_score=99, evaluated_at=LATER)
    assert_only_touched(settled, aggregate(settled, Here(LATER)), ("model-1", MONDAY))
    assert aggregated(settled)["model-1", MONDAY]["scored_count"] == 4


def test_correction(settled: Engine) -> None:
    change(settled, "16/2/0", final_score=1)
    assert_only_touched(settled, aggregate(settled, Here(LATER)), ("model-2", MONDAY))


def test_value_that_is_taken_back_becomes_missing_not_zero(settled: Engine) -> None:
    for n in range(3):
        change(settled, f"16/2/{n}", final_score=None)
    assert_only_touched(settled, aggregate(settled, Here(LATER)), ("model-2", MONDAY))
    found = aggregated(settled)["model-2", MONDAY]
    assert (found["scored_count"], found["avg_final_score"], found["std_final_score"]) == (0, None, None)


def test_deletion(settled: Engine) -> None:
    remove(settled, "16/1/2")
    assert_only_touched(settled, aggregate(settled, Here(LATER)), ("model-1", MONDAY))


def test_row_that_moves_to_another_day(settled: Engine) -> None:
    change(settled, "16/1/2", predicted_at=noon(TUESDAY))
    outcome = aggregate(settled, Here(LATER))
    assert_only_touched(settled, outcome, ("model-1", MONDAY), ("model-1", TUESDAY))


def test_row_that_moves_to_another_model(settled: Engine) -> None:
    change(settled, "16/1/2", model_id=2)
    outcome = aggregate(settled, Here(LATER))
    assert_only_touched(settled, outcome, ("model-1", MONDAY), ("model-2", MONDAY))


def test_day_whose_rows_are_all_deleted_loses_its_row(settled: Engine) -> None:
    before = touched(settled)
    remove(settled, *(f"16/1/{n}" for n in range(3)))
    outcome = aggregate(settled, Here(LATER))
    assert outcome.rows_written == 1
    assert touched(settled) == {key: at for key, at in before.items() if key != ("model-1", MONDAY)}
    assert_right(settled)


def test_day_that_all_rows_left_loses_its_row(settled: Engine) -> None:
    for n in range(3):
        change(settled, f"16/1/{n}", predicted_at=noon(MONDAY + timedelta(days=30)))
    aggregate(settled, Here(LATER))
    assert ("model-1", MONDAY) not in aggregated(settled)
    assert_right(settled)


def test_row_that_nothing_stands_behind_goes_when_its_day_is_asked_for(settled: Engine) -> None:
    """Say, a backup was half restored: there is no mark, and --day mends it."""
    with settled.begin() as connection:
        connection.execute(delete(ModelEvaluation).where(ModelEvaluation.day == MONDAY))
        connection.execute(delete(StaleMark))
    aggregate(settled, Here(LATER))
    assert ("model-1", MONDAY) in aggregated(settled)
    outcome = aggregate(settled, Here(LATER), day=MONDAY)
    assert outcome.rows_written == 2
    assert_right(settled)


def test_yesterday_is_always_computed(settled: Engine) -> None:
    with settled.begin() as connection:
        connection.execute(update(DailyModelPerformance).values(total_predictions=99))
    wednesday = noon(TUESDAY + timedelta(days=1))
    outcome = aggregate(settled, Here(wednesday))
    assert outcome.result == {"days": 1, "models": 2, "pairs": 2, "first": "2026-11-17", "last": "2026-11-17"}
    found = {key: row["total_predictions"] for key, row in aggregated(settled).items()}
    assert {key for key, n in found.items() if n == 3} == {("model-1", TUESDAY), ("model-2", TUESDAY)}


SPOILED = (MONDAY - timedelta(days=1), MONDAY, TUESDAY)


@pytest.mark.parametrize(
    ("asked", "mended"),
    [
        ({"day": MONDAY}, {(1, MONDAY), (2, MONDAY)}),
        ({"since": MONDAY, "until": MONDAY}, {(1, MONDAY), (2, MONDAY)}),
        ({"since": MONDAY}, {(m, day) for m in (1, 2) for day in SPOILED[1:]}),
        ({"since": SPOILED[0], "until": MONDAY}, {(m, day) for m in (1, 2) for day in SPOILED[:2]}),
        ({"since": date(2026, 11, 21)}, set()),
        ({"day": date(1899, 12, 31)}, set()),
        ({"day": MONDAY, "model": "model-2"}, {(2, MONDAY)}),
        ({"since": SPOILED[0], "model": "model-1"}, {(1, day) for day in SPOILED}),
        ({"model": "model-1"}, {(1, TUESDAY)}),
        ({}, {(1, TUESDAY), (2, TUESDAY)}),
    ],
    ids=lambda value: f"{len(value)} rows" if isinstance(value, set) else str(value),
)
def test_days_and_model_that_are_asked_for(
    settled: Engine, asked: dict[str, Any], mended: set[tuple[int, date]]
) -> None:
    """Every row is spoiled; only the rows asked for become right. Tuesday alone is stale."""
    for model in (1, 2):
        change(settled, f"17/{model}/0", final_score=7)
    with settled.begin() as connection:
        connection.execute(update(DailyModelPerformance).values(total_predictions=99))
    stale = marks(settled)
    aggregate(settled, Here(LATER), **asked)
    found = aggregated(settled)
    right = {key for key, row in found.items() if row["total_predictions"] == 3}
    assert right == {(f"model-{model}", day) for model, day in mended}
    assert len(found) == 6
    assert marks(settled) == stale - {(day, str(model)) for model, day in mended}


@pytest.mark.parametrize(("off_by", "rewritten"), [(1e-12, 0), (1e-6, 6)])
def test_difference_of_rounding_is_no_change(settled: Engine, off_by: float, rewritten: int) -> None:
    """A sum depends on the order of its rows, which a database is free to choose."""
    since = {"since": MONDAY - timedelta(days=1)}
    aggregate(settled, **since)
    with settled.begin() as connection:
        mean = DailyModelPerformance.avg_final_score
        connection.execute(update(DailyModelPerformance).values(avg_final_score=mean * (1 + off_by)))
    assert aggregate(settled, dry_run=True, **since).result["changed"] == rewritten
    assert aggregate(settled, Here(LATER), **since).rows_written == rewritten


def test_model_that_does_not_exist_is_refused(settled: Engine) -> None:
    with pytest.raises(Refused, match="There is no model “atlas”") as refused:
        aggregate(settled, model="atlas")
    assert refused.value.status == 2


def test_progress_names_the_days_and_grows(settled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stale, "CHUNK_PAIRS", 2)
    run = Here()
    aggregate(settled, run, since=SPOILED[0])
    assert run.told == [(0, "2026-11-15"), (2 / 6, "2026-11-16"), (4 / 6, "2026-11-17")]
    monkeypatch.undo()
    run = Here()
    aggregate(settled, run, since=SPOILED[0])
    assert run.told == [(0, "2026-11-15 – 2026-11-17")]


@pytest.mark.parametrize(("pairs", "days"), [(1, 1), (7, 31), (500, 3)])
def test_many_small_transactions_give_the_rows_of_one_large_one(
    engine: Engine, pairs: int, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(engine, some_rows(11, n=600, days=40, models=3))
    run = Here()
    aggregate(engine, run)
    whole = aggregated(engine)
    with engine.begin() as connection:
        connection.execute(delete(DailyModelPerformance))
    monkeypatch.setattr(stale, "CHUNK_PAIRS", pairs)
    monkeypatch.setattr(stale, "CHUNK_DAYS", days)
    many = Here()
    aggregate(engine, many, since=date(2026, 1, 1))
    assert len(many.told) > len(run.told)
    right = expected(source(engine))
    assert_same(whole, right)
    assert_same(aggregated(engine), right)


def test_days_far_apart_are_not_one_transaction() -> None:
    days = (date(2020, 1, 1), date(2020, 1, 31), date(2020, 2, 1), date(2026, 1, 1))
    pairs = [stale.Pair(day, 1) for day in days]
    assert list(stale.chunks(pairs)) == [pairs[:2], pairs[2:3], pairs[3:]]


# What comes in while it runs


def test_change_just_before_a_chunk_ends_is_not_lost(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL the change commits inside the job's transaction, on SQLite it waits for its end."""
    store(engine, [scored("a", 50)])
    waits = engine.dialect.name == "sqlite"
    writer = threading.Thread(target=store, args=(engine, [scored("b", 60), scored("c", 70, TUESDAY)]))

    def then_write(*args: Any) -> int:
        written = refresh(*args)
        writer.start()
        if not waits:
            writer.join()
        return written

    refresh = job._refresh
    monkeypatch.setattr(job, "_refresh", then_write)
    monkeypatch.setattr(job, "ROUNDS", 1)
    aggregate(engine)
    writer.join()
    monkeypatch.undo()
    assert aggregated(engine)["model-1", MONDAY]["scored_count"] == 1
    assert marks(engine) == {(MONDAY, "1"), (TUESDAY, "1")}
    aggregate(engine, Here(LATER))
    assert len(aggregated(engine)) == 2
    assert_right(engine)
    assert marks(engine) == set()


@pytest.mark.parametrize("undone", [False, True], ids=["rows come", "rows go"])
def test_change_between_the_marks_and_the_rows_is_not_lost(
    postgresql_engine: Engine, undone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = postgresql_engine
    store(engine, [scored("a", 50), scored("b", 60)])

    def write_first(*args: Any) -> int:
        remove(engine, "a", "b") if undone else store(engine, [scored("c", 70)])
        return refresh(*args)

    refresh = job._refresh
    monkeypatch.setattr(job, "_refresh", write_first)
    monkeypatch.setattr(job, "ROUNDS", 1)
    aggregate(engine)
    assert marks(engine) == {(MONDAY, "1")}, "the mark of a change after the reading of the marks stays"
    monkeypatch.undo()
    assert_right(engine)
    aggregate(engine, Here(LATER))
    assert_right(engine)
    assert marks(engine) == set()


def test_change_that_commits_after_the_whole_run_is_not_lost(postgresql_engine: Engine) -> None:
    """It wrote its mark before the job read the marks, but nobody could see it then."""
    engine = postgresql_engine
    store(engine, [scored("a", 50)])
    with engine.begin() as connection:
        connection.execute(insert(ModelEvaluation).values(**scored("b", 60)))
        aggregate(engine)
        assert aggregated(engine)["model-1", MONDAY]["scored_count"] == 1
    assert marks(engine) == {(MONDAY, "1")}
    aggregate(engine, Here(LATER))
    assert_right(engine)


def test_changes_between_two_chunks_are_not_lost(settled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a day that is done, to one that is still to come, and to one that was not stale."""
    monkeypatch.setattr(stale, "CHUNK_PAIRS", 1)
    monkeypatch.setattr(job, "ROUNDS", 1)
    change(settled, "16/1/0", final_score=1)
    change(settled, "16/2/0", final_score=1)

    def meanwhile(step: int) -> None:
        if step == 2:
            change(settled, "16/1/1", final_score=2)
            change(settled, "16/2/1", final_score=2)
            change(settled, "17/1/1", final_score=2)

    run = Here(LATER, at_step=meanwhile)
    aggregate(settled, run)
    assert len(run.told) == 2
    assert marks(settled) == {(MONDAY, "1"), (TUESDAY, "1")}
    wanted = expected(source(settled))
    found = figures(aggregated(settled))
    assert found["model-2", MONDAY]["avg_final_score"] == pytest.approx(
        wanted["model-2", MONDAY]["avg_final_score"]
    )
    aggregate(settled, Here(LATER))
    assert_right(settled)
    assert marks(settled) == set()


def test_a_run_takes_up_what_becomes_stale_while_it_works(settled: Engine) -> None:
    """So an operator who corrects a row and joins the run under way gets the corrected figure."""
    change(settled, "16/1/0", final_score=1)
    aggregate(settled, Here(LATER, at_step=lambda step: change(settled, "17/1/1", final_score=2)))
    assert_right(settled)
    assert marks(settled) == set()


def test_first_value_between_the_marks_and_the_rows_is_in_the_mean(
    postgresql_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = postgresql_engine
    store(engine, [row("a")])

    def write_first(*args: Any) -> int:
        if aggregated(engine) == {}:
            store(engine, [scored("b", 60)])
        return refresh(*args)

    refresh = job._refresh
    monkeypatch.setattr(job, "_refresh", write_first)
    monkeypatch.setattr(job, "ROUNDS", 1)
    aggregate(engine)
    found = aggregated(engine)["model-1", MONDAY]
    assert (found["scored_count"], found["avg_final_score"]) == (1, 60)


def test_fault_in_a_later_chunk_leaves_whole_days_and_the_marks_of_the_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale, "CHUNK_PAIRS", 1)
    store(engine, (scored(f"p{n}", 50 + n, MONDAY - timedelta(days=n % 4)) for n in range(20)))

    def fail(step: int) -> None:
        if step == 3:
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError):
        aggregate(engine, Here(at_step=fail))
    wanted = expected(source(engine))
    assert_same(aggregated(engine), {key: wanted[key] for key in sorted(wanted)[:2]})
    assert marks(engine) == {(day, "1") for _model, day in sorted(wanted)[2:]}
    aggregate(engine)
    assert_right(engine)


# The rehearsal


def test_rehearsal_tells_what_would_change_and_writes_nothing(settled: Engine) -> None:
    change(settled, "16/1/0", final_score=81)
    remove(settled, *(f"17/2/{n}" for n in range(3)))
    store(settled, [scored("new", 33, MONDAY - timedelta(days=6), model=2)])
    before, stale, version = aggregated(settled), marks(settled), data_version(settled)

    outcome = aggregate(settled, Here(LATER), dry_run=True)

    assert (aggregated(settled), marks(settled), data_version(settled)) == (before, stale, version)
    assert outcome.summary == ("Dry run. 3 days of 2 models: 1 row would be added, 1 changed, 1 removed")
    assert outcome.rows_written == 0
    counts = {name: outcome.result[name] for name in ("added", "changed", "removed", "unchanged")}
    assert counts == {"added": 1, "changed": 1, "removed": 1, "unchanged": 0}
    added, changed, removed = outcome.result["changes"]
    assert (added["change"], added["model"], added["date"]) == ("added", "model-2", "2026-11-10")
    assert added["columns"]["avg_final_score"] == 33
    assert (removed["change"], removed["model"], removed["date"]) == ("removed", "model-2", "2026-11-17")
    assert removed["columns"]["avg_final_score"] == 62
    assert (changed["change"], changed["model"], changed["date"]) == ("changed", "model-1", "2026-11-16")
    assert changed["columns"] == {"avg_final_score": [pytest.approx(61), pytest.approx(71)]}
    aggregate(settled, Here(LATER))
    assert_right(settled)


def test_rehearsal_lists_its_changes_in_the_order_of_days(engine: Engine) -> None:
    days = [date(2026, 9, 30), date(2026, 10, 2), date(2026, 10, 10), date(2026, 11, 1)]
    store(engine, (scored(f"{day}/{model}", 50, day, model) for day in days for model in (2, 10)))
    changes = aggregate(engine, dry_run=True).result["changes"]
    assert [(found["date"], found["model"]) for found in changes] == [
        (str(day), f"model-{model}") for day in days for model in (2, 10)
    ]


def test_rehearsal_of_days_that_are_right_finds_nothing(settled: Engine) -> None:
    outcome = aggregate(settled, Here(LATER), dry_run=True, since=MONDAY - timedelta(days=1))
    assert outcome.result["unchanged"] == 6
    assert outcome.result["changes"] == []


def test_rehearsal_keeps_no_writer_waiting(settled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is stored while the rehearsal's transaction is open, on SQLite too."""
    compare = changes.Changes.compare

    def and_store(*args: Any) -> None:
        compare(*args)
        store(settled, [scored("meanwhile", 5)])

    monkeypatch.setattr(changes.Changes, "compare", and_store)
    aggregate(settled, day=MONDAY, dry_run=True)
    with settled.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(ModelEvaluation)) == 19
